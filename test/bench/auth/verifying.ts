// The sidecar that verifies its callers, decides by a policy and counts limits, as the benches start it.

import { fileURLToPath } from 'node:url'
import type { SidecarDocument } from '../../../shared/sidecar-config.ts'
import { OUR_DIST, startSidecar, type Contender, type Started } from '../bridge/contenders.ts'
import type { Tokens } from './tokens.ts'

/** From its source, since its issuers stand on loopback. */
export const SIDECAR = {
  dist: OUR_DIST,
  program: fileURLToPath(new URL('./sidecar.ts', import.meta.url)),
} as const

/** Limits that all hold, far above what is called. */
const SETTINGS = {
  auth: 'oidc',
  'required-scopes': 'mcp',
  'rate-limit': '100000/s',
  'concurrency-limit': '4096',
  'tool-limits': 'echo=100000/s',
  'circuit-breaker': '1000/30s',
} as const

export interface Verifying {
  readonly tokens: Tokens
  /** A policy's file. */
  readonly toolPolicy: string
  /** Of its document, besides. */
  readonly document?: SidecarDocument
}

export const startVerifying = async (
  started: Started,
  { tokens, toolPolicy, document = {} }: Verifying,
): Promise<Contender> => {
  const own = { ...document, issuers: tokens.issuers, toolPolicy }
  const sidecar = await startSidecar({ ...started, ...SIDECAR, settings: SETTINGS, document: own })
  return { ...sidecar, headers: [await tokens.bearer()] }
}
