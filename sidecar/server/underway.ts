// A request that is with the server, as whoever asks sees it who wants to know why the server does something just then.

export interface TriedPlace {
  /** A name, or an address. */
  readonly host: string
  readonly port: number
  readonly verdict: 'allowed' | 'denied' | 'failed' | 'observed'
  readonly why?: string
}

/** What is reached while a call is in flight. */
export interface ReachedMeanwhile {
  /** `isShared`: other calls were in flight with the same process. */
  tried(place: TriedPlace, isShared: boolean): void
  /** From the server, and to it. */
  passed(sentBytes: number, receivedBytes: number, isShared: boolean): void
  /** A member of the call's record, behind a comma. */
  members(): string
}

/** A call that is to be on record. */
export interface OnRecord {
  /** By which other records name it. */
  readonly number: number
  /** Who calls: a member of a record, behind a comma. */
  readonly caller: string
  /** Undefined for most. */
  reached: ReachedMeanwhile | undefined
}

export interface Underway {
  readonly id: number
  readonly method: string
  /** Absent of a request of our own. */
  readonly operation?:
    { readonly kind: { readonly method: string; readonly tool: string } } | undefined
  /** Where records are kept. */
  readonly record?: OnRecord | undefined
}
