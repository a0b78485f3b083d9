// What one injected pod needs of the network: where it listens and where it goes, by the document that its sidecar was
// given at admission. Pure.

import { at, type JsonObject } from '../../shared/json.ts'
import { ADMIN_PORT } from '../../shared/names.ts'
import type { SidecarConfig } from '../../shared/sidecar-config.ts'
import { ownSidecar } from '../inject/pod.ts'
import { documentOf } from '../inject/stand-ins.ts'

export interface Needs {
  /** At which the sidecar listens for callers: its own, those it stands in at, those it carries. */
  readonly ports: readonly number[]
  readonly isTls: boolean
  /** The server is kept to `egress`. */
  readonly isEnforced: boolean
  /** What the server has declared, as destinations. */
  readonly egress: readonly string[]
  /** Where the sidecar itself goes, `host:port` each. */
  readonly own: readonly string[]
  /** It hands calls to the workload's other pods, and takes theirs. */
  readonly hasReplicas: boolean
  /** It asks the API server for keys. */
  readonly asksApiServer: boolean
  /** A port that the server itself holds at the pod's address, around the sidecar. */
  readonly around: number | undefined
}

const USUAL_PORTS = new Map([
  ['https:', '443'],
  ['http:', '80'],
])

const placeOf = (url: URL): string => {
  const port = url.port === '' ? (USUAL_PORTS.get(url.protocol) ?? '443') : url.port
  return `${url.hostname.replace(/\.$/, '')}:${port}`
}

const placesOf = (urls: readonly (string | undefined)[]): readonly string[] =>
  urls.flatMap((text) => {
    const url = text === undefined ? null : URL.parse(text)
    return url === null ? [] : [placeOf(url)]
  })

/** Hosts that may be asked besides: by https, where they name no port. */
const hostUrls = (hosts: readonly { readonly host: string }[] | undefined): readonly string[] =>
  (hosts ?? []).map(({ host }) => `https://${host}/`)

const trustUrls = ({ issuers, trustDomains }: SidecarConfig): readonly (string | undefined)[] => [
  // The keys of the cluster's own issuer come from the API server.
  ...issuers.flatMap((issuer) =>
    issuer.serviceAccounts
      ? []
      : [issuer.url, issuer.introspectionUrl, issuer.tokenExchange?.url, ...hostUrls(issuer.hosts)],
  ),
  ...trustDomains.flatMap(({ bundleUrl, hosts }) => [bundleUrl, ...hostUrls(hosts)]),
]

const ownUrls = (config: SidecarConfig): readonly (string | undefined)[] => [
  ...trustUrls(config),
  config.traces?.endpoint,
  config.metrics?.endpoint,
  config.audit?.otlp?.endpoint,
  config.egress?.parentProxy?.url,
]

/** The server's own port, where nothing holds it on loopback and the sidecar does not stand in for it. */
const aroundIn = ({ settings, standIns, isSupervised }: SidecarConfig): number | undefined =>
  settings.transport === 'stdio' ||
  isSupervised ||
  standIns.some(({ port }) => port === settings.port)
    ? undefined
    : settings.port

const needsIn = (config: SidecarConfig): Needs => {
  const { settings, standIns, carriedPorts, port } = config
  const ports = [port, ...standIns.map((standIn) => standIn.port), ...carriedPorts]
  return {
    ports: [...new Set(ports)].filter((one) => one !== ADMIN_PORT),
    isTls: config.tls !== undefined,
    isEnforced: settings['egress-mode'] === 'enforce',
    egress: settings.egress ?? [],
    own: [...new Set(placesOf(ownUrls(config)))],
    hasReplicas: config.replicas !== undefined,
    asksApiServer: config.apiServer !== undefined,
    around: aroundIn(config),
  }
}

/** Undefined where its sidecar has no document that we could have written. */
export const needsOf = (pod: JsonObject): Needs | undefined => {
  const config = documentOf(ownSidecar(pod))
  return config && needsIn(config)
}

/** Whether what runs in it shares the node's addresses: no policy and no Service of ours is about it then. */
export const isOnHost = (pod: JsonObject): boolean => at(pod, 'spec', 'hostNetwork') === true
