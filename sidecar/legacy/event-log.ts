// The events of one session's streams, kept for Last-Event-ID (2025-11-25, transports: resumability) and for a stream
// that nobody reads just now. Bounded by count and bytes, in a session and, by the budget, in all of them together; the
// oldest of the session go first, or of the session that keeps most. Who asks for them then gets what is left, and in their
// place a log line that says so: clients that are refused a stream give it up, and its answer with it. Answers go last, and
// leave an error for their request: nobody waits for one that will never come.

import type { Budget, Lease } from '../bytes/budget.ts'
import { fault, faultText } from '../mcp/faults.ts'

export interface LoggedEvent {
  readonly id: string
  readonly stream: number
  readonly sequence: number
  readonly text: string
  /** Where it is an answer: the text of its request's id. */
  readonly idText: string | undefined
}

const MAX_EVENTS = 256
const MAX_BYTES = 1024 * 1024
/** What an event costs beside its text. */
const EVENT_BYTES = 256
const GONE = fault(
  'no-memory',
  'the answer was kept for whoever comes back for it, and has had to make room; call again',
)
/** What stands in the place of others. */
const LOST =
  '{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"warning","logger":"outrigger","data":"messages of this stream were kept for whoever comes back for them, and have had to make room"}}'
/** Streams of one session of which it is known that something is lost. */
const MAX_LOST = 64
const EVENT_ID = /^(\d{1,9})-(\d{1,9})$/

/** The logs of all sessions together, by how much they keep: the longest is found without looking at all. */
export class Logs {
  readonly budget: Budget
  /** At place n those of 2 to the n-1 up to 2 to the n bytes. */
  private readonly bySize: EventLog[][] = []

  constructor(budget: Budget) {
    this.budget = budget
  }

  /** A log has changed its size. */
  moved(log: EventLog, before: number, after: number): void {
    const [from, to] = [sizeClass(before), sizeClass(after)]
    if (from === to) return
    if (from > 0) this.leave(this.bySize[from] ?? [], log)
    if (to === 0) return
    while (this.bySize.length <= to) this.bySize.push([])
    log.place = (this.bySize[to]?.push(log) ?? 0) - 1
  }

  /** One of the longest, if it is longer than so many bytes whatever its exact size. */
  longest(bytes: number): EventLog | undefined {
    const least = sizeClass(bytes)
    for (let size = this.bySize.length - 1; size > least; size--) {
      const log = this.bySize[size]?.at(-1)
      if (log) return log
    }
    return undefined
  }

  /** The last takes its place: nothing else moves. */
  private leave(logs: EventLog[], { place }: EventLog): void {
    const last = logs.pop()
    if (last === undefined || place === logs.length) return
    last.place = place
    logs[place] = last
  }
}

const sizeClass = (bytes: number): number => (bytes === 0 ? 0 : 32 - Math.clz32(bytes))

export class EventLog {
  /** Among the logs of its size; theirs to set. */
  place = 0
  private readonly logs: Logs
  private readonly lease: Lease
  private events: LoggedEvent[] = []
  private sequence = 0
  /** By stream, the last event that has had to make room. */
  private readonly lost = new Map<number, number>()
  private isClosed = false

  constructor(logs: Logs) {
    this.logs = logs
    this.lease = logs.budget.lease('events')
  }

  /**
   * Numbers the event and keeps it while there is room: an event alone may be as long as the budget allows. Ids are
   * unique in the session and name their stream. `idText`: it answers that request.
   */
  append(stream: number, text: string, idText?: string): LoggedEvent {
    const sequence = ++this.sequence
    const event = { id: `${stream}-${sequence}`, stream, sequence, text, idText }
    if (!this.keep(event)) {
      const gone = goneOf(event)
      if (!gone || !this.keep(gone)) this.note(event)
    }
    return event
  }

  private keep(event: LoggedEvent): boolean {
    const bytes = sizeOf(event)
    while (this.events.length > 0 && !this.hasPlaceFor(bytes)) this.dropOldest()
    const isKept = !this.isClosed && this.grow(bytes)
    if (isKept) this.events.push(event)
    return isKept
  }

  /** What a stream has had since an event of its own, by sequence number. */
  since(stream: number, sequence: number): readonly LoggedEvent[] {
    const kept = this.events.filter((one) => one.stream === stream && one.sequence > sequence)
    const last = this.lost.get(stream) ?? 0
    if (last <= sequence) return kept
    const place = kept.findIndex((one) => one.sequence > last)
    const lost = { id: `${stream}-${last}`, stream, sequence: last, text: LOST, idText: undefined }
    return kept.toSpliced(place === -1 ? kept.length : place, 0, lost)
  }

  /** Forgets everything and keeps nothing any more: a process that ends still faults the calls of a session that has. */
  close(): void {
    this.isClosed = true
    this.events = []
    this.lost.clear()
    this.hold(0)
  }

  private hasPlaceFor(bytes: number): boolean {
    return this.events.length < MAX_EVENTS && this.lease.bytes + bytes <= MAX_BYTES
  }

  /** Makes room among the longer logs, then in this one; false where that is not enough. */
  private grow(bytes: number): boolean {
    while (!this.hold(this.lease.bytes + bytes)) {
      const longer = this.logs.longest(this.lease.bytes + bytes)
      if (!longer && this.events.length === 0) return false
      ;(longer ?? this).dropOldest()
    }
    return true
  }

  /** Of what is no answer the oldest; else an answer becomes the error that it is gone; else the oldest goes. */
  private dropOldest(): void {
    const place = Math.max(0, this.firstToGo())
    const [oldest] = this.events.splice(place, 1)
    if (!oldest) return
    const gone = goneOf(oldest)
    if (gone) this.events.splice(place, 0, gone)
    else this.note(oldest)
    this.hold(this.lease.bytes - sizeOf(oldest) + (gone ? sizeOf(gone) : 0))
  }

  /** Whoever comes back to its stream is told that it is lost; it is nothing where it says nothing. */
  private note({ stream, sequence, text }: LoggedEvent): void {
    if (this.isClosed || text === '') return
    // Answers go last, and may have come first.
    const last = Math.max(sequence, this.lost.get(stream) ?? 0)
    this.lost.delete(stream)
    this.lost.set(stream, last)
    for (const first of this.lost.keys()) if (this.lost.size > MAX_LOST) this.lost.delete(first)
  }

  private firstToGo(): number {
    const place = this.events.findIndex(({ idText }) => idText === undefined)
    return place === -1 ? this.events.findIndex((event) => goneOf(event)) : place
  }

  private hold(bytes: number): boolean {
    const before = this.lease.bytes
    const isHeld = this.lease.keep(bytes)
    if (isHeld) this.logs.moved(this, before, bytes)
    return isHeld
  }

  /** The place of an event, kept or not; undefined where the id was never one of ours. */
  after(id: string): { readonly stream: number; readonly sequence: number } | undefined {
    const [, stream, sequence] = EVENT_ID.exec(id) ?? []
    if (stream === undefined || Number(sequence) > this.sequence) return undefined
    return { stream: Number(stream), sequence: Number(sequence) }
  }
}

/** What an answer leaves, where that is shorter than the answer. */
const goneOf = (event: LoggedEvent): LoggedEvent | undefined => {
  if (event.idText === undefined) return undefined
  const text = faultText(GONE, event.idText)
  return text.length < event.text.length ? { ...event, text } : undefined
}

const sizeOf = ({ text }: LoggedEvent): number => EVENT_BYTES + text.length
