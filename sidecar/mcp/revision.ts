// The protocol revisions that we speak and how they differ on the wire. A table, no decisions
// beyond looking it up.

export type Era = 'legacy' | 'modern'

export interface Revision {
  readonly era: Era
  /** JSON-RPC batches may be received (only 2025-03-26 had them). */
  readonly hasBatches: boolean
  /** SSE streams begin with an event that has an id and empty data (SEP-1699). */
  readonly hasPriming: boolean
}

/** The newest legacy revision; what we offer where we ask a legacy server ourselves. */
export const LATEST_LEGACY = '2025-11-25'
export const MODERN = '2026-07-28'
/** What a request without MCP-Protocol-Version is taken for (2025-06-18, transports). */
export const ASSUMED = '2025-03-26'

const REVISIONS: ReadonlyMap<string, Revision> = new Map([
  ['2024-11-05', { era: 'legacy', hasBatches: false, hasPriming: false }],
  ['2025-03-26', { era: 'legacy', hasBatches: true, hasPriming: false }],
  ['2025-06-18', { era: 'legacy', hasBatches: false, hasPriming: false }],
  ['2025-11-25', { era: 'legacy', hasBatches: false, hasPriming: true }],
  ['2026-07-28', { era: 'modern', hasBatches: false, hasPriming: false }],
])

export const revisionOf = (version: string): Revision | undefined => REVISIONS.get(version)

/** The versions we would name to a client that asked for another. */
export const SUPPORTED = [...REVISIONS.keys()]

/** Whether a version names the modern era, also one that is newer than ours (dates sort as text). */
export const isModernVersion = (version: string): boolean =>
  /^\d{4}-\d{2}-\d{2}$/.test(version) && version >= MODERN
