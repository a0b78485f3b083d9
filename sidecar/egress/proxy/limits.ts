// How much and how long the proxy takes. Nothing else lives here.

export interface Limits {
  /** Connections at once, in all; who comes then is sent away. */
  readonly connections: number
  /** Of one client. */
  readonly connectionsPerClient: number
  /** Connections of whom nobody knows yet; where there are more, the one that has said nothing for longest goes. */
  readonly strangers: number
  /** For whatever stands before a tunnel: who it is, where it goes, and each request's head. */
  readonly headMs: number
  /** For a name and a connection, the parent proxy's answer included. */
  readonly connectMs: number
  /** For the first bytes on a TLS port. */
  readonly helloMs: number
  /** Without a byte either way. */
  readonly idleMs: number
  /** The same where one end has said all that it will say, and between two requests. */
  readonly halfIdleMs: number
  readonly totalMs: number
  readonly headBytes: number
  /** Bytes read and not written yet, of all connections; beyond it goes whoever has not got on for longest. */
  readonly heldBytes: number
}

const MINUTE_MS = 60_000

export const LIMITS: Limits = {
  connections: 1024,
  connectionsPerClient: 256,
  strangers: 64,
  headMs: 10_000,
  connectMs: 10_000,
  helloMs: 10_000,
  idleMs: 60 * MINUTE_MS,
  halfIdleMs: 5 * MINUTE_MS,
  totalMs: 24 * 60 * MINUTE_MS,
  headBytes: 16 * 1024,
  heldBytes: 24 * 1024 * 1024,
}
