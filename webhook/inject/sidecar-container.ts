// The sidecar's container: what it is told, how it is probed and confined. Probes execute a static
// binary, since the kubelet's HTTP probes fail under a mesh's strict mTLS. What an earlier pass left
// is rendered again; only what we leave unset and somebody else filled in stays. Pure.

import {
  ADMIN_PORT,
  CONFIG_VARIABLE,
  LOGS_HEADERS_VARIABLE,
  MCP_PORT,
  METRICS_HEADERS_VARIABLE,
  POD_FACTS,
  POD_IPS_VARIABLE,
  REPLICA_PORT,
  SIDECAR_CONTAINER,
  SIDECAR_SHIM_PATH,
  TRACE_HEADERS_KEY,
  TRACE_HEADERS_VARIABLE,
} from '../../shared/names.ts'
import type { SidecarDocument } from '../../shared/sidecar-config.ts'
import type { ClusterConfig } from '../cluster/config.ts'
import { at, objectAt, objectsAt, type JsonObject } from '../../shared/json.ts'
import { isPluginVolumeName } from './api-token.ts'
import { escapeExpansion } from './command.ts'
import { nameOf } from './pod.ts'
import { ADMIN_PORT_NAME, MCP_PORT_NAME, REPLICA_PORT_NAME } from './port-names.ts'
import { KEPT_SECURITY } from './security.ts'
import { SIDECAR_MOUNTS } from './volumes.ts'

const probe = (path: string, periodSeconds: number, failureThreshold: number): JsonObject => ({
  exec: { command: [SIDECAR_SHIM_PATH, 'probe', String(ADMIN_PORT), path] },
  periodSeconds,
  timeoutSeconds: 5,
  successThreshold: 1,
  failureThreshold,
})

/** Members of an existing sidecar that stay, because we leave them unset. */
const KEPT = ['imagePullPolicy', 'terminationMessagePath', 'resizePolicy'] as const

const pick = (object: JsonObject | undefined, names: readonly string[]): JsonObject =>
  Object.fromEntries(
    names.flatMap((name) => {
      const value = at(object, name)
      return value === undefined ? [] : [[name, value]]
    }),
  )

export interface SidecarParts {
  readonly config: ClusterConfig
  readonly document: SidecarDocument
  readonly resources: JsonObject
  /** Whether a shim runs the server. */
  readonly hasShim: boolean
  /** The volume that brings the server's `ca-file`. */
  readonly caMount: JsonObject | undefined
  /** Of the volumes that it alone mounts. */
  readonly mounts: readonly JsonObject[]
  /** What the server's port was called. */
  readonly portNames: readonly string[]
  readonly uid: number
  /** Undefined where the platform assigns groups (OpenShift). */
  readonly gid: number | undefined
  readonly existing: JsonObject | undefined
}

const securityContext = ({ uid, gid, existing }: SidecarParts): JsonObject => ({
  ...pick(objectAt(existing, 'securityContext'), KEPT_SECURITY),
  runAsUser: uid,
  ...(gid === undefined ? {} : { runAsGroup: gid }),
  runAsNonRoot: true,
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
})

// With the version that the API server would fill in, lest a second pass take it out.
const fromPod = (name: string, fieldPath: string): JsonObject => ({
  name,
  valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath } },
})
const POD_IPS = fromPod(POD_IPS_VARIABLE, 'status.podIPs')
const FACTS = POD_FACTS.map(([, variable, path]) => fromPod(variable, path))

const headersFrom = (variable: string, name: string, isOptional: boolean): JsonObject => ({
  name: variable,
  valueFrom: {
    secretKeyRef: { name, key: TRACE_HEADERS_KEY, ...(isOptional ? { optional: true } : {}) },
  },
})

