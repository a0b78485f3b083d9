// What the proxy tells of what passes through it, and to whom it belongs. Types alone.

import type { Why } from '../reach/why.ts'

/** By which door a connection came. */
export type How = 'connect' | 'http' | 'socks' | 'forward'

/** Whose connection it is. */
export interface Client {
  /** Connections are counted by it. */
  readonly key: string
  /** Whether its session has moved all the bytes that it may. */
  overBudget(): boolean
}

/** What a connection names itself by. */
export interface Credential {
  readonly name: string
  readonly secret: string
}

export type Verdict = 'allowed' | 'denied' | 'failed' | 'observed'

/** What became of an attempt. */
export interface Settled {
  readonly how: How
  /** The name, or the address, as it was asked for, in one spelling; of what is neither, what of it can be shown. */
  readonly host: string
  /** 0 where none was named. */
  readonly port: number
  /** Where the connection went; the parent proxy's own address is not told. */
  readonly address?: string | undefined
  /** The destination that is about it, as it is declared. */
  readonly rule?: string | undefined
  readonly verdict: Verdict
  /** Of all but `allowed`; of `observed`, why it would have been denied. */
  readonly why?: Why | undefined
  /** Of the same: a sentence that says what to do, as the child was told it where its protocol has room. */
  readonly words?: string | undefined
}

/** Why a connection ended that the proxy has ended itself. */
export type Cut = 'idle' | 'total' | 'bytes' | 'memory' | 'closing' | Why

/** One attempt to reach something: a tunnel, or one request. */
export interface Attempt {
  /** Once, before `ended`; where the server speaks first, bytes may have passed by then. */
  settled(outcome: Settled): void
  /** So many more have passed, to the destination and from it. */
  bytes(up: number, down: number): void
  /** Once: with a reason where the proxy has ended it. */
  ended(cut?: Cut): void
}

/** Why somebody whom nobody knows was sent away. */
export type Stranger = 'no-credential' | 'unknown-credential' | 'no-protocol' | 'late' | 'crowd'

export interface EgressWatch {
  /** Undefined where it could not be put on record: then nothing is reached. */
  attempt(client: Client): Attempt | undefined
  /** Somebody without a credential that is known, who was told nothing. */
  stranger(why: Stranger): void
}
