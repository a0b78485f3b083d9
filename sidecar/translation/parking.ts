// Calls that wait for what their client has been asked, each with its process: few of one caller, and not for long.

import { fail, ok, type Result } from '../../shared/result.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import { member, stringAt, type Request } from '../mcp/message.ts'
import { digestOf, mintState, readState } from './request-state.ts'

/** Most of one caller. */
const MOST = 8
/** Nobody waits longer, whatever the setting says: a process is held meanwhile. */
const MAX_WAIT_MS = 600_000

/** A call that waits, with its process. */
export interface Parked {
  /** Whose it is. */
  readonly principal: string
  /** What was asked. */
  readonly digest: string
  /** Whether the tool policy denies its caller everything. */
  readonly isBlocked: boolean
  /** The server hears what of its questions may not be put any more. */
  denyQuestions(): void
  /** Somebody takes it up. */
  resuming(): void
  /** Nobody will take it up: its time is up, or it is ended. */
  lapse(why: 'timeout' | 'cancelled'): void
}

interface Entry<T> {
  readonly parked: T
  readonly untilMs: number
}

export interface ParkingOptions {
  readonly now: () => number
  /** Nobody can guess one. */
  readonly newSessionId: () => string
  /** Signs what goes through clients. */
  readonly secret: Buffer
  /** How long a client has to answer. */
  readonly clientTimeoutMs: number
}

const unknownState = (): Fault =>
  fault(
    'invalid-params',
    'params.requestState: it is not ours, has been used or has expired, or another request got it; send the request without it',
  )

export class Parking<T extends Parked> {
  private readonly options: ParkingOptions
  /** By handle, the oldest first. */
  private readonly entries = new Map<string, Entry<T>>()

  constructor(options: ParkingOptions) {
    this.options = options
  }

  get size(): number {
    return this.entries.size
  }

  /** Whether one more of this caller's may wait. */
  hasRoom(principal: string): boolean {
    let count = 0
    for (const { parked } of this.entries.values()) if (parked.principal === principal) count += 1
    return count < MOST
  }

  /** The `requestState` by which it is taken up. */
  park(parked: T): string {
    const { now, newSessionId, secret, clientTimeoutMs } = this.options
    const handle = newSessionId()
    const untilMs = Math.ceil(now() + Math.min(clientTimeoutMs, MAX_WAIT_MS))
    this.entries.set(handle, { parked, untilMs })
    return mintState(secret, handle, untilMs, parked)
  }

  /** What a request takes up; each state is good for once. */
  take(request: Request, principal: string): Result<T, Fault> {
    const { secret, now } = this.options
    const state = stringAt(request.text, member(request.params, 'requestState'))
    const bound = { principal, digest: digestOf(request) }
    const handle = state === undefined ? undefined : readState(secret, state, now(), bound)
    const entry = handle === undefined ? undefined : this.entries.get(handle)
    if (handle === undefined || !entry) return fail(unknownState())
    this.entries.delete(handle)
    entry.parked.resuming()
    return ok(entry.parked)
  }

  /** It does not wait any more. */
  forget(parked: T): void {
    for (const [handle, entry] of this.entries) {
      if (entry.parked === parked) this.entries.delete(handle)
    }
  }

  sweep(nowMs: number): void {
    for (const [handle, { parked, untilMs }] of this.entries) {
      if (nowMs < untilMs) continue
      this.entries.delete(handle)
      parked.lapse('timeout')
    }
  }

  /** The tool policy has changed: ends those of callers whom it denies everything, and what questions it denies. */
  endBlocked(): void {
    this.end(({ isBlocked }) => isBlocked)
    for (const { parked } of this.entries.values()) parked.denyQuestions()
  }

  close(): void {
    this.end(() => true)
  }

  private end(isMeant: (parked: T) => boolean): void {
    for (const [handle, { parked }] of this.entries) {
      if (!isMeant(parked)) continue
      this.entries.delete(handle)
      parked.lapse('cancelled')
    }
  }
}
