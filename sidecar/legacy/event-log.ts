// The events of one session's streams, kept for Last-Event-ID (2025-11-25, transports: resumability). Bounded by
// count and bytes; the oldest go first, and who asks for them then gets what is left of its stream.

export interface LoggedEvent {
  readonly id: string
  readonly stream: number
  readonly sequence: number
  readonly text: string
}

const MAX_EVENTS = 256
const MAX_BYTES = 1024 * 1024
const EVENT_ID = /^(\d{1,9})-(\d{1,9})$/

export class EventLog {
  private events: LoggedEvent[] = []
  private bytes = 0
  private sequence = 0

  /** Numbers the event and keeps it while there is room. Ids are unique in the session and name their stream. */
  append(stream: number, text: string): LoggedEvent {
    const sequence = ++this.sequence
    const event = { id: `${stream}-${sequence}`, stream, sequence, text }
    this.events.push(event)
    this.bytes += text.length
    while (this.events.length > MAX_EVENTS || (this.bytes > MAX_BYTES && this.events.length > 1)) {
      this.bytes -= this.events.shift()?.text.length ?? 0
    }
    return event
  }

  /** What followed an event on its stream; undefined where the id was never one of ours. */
  after(
    id: string,
  ): { readonly stream: number; readonly events: readonly LoggedEvent[] } | undefined {
    const [, stream, sequence] = EVENT_ID.exec(id) ?? []
    if (stream === undefined || Number(sequence) > this.sequence) return undefined
    const events = this.events.filter(
      (event) => event.stream === Number(stream) && event.sequence > Number(sequence),
    )
    return { stream: Number(stream), events }
  }
}
