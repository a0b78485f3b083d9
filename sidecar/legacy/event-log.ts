// The events of one session's streams, kept for Last-Event-ID (2025-11-25, transports: resumability) and for a stream
// that nobody reads just now. Bounded by count and bytes, in a session and in all of them together; the
// oldest of the session go first, and who asks for them then gets what is left of its stream.

export interface LoggedEvent {
  readonly id: string
  readonly stream: number
  readonly sequence: number
  readonly text: string
}

const MAX_EVENTS = 256
const MAX_BYTES = 1024 * 1024
/** All sessions together, bytes; beyond it a session keeps its newest event only. */
const MAX_TOTAL_BYTES = 32 * 1024 * 1024
const EVENT_ID = /^(\d{1,9})-(\d{1,9})$/

/** What all sessions of one sidecar keep together. */
export class EventBudget {
  bytes = 0
}

export class EventLog {
  private readonly budget: EventBudget
  private events: LoggedEvent[] = []
  private bytes = 0
  private sequence = 0

  constructor(budget = new EventBudget()) {
    this.budget = budget
  }

  /** Numbers the event and keeps it while there is room. Ids are unique in the session and name their stream. */
  append(stream: number, text: string): LoggedEvent {
    const sequence = ++this.sequence
    const event = { id: `${stream}-${sequence}`, stream, sequence, text }
    this.events.push(event)
    this.grow(text.length)
    while (this.events.length > MAX_EVENTS || (this.events.length > 1 && this.isFull)) {
      this.grow(-(this.events.shift()?.text.length ?? 0))
    }
    return event
  }

  /** What a stream has had since an event of its own, by sequence number. */
  since(stream: number, sequence: number): readonly LoggedEvent[] {
    return this.events.filter((event) => event.stream === stream && event.sequence > sequence)
  }

  /** Forgets everything. */
  clear(): void {
    this.grow(-this.bytes)
    this.events = []
  }

  private get isFull(): boolean {
    return this.bytes > MAX_BYTES || this.budget.bytes > MAX_TOTAL_BYTES
  }

  private grow(bytes: number): void {
    this.bytes += bytes
    this.budget.bytes += bytes
  }

  /** The place of an event, kept or not; undefined where the id was never one of ours. */
  after(id: string): { readonly stream: number; readonly sequence: number } | undefined {
    const [, stream, sequence] = EVENT_ID.exec(id) ?? []
    if (stream === undefined || Number(sequence) > this.sequence) return undefined
    return { stream: Number(stream), sequence: Number(sequence) }
  }
}
