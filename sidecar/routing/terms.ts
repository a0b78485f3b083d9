// What a sidecar's configuration alone says of its sessions and processes: the terms that both eras go by.

import { randomBytes } from 'node:crypto'
import type { SidecarConfig } from '../../shared/sidecar-config.ts'
import type { Vetting } from '../conversation/vetting.ts'
import { forwarded } from '../http/forwarded.ts'
import type { Passes } from '../telemetry/trace.ts'

/** Every open stream hears from us at least this often. */
export const KEEP_ALIVE_MS = 15_000

interface Parts {
  readonly config: SidecarConfig
  readonly keepAliveMs?: number
  readonly now: () => number
  /** What the server's words are held against; undefined where there is nothing. */
  readonly vetting: () => Vetting | undefined
  /** Undefined where nothing is traced. */
  readonly tracing: () => Passes | undefined
  /** Absent where there is one replica alone: then an id says nothing. */
  readonly replicas?: { readonly newSessionId: () => string | undefined } | undefined
}

const counter = (): (() => number) => {
  let last = 0
  return () => ++last
}

/** What the configuration alone decides about sessions and processes. */
export const termsOf = ({
  config: { settings, exitWhenIdle },
  keepAliveMs,
  now,
  vetting,
  tracing,
  replicas,
}: Parts) => ({
  now,
  vetting,
  tracing,
  model: settings['process-model'],
  nextId: counter(),
  newSessionId: (): string => replicas?.newSessionId() ?? randomBytes(24).toString('base64url'),
  endsListeners: exitWhenIdle,
  maxConcurrentCalls: settings['max-concurrent-calls'],
  forwarded: forwarded(settings['forward-headers']),
  requestTimeoutMs: settings['request-timeout'],
  startupTimeoutMs: settings['startup-timeout'],
  idleTimeoutMs: settings['idle-timeout'],
  clientTimeoutMs: settings['client-timeout'],
  keepAliveMs: keepAliveMs ?? KEEP_ALIVE_MS,
})
