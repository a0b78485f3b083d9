// What the pod's resolv.conf says of the cluster: its domain, by which the names of Services are whole. Text in. Pure.

import { hostNameOf } from '../../../shared/host-name.ts'

const searchIn = (resolvConf: string): readonly string[] => {
  const lines = resolvConf.split('\n').filter((line) => /^\s*search\s/.test(line))
  const [, ...names] = lines.at(-1)?.trim().split(/\s+/) ?? []
  return names
}

/**
 * The domain of the cluster: kubelet writes `NAMESPACE.svc.DOMAIN svc.DOMAIN DOMAIN` before whatever a pod asks for besides,
 * and the last `search` line is the one that holds (resolv.conf(5)). Undefined outside a cluster.
 */
export const clusterDomainOf = (resolvConf: string): string | undefined => {
  const service = searchIn(resolvConf).find((name) => name.startsWith('svc.'))
  return service === undefined ? undefined : hostNameOf(service.slice('svc.'.length))
}

/** Where a name without a dot is looked up: among the Services of the pod's own namespace, `NAMESPACE.svc.DOMAIN`. */
export const ownServicesOf = (resolvConf: string): string | undefined => {
  const domain = clusterDomainOf(resolvConf)
  return domain === undefined
    ? undefined
    : searchIn(resolvConf).find((name) => name.endsWith(`.svc.${domain}`))
}
