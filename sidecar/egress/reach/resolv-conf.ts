// What the pod's resolv.conf says of the cluster: its domain and the pod's namespace, by which the names of Services are whole.
// Text in. Pure.

import { hostNameOf, type Cluster } from '../../../shared/host-name.ts'

const searchIn = (resolvConf: string): readonly string[] => {
  const lines = resolvConf.split('\n').filter((line) => /^\s*search\s/.test(line))
  const [, ...names] = lines.at(-1)?.trim().split(/\s+/) ?? []
  return names.flatMap((name) => hostNameOf(name) ?? [])
}

const SERVICES = 'svc.'

/**
 * The cluster: kubelet writes `NAMESPACE.svc.DOMAIN svc.DOMAIN DOMAIN` before whatever a pod asks for besides, and the last
 * `search` line is the one that holds (resolv.conf(5)). Undefined outside a cluster.
 */
export const clusterOf = (resolvConf: string): Cluster | undefined => {
  const names = searchIn(resolvConf)
  const services = names.find((name) => name.startsWith(SERVICES))
  if (services === undefined) return undefined
  const own = names.find((name) => name.endsWith(`.${services}`))
  const namespace = own?.slice(0, -services.length - 1)
  return {
    domain: services.slice(SERVICES.length),
    namespace: namespace?.includes('.') === true ? undefined : namespace,
  }
}
