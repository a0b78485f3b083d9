// The document that tells the sidecar what to be, made from the resolved settings and the pod. Pure.

import { annotation, KEYS, type Key } from '../../shared/annotations.ts'
import { BIN_DIR, POLICY_DIR, POLICY_KEY, RUN_DIR } from '../../shared/names.ts'
import type { SidecarDocument } from '../../shared/sidecar-config.ts'
import type { ClusterConfig } from '../cluster/config.ts'
import { stringAt, type JsonObject } from '../../shared/json.ts'
import type { Placed } from '../settings/placed.ts'
import { graceSeconds } from './grace.ts'
import { memoryLimitBytes } from './resources.ts'
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

/** The settings that the sidecar reads, where they differ from the table's defaults. */
const settingTexts = (
  placed: ReadonlyMap<Key, Placed>,
  transport: Transport,
): Record<string, string> => {
  const found = foundTexts(transport)
  return Object.fromEntries(
    KEYS.filter((key) => annotation(key).readBy !== 'webhook').flatMap((key) => {
      const text = found[key] ?? placed.get(key)?.text
      return text === undefined || text === annotation(key).default ? [] : [[key, text]]
    }),
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
  readonly transport: Transport
  readonly placed: ReadonlyMap<Key, Placed>
  readonly config: ClusterConfig
}

/** The sidecar's configuration document. */
export const sidecarDocument = (parts: DocumentParts): SidecarDocument => {
  const { pod, server, label, transport, placed, config } = parts
  const isStdio = transport.kind === 'stdio'
  const memory = memoryLimitBytes(server)
  const restarts = stringAt(pod, 'spec', 'restartPolicy') ?? 'Always'
  return {
    settings: settingTexts(placed, transport),
    server: label,
    ...(hasShim(transport) ? { runDir: RUN_DIR, binDir: BIN_DIR } : {}),
    ...(hasShim(transport) && !isStdio ? { isSupervised: true } : {}),
    ...standInsIn(transport),
    // In a cluster the sidecar is called by Service names that nobody knows at admission.
    allowedHosts: ['*'],
    isolation: config.floor.allowAdvisoryIsolation ? 'advisory' : 'require',
    graceSeconds: graceSeconds(pod),
    exitWhenIdle: isStdio && restarts !== 'Always',
    ...(memory === undefined ? {} : { serverMemoryBytes: memory }),
    ...(placed.has('tool-policy') ? { toolPolicy: `${POLICY_DIR}/${POLICY_KEY}` } : {}),
    ...(config.traces === undefined ? {} : { traces: config.traces }),
  }
}
