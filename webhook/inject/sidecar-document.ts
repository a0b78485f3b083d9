// The document that tells the sidecar what to be, made from the resolved settings and the pod. Pure.

import { annotation, KEYS, type Key } from '../../shared/annotations.ts'
import {
  API_SERVER_DIR,
  API_SERVER_URL,
  BIN_DIR,
  INTROSPECTION_DIR,
  TOKEN_EXCHANGE_DIR,
  LOCK_DIR,
  LOCK_KEY,
  POLICY_DIR,
  POLICY_KEY,
  RUN_DIR,
  TLS_CERT_KEY,
  TLS_DIR,
  TLS_PRIVATE_KEY,
} from '../../shared/names.ts'
import type { LockDocument } from '../../shared/lock/schema.ts'
import type { SidecarDocument } from '../../shared/sidecar-config.ts'
import type { ClusterConfig } from '../cluster/config.ts'
import { stringAt, type JsonObject } from '../../shared/json.ts'
import type { Placed } from '../settings/placed.ts'
import type { Resolution } from '../settings/resolve.ts'
import { trustedDomains, trustedIssuers } from '../settings/trust.ts'
import { auditIn, type About } from './audit.ts'
import { egressIn } from './egress.ts'
import { graceSeconds } from './grace.ts'
import { nameOf } from './pod.ts'
import { replicasIn } from './replicas.ts'
import { memoryLimitBytes } from './resources.ts'
import { workloadOf } from './server-label.ts'
import { tlsSecretOf } from './serving-tls.ts'
import type { Workload } from './subject.ts'
import { hasShim, type Transport } from './transport.ts'

/** What was found out about the server, where the author had left it to us. */
const foundTexts = (transport: Transport): Partial<Record<Key, string>> => {
  if (transport.kind === 'stdio') return { transport: 'stdio' }
  const { protocol, port, tls, openPaths } = transport
  return {
    transport: protocol,
    port: String(port),
    scheme: tls.isTls ? 'https' : 'auto',
    ...(tls.ca ? { 'ca-file': tls.ca.file } : {}),
    ...(openPaths.length > 0 ? { 'open-paths': openPaths.join(',') } : {}),
  }
}

/** What `issuers` says in their stead. */
const CHOICES: ReadonlySet<Key> = new Set(['oidc-issuers', 'oidc-audience'])

/** The settings that the sidecar reads, where they differ from the table's defaults. */
const settingTexts = (
  placed: ReadonlyMap<Key, Placed>,
  transport: Transport,
): Record<string, string> => {
  const found = foundTexts(transport)
  return Object.fromEntries(
    KEYS.filter((key) => annotation(key).readBy !== 'webhook' && !CHOICES.has(key)).flatMap(
      (key) => {
        const text = found[key] ?? placed.get(key)?.text
        return text === undefined || text === annotation(key).default ? [] : [[key, text]]
      },
    ),
  )
}

const standInsIn = (transport: Transport): Pick<SidecarDocument, 'standIns' | 'carriedPorts'> => {
  const { standIns } = transport
  const carried = transport.kind === 'http' ? transport.carried : []
  return {
    ...(standIns.length === 0 ? {} : { standIns: [...standIns] }),
    ...(carried.length === 0 ? {} : { carriedPorts: [...carried] }),
  }
}

export interface DocumentParts {
  readonly pod: JsonObject
  readonly server: JsonObject
  readonly label: string
  /** The pod's. */
  readonly namespace: string
  /** Where the caller knows it. */
  readonly workload: Workload | undefined
  /** Its image by digest, where the spec has it by a tag whose digest is known. */
  readonly image: string | undefined
  readonly transport: Transport
  readonly resolution: Resolution
  readonly config: ClusterConfig
  /** Which of the floor's locks is about the server. */
  readonly baseLock?: LockDocument | undefined
}