/** A namespace without the Secret has its traces and metrics refused by the collector, and nothing else: they hold nobody up. */
const telemetryHeaders = ({ traces, metrics }: ClusterConfig): readonly JsonObject[] => {
  const own = [
    [TRACE_HEADERS_VARIABLE, traces?.headersSecret],
    [METRICS_HEADERS_VARIABLE, metrics?.headersSecret],
  ] as const
  return own.flatMap(([variable, secret]) =>
    secret === undefined ? [] : [headersFrom(variable, secret, true)],
  )
}

/** Where records themselves go to the collector, nothing is served without them: the kubelet names the Secret that is missing. */
const logsHeaders = ({ config, document }: SidecarParts): readonly JsonObject[] => {
  const secret = config.audit?.otlp?.headersSecret
  const { audit } = document
  return secret === undefined || audit?.otlp === undefined
    ? []
    : [headersFrom(LOGS_HEADERS_VARIABLE, secret, audit.file !== undefined)]
}

/** Whether it takes the server's ports there, or has ids say where a session is. */
const needsAddresses = ({ isSupervised, replicas }: SidecarDocument): boolean =>
  isSupervised === true || replicas !== undefined

const environment = (parts: SidecarParts): readonly JsonObject[] => [
  { name: CONFIG_VARIABLE, value: escapeExpansion(JSON.stringify(parts.document)) },
  ...(needsAddresses(parts.document) ? [POD_IPS] : []),
  ...(parts.document.audit === undefined ? [] : FACTS),
  ...telemetryHeaders(parts.config),
  ...logsHeaders(parts),
]

const tcpPort = (name: string, containerPort: number): JsonObject => ({
  name,
  containerPort,
  protocol: 'TCP',
})

const ports = ({ document, portNames }: SidecarParts): readonly JsonObject[] => [
  tcpPort(MCP_PORT_NAME, MCP_PORT),
  tcpPort(ADMIN_PORT_NAME, ADMIN_PORT),
  ...(document.replicas === undefined ? [] : [tcpPort(REPLICA_PORT_NAME, REPLICA_PORT)]),
  ...portNames.map((name) => tcpPort(name, MCP_PORT)),
]

/** The whole container. */
export const sidecarContainer = (parts: SidecarParts): JsonObject => {
  const { image, imagePullPolicy } = parts.config.sidecar
  const mounts = [
    ...(parts.hasShim ? SIDECAR_MOUNTS : []),
    ...(parts.caMount ? [parts.caMount] : []),
    ...parts.mounts,
  ]
  return {
    ...pick(parts.existing, KEPT),
    name: SIDECAR_CONTAINER,
    image,
    ...(imagePullPolicy === undefined ? {} : { imagePullPolicy }),
    // A native sidecar: started before the server, ended after it, and no hindrance to a Job's end.
    restartPolicy: 'Always',
    ports: ports(parts),
    env: environment(parts),
    resources: parts.resources,
    // "Shim copied, listeners bound", never "server reachable": it gates the server's own start.
    startupProbe: probe('/startupz', 1, 60),
    readinessProbe: probe('/readyz', 5, 3),
    livenessProbe: probe('/livez', 10, 3),
    terminationMessagePolicy: 'FallbackToLogsOnError',
    securityContext: securityContext(parts),
    ...(mounts.length > 0 ? { volumeMounts: mounts } : {}),
  }
}

const extra = (before: JsonObject, after: JsonObject, list: string): readonly string[] => {
  const own = new Set(objectsAt(after, list).map(nameOf))
  return objectsAt(before, list)
    .map(nameOf)
    .filter((name) => !own.has(name) && !isPluginVolumeName(name))
    .map((name) => `${list} ${name}`)
}

/** What somebody else has put on our container and rendering takes off again; no more than names. */
export const takenFromSidecar = (before: JsonObject, after: JsonObject): readonly string[] => [
  ...Object.keys(before).filter((name) => !Object.hasOwn(after, name)),
  ...extra(before, after, 'env'),
  ...(Object.hasOwn(after, 'volumeMounts') ? extra(before, after, 'volumeMounts') : []),
]
