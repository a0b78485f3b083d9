// What one session hears of changes: one `subscriptions/listen` with all that its client has subscribed to and all lists that
// its server tells of. Another takes its place where that has become more or less; the one before is heard until then.

import type { Lease } from '../bytes/budget.ts'
import type { Caller } from '../conversation/call.ts'
import { errorType } from '../conversation/answer.ts'
import { isObject } from '../../shared/json.ts'
import type { Fault } from '../mcp/faults.ts'
import { member, valueAt, type Notification, type Request, type Response } from '../mcp/message.ts'
import { SUBSCRIBE } from '../mcp/meta.ts'
import { ownRequest } from '../mcp/own-request.ts'
import type { Kinds } from './greeting.ts'

const MAX_URIS = 256
/** All of them go with each change of one. */
const MAX_BYTES = 32 * 1024
const MAX_URI_LENGTH = 4096
/** What a uri takes beside its text. */
const URI_BYTES = 128
/** How long the server may take to say that it listens. */
const PATIENCE_MS = 10_000
const FIRST_PAUSE_MS = 1000
const MAX_PAUSE_MS = 60_000
export const ACKNOWLEDGED = 'notifications/subscriptions/acknowledged'
/** The server does not know what it is asked for: it will not know it later. */
const REFUSED: ReadonlySet<string> = new Set(['-32601', '-32602'])

export interface ListeningOptions {
  /** Begins it; by which number. */
  readonly listen: (request: Request, caller: Caller) => number
  readonly giveUp: (id: number) => void
  readonly schedule: (callback: () => void, delayMs: number) => () => void
  /** Nobody has listened for a while: tells of what may have changed, methods and resources. */
  readonly missed: (methods: readonly string[], uris: readonly string[]) => void
  /** Whether there is room for so much more of what is kept for sessions. */
  readonly mayKeep: (bytes: number) => boolean
  /** For what its client has subscribed to. */
  readonly lease: Lease
}

/** Hears whether a subscription holds: why not, where it does not. */
export type Told = (wrong: string | undefined) => void

interface Stream {
  id: number
  readonly uris: readonly string[]
}

export class Listening {
  private readonly options: ListeningOptions
  private kinds: Kinds = {}
  private readonly uris = new Set<string>()
  private readonly waiting = new Map<string, Set<Told>>()
  /** Those who have taken a subscription back, and may still hear of it. */
  private readonly leaving = new Set<Told>()
  /** What is heard. */
  private current: Stream | undefined
  /** What takes its place once the server has said that it listens. */
  private next: Stream | undefined
  private isStale = false
  /** What was heard has ended, and nothing has taken its place. */
  private isDeaf = false
  private isEnded = false
  private pauseMs = FIRST_PAUSE_MS
  private unschedule: (() => void) | undefined

  constructor(options: ListeningOptions) {
    this.options = options
  }

  /** Whether the server has not said yet that it listens. */
  get isAsking(): boolean {
    return this.next !== undefined
  }

  begin(kinds: Kinds): void {
    this.kinds = kinds
    this.renew()
  }

  /** Whether what comes by this number is heard. */
  hears(id: number): boolean {
    return this.current?.id === id
  }

  subscribe(uri: string, told: Told): void {
    if (this.current?.uris.includes(uri) && this.uris.has(uri)) {
      told(undefined)
      return
    }
    if (!this.takes(uri)) {
      told('too many subscriptions, or too long a uri')
      return
    }
    this.uris.add(uri)
    this.waiting.set(uri, (this.waiting.get(uri) ?? new Set()).add(told))
    this.renew()
  }

  /** Nobody waits for it any more. */
  forget(told: Told): void {
    this.leaving.delete(told)
    for (const waiting of this.waiting.values()) waiting.delete(told)
  }

  /** Told once nothing of it is heard any more. */
  unsubscribe(uri: string, told: Told): void {
    this.leaving.add(told)
    if (this.uris.has(uri)) {
      this.drop(uri, 'its client has taken it back')
      this.renew()
    }
    this.settleLeaving()
  }

  close(): void {
    this.isEnded = true
    this.unschedule?.()
    this.options.lease.release()
    // The server may still say that it listens, or does not.
    this.current = undefined
    this.next = undefined
    this.uris.clear()
    this.waiting.clear()
    this.leaving.clear()
  }

  private takes(uri: string): boolean {
    if (this.uris.has(uri)) return true
    const { lease, mayKeep } = this.options
    const bytes = lease.bytes + bytesOf(uri)
    const isShort = uri.length <= MAX_URI_LENGTH && bytes <= MAX_BYTES
    return isShort && this.uris.size < MAX_URIS && mayKeep(bytesOf(uri)) && lease.keep(bytes)
  }