/** Whom the sidecar believes: nobody but those of the floor's whom the pod has chosen. */
const issuersIn = ({
  resolution: { settings },
  config,
}: DocumentParts): Pick<SidecarDocument, 'issuers' | 'apiServer' | 'trustDomains'> => {
  if (settings.auth === 'none') return {}
  const issuers = [...trustedIssuers(settings, config.floor)]
  const trustDomains = [...trustedDomains(settings, config.floor)]
  return {
    issuers,
    ...(trustDomains.length === 0 ? {} : { trustDomains }),
    ...(issuers.some(({ serviceAccounts }) => serviceAccounts)
      ? { apiServer: { url: API_SERVER_URL, dir: API_SERVER_DIR } }
      : {}),
  }
}

const TLS_FILES = {
  certFile: `${TLS_DIR}/${TLS_CERT_KEY}`,
  keyFile: `${TLS_DIR}/${TLS_PRIVATE_KEY}`,
} as const

/** Where it finds what the sidecar alone mounts. */
const mountedFor = ({
  transport,
  resolution: { settings, placed },
}: DocumentParts): Partial<SidecarDocument> => ({
  ...(placed.has('introspection-secret') ? { introspectionDir: INTROSPECTION_DIR } : {}),
  ...(placed.has('token-exchange-secret') ? { tokenExchangeDir: TOKEN_EXCHANGE_DIR } : {}),
  ...(tlsSecretOf(transport, settings) === undefined ? {} : { tls: TLS_FILES }),
  ...(placed.has('tool-policy') ? { toolPolicy: `${POLICY_DIR}/${POLICY_KEY}` } : {}),
  ...(placed.has('tool-lock') ? { toolLock: `${LOCK_DIR}/${LOCK_KEY}` } : {}),
})

/** They come with the pod: nobody in the pod's namespace can change them. */
const baseIn = ({
  config: { floor },
  baseLock,
}: DocumentParts): Pick<SidecarDocument, 'basePolicy' | 'baseLock'> => ({
  ...(floor.basePolicy === undefined ? {} : { basePolicy: floor.basePolicy }),
  ...(baseLock === undefined ? {} : { baseLock }),
})

const aboutServer = ({ pod, server, workload, image }: DocumentParts): About => {
  const { kind, name } = workloadOf(pod, workload)
  const own = image ?? stringAt(server, 'image')
  return {
    workload: `${kind}/${name}`,
    container: nameOf(server),
    ...(own === undefined || own === '' ? {} : { image: own }),
  }
}

/** The headers come by the environment: no document holds a secret. */
const tracesIn = ({ traces }: ClusterConfig): Pick<SidecarDocument, 'traces'> => {
  if (traces === undefined) return {}
  const { headersSecret: _headers, ...own } = traces
  return { traces: own }
}

const metricsIn = ({ metrics }: ClusterConfig): Pick<SidecarDocument, 'metrics'> => {
  if (metrics === undefined) return {}
  const { headersSecret: _headers, ...own } = metrics
  return { metrics: own }
}

/** The sidecar's configuration document. */
export const sidecarDocument = (parts: DocumentParts): SidecarDocument => {
  const { pod, server, label, transport, resolution, config } = parts
  const isStdio = transport.kind === 'stdio'
  const memory = memoryLimitBytes(server)
  const restarts = stringAt(pod, 'spec', 'restartPolicy') ?? 'Always'
  return {
    settings: settingTexts(resolution.placed, transport),
    server: label,
    ...(hasShim(transport) ? { runDir: RUN_DIR, binDir: BIN_DIR } : {}),
    ...(hasShim(transport) && !isStdio ? { isSupervised: true } : {}),
    ...standInsIn(transport),
    // In a cluster the sidecar is called by Service names that nobody knows at admission.
    allowedHosts: ['*'],
    ...issuersIn(parts),
    isolation: config.floor.allowAdvisoryIsolation ? 'advisory' : 'require',
    graceSeconds: graceSeconds(pod),
    exitWhenIdle: isStdio && restarts !== 'Always',
    ...(memory === undefined ? {} : { serverMemoryBytes: memory }),
    ...mountedFor(parts),
    ...replicasIn(parts),
    ...baseIn(parts),
    ...egressIn(resolution.settings, config),
    ...auditIn(resolution.settings, config, aboutServer(parts)),
    ...tracesIn(config),
    ...metricsIn(config),
  }
}