  private drop(uri: string, wrong: string): void {
    const { lease } = this.options
    if (this.uris.delete(uri)) lease.keep(lease.bytes - bytesOf(uri))
    this.settle(uri, wrong)
  }

  private settle(uri: string, wrong: string | undefined): void {
    const waiting = this.waiting.get(uri)
    this.waiting.delete(uri)
    for (const told of waiting ?? []) told(wrong)
  }

  private settleLeaving(): void {
    if (this.next) return
    const leaving = [...this.leaving]
    this.leaving.clear()
    for (const told of leaving) told(undefined)
  }

  /** Asks for all that is wanted now; once the server has answered what it is asked already. */
  private renew(): void {
    if (this.isEnded) return
    if (this.next) {
      this.isStale = true
      return
    }
    this.unschedule?.()
    this.isStale = false
    const uris = [...this.uris]
    if (uris.length === 0 && Object.keys(this.kinds).length === 0) {
      this.leave(this.current)
      this.current = undefined
      return
    }
    const asked = uris.length === 0 ? {} : { resourceSubscriptions: uris }
    const stream: Stream = { id: 0, uris }
    this.next = stream
    const caller = {
      notice: (_text: string, message: Notification): boolean => this.heard(stream, message),
      answer: (_text: string, response: Response): void =>
        this.over(stream, 'the server has ended it', REFUSED.has(errorType(response) ?? '')),
      fault: ({ message }: Fault): void => this.over(stream, message, false),
    }
    const request = ownRequest(SUBSCRIBE, { notifications: { ...this.kinds, ...asked } })
    stream.id = this.options.listen(request, caller)
    this.unschedule = this.options.schedule(() => this.unheard(stream), PATIENCE_MS)
  }

  private unheard(stream: Stream): void {
    if (this.next !== stream) return
    this.leave(stream)
    this.over(stream, 'the server does not say that it listens', false)
  }

  private heard(stream: Stream, message: Notification): boolean {
    if (message.method === ACKNOWLEDGED && this.next === stream) this.acknowledged(stream, message)
    return true
  }

  private acknowledged(stream: Stream, message: Notification): void {
    this.unschedule?.()
    this.unschedule = this.options.schedule(() => this.lasts(), MAX_PAUSE_MS)
    const before = this.current
    this.current = stream
    this.next = undefined
    this.leave(before)
    const honoured = honouredIn(message)
    for (const uri of stream.uris) {
      if (honoured?.has(uri) === false) {
        this.drop(uri, 'the server does not tell of changes of this resource')
      } else this.settle(uri, undefined)
    }
    if (this.isDeaf) this.options.missed(methodsOf(this.kinds), [...this.uris])
    this.isDeaf = false
    if (this.isStale) this.renew()
    this.settleLeaving()
  }

  /** It has been heard for a while: that it ends says nothing about the next. */
  private lasts(): void {
    this.pauseMs = FIRST_PAUSE_MS
  }

  /** What was asked has ended; it is asked again after a while, where it can be otherwise then. */
  private over(stream: Stream, why: string, isRefused: boolean): void {
    if (this.next === stream) {
      this.next = undefined
      for (const uri of stream.uris) if (this.waiting.has(uri)) this.drop(uri, why)
      if (isRefused && !this.current) this.kinds = {}
    } else if (this.current === stream) {
      this.current = undefined
      this.isDeaf = true
    } else return
    if (this.isStale) this.renew()
    else if (!this.current) this.renewLater()
    this.settleLeaving()
  }

  private renewLater(): void {
    if (this.isEnded) return
    this.unschedule?.()
    this.unschedule = this.options.schedule(() => this.renew(), this.pauseMs)
    this.pauseMs = Math.min(this.pauseMs * 2, MAX_PAUSE_MS)
  }

  private leave(stream: Stream | undefined): void {
    if (stream) this.options.giveUp(stream.id)
  }
}

/** What the server says of lists by these words. */
const methodsOf = (kinds: Kinds): readonly string[] =>
  Object.keys(kinds).map(
    (kind) => `notifications/${kind.slice(0, -'ListChanged'.length)}/list_changed`,
  )

const bytesOf = (uri: string): number => uri.length + URI_BYTES

/** Which resources the server tells of; undefined where it does not say. */
const honouredIn = ({ text, params }: Notification): ReadonlySet<unknown> | undefined => {
  const said = valueAt(text, member(params, 'notifications'))
  if (!isObject(said)) return undefined
  const uris: unknown = said['resourceSubscriptions']
  return new Set(Array.isArray(uris) ? uris : [])
}
