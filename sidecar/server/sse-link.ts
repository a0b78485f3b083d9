// A server of HTTP+SSE (protocol revision 2024-11-05) as a link: one event stream for all that it says, which begins
// by naming where on its own port it takes messages; each of ours is a POST there. The stream is the session: with it
// both are over, and nothing of it can be taken up again. It is asked for with the first message.

import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Lease } from '../bytes/budget.ts'
import type { Fault } from '../mcp/faults.ts'
import type { ServerEvent } from './event-reader.ts'
import { isEventStream, lineIn, throwAway } from './http-answer.ts'
import type { Envelope, Refusal } from './link.ts'
import { LoopbackLink, type LinkTarget } from './loopback-link.ts'
import { ownPath } from './own-path.ts'

const MAX_URL = 4096
/** How much of a server's words stands in an error. */
const MAX_SHOWN = 200

/** Its path is the event stream's. What follows a notification waits until that is accepted, lest it overtake. */
export interface SseTarget extends LinkTarget {
  /** How long the server may take to say where it takes messages. */
  readonly openTimeoutMs: number
}

/** A message on its way to the server. */
interface Outgoing {
  readonly text: string
  readonly id: number | undefined
  readonly forwarded: Readonly<Record<string, string>>
  readonly unread: Lease
}

export class SseLink extends LoopbackLink<SseTarget> {
  private stream: ClientRequest | undefined
  /** The caller's own headers, as its last request brought them. */
  private forwarded: Readonly<Record<string, string>> = {}
  /** Where the server takes messages, once it has said. */
  private endpoint: string | undefined
  private late: NodeJS.Timeout | undefined
  /** Messages that wait for the endpoint, or behind a notification that has not been accepted. */
  private waiting: Outgoing[] = []
  private readonly posts = new Set<ClientRequest>()
  /** Those of requests that the server has not accepted yet: some answer on the stream, and never to the POST. */
  private readonly unaccepted = new Map<number, ClientRequest>()
  /** The notification that the server has not accepted yet. */
  private accepting: ClientRequest | undefined

  send(text: string, { id, headers }: Envelope): Fault | undefined {
    // Its end has been told, with the reason.
    if (this.isEnded) return undefined
    const unread = this.unread(text, this.posts.size + this.waiting.length)
    if (!unread.ok) return unread.error
    if (id !== undefined) this.forwarded = headers()
    if (!this.stream) this.listen()
    this.waiting.push({ text, id, unread: unread.value, forwarded: this.forwarded })
    this.sendOn()
    return undefined
  }

  abandon(id: number): void {
    const at = this.waiting.findIndex((outgoing) => outgoing.id === id)
    for (const { unread } of at === -1 ? [] : this.waiting.splice(at, 1)) unread.release()
    this.letGo(id)
  }

  close(): void {
    this.finish({ message: 'the session with the server was closed' })
  }

  private listen(): void {
    const { loopback, path, openTimeoutMs } = this.target
    const headers = { ...this.forwarded, accept: 'text/event-stream' }
    const stream = loopback.request({ method: 'GET', path, headers, isLasting: true })
    this.stream = stream
    this.late = setTimeout(
      () => this.gone(`the server did not say within ${openTimeoutMs} ms where it takes messages`),
      openTimeoutMs,
    )
    stream.on('response', (response) => {
      if (response.statusCode === 200 && isEventStream(response)) this.read(response)
      else this.refused(response)
    })
    stream.on('error', (error) => this.gone(loopback.sentence(error)))
    stream.end()
  }

  private read(response: IncomingMessage): void {
    this.events(
      response,
      (event) => this.event(event),
      (_events, why) =>
        this.gone(why ?? 'the server has ended its event stream, and with it the session'),
    )
  }

  private refused(response: IncomingMessage): void {
    const { path } = this.target
    this.whole(response, (_line, { why, refusal }) =>
      this.gone(`no event stream at ${path}: ${why}`, refusal),
    )
  }

  private event({ type, data }: ServerEvent): void {
    if (type === 'endpoint') this.opened(data.toString())
    // Which request it belongs to, only its own words say.
    else if (type === 'message') this.hear(lineIn(data), undefined)
  }

  /** Nothing that the server says to this request's POST matters any more. */
  private letGo(id: number): void {
    const sent = this.unaccepted.get(id)
    this.unaccepted.delete(id)
    sent?.destroy()
  }

  private opened(url: string): void {
    if (this.endpoint !== undefined) return
    if (url.length <= MAX_URL) {
      this.endpoint = ownPath(url, { path: this.target.path, port: this.port })
    }
    if (this.endpoint === undefined) {
      const shown = JSON.stringify(url.slice(0, MAX_SHOWN))
      this.gone(
        `the server takes messages at ${shown}, which is not its own port ${this.port} by the name of localhost: nothing is sent there`,
      )
      return
    }
    clearTimeout(this.late)
    this.sendOn()
  }

  /** Sends what may go: nothing before the endpoint is known, nothing past a notification that is on its way. */
  private sendOn(): void {
    while (this.endpoint !== undefined && !this.accepting) {
      const next = this.waiting.shift()
      if (!next) return
      this.post(next, this.endpoint)
    }
  }

  private post({ text, id, unread, forwarded }: Outgoing, path: string): void {
    const { loopback, acceptTimeoutMs } = this.target
    const body = Buffer.from(text, 'latin1')
    const isOneWay = id === undefined
    const sent = loopback.request({
      method: 'POST',
      path,
      headers: {
        ...forwarded,
        'content-type': 'application/json',
        'content-length': `${body.length}`,
      },
    })
    const late = isOneWay ? setTimeout(() => sent.destroy(), acceptTimeoutMs) : undefined
    this.posts.add(sent)
    if (isOneWay) this.accepting = sent
    else this.unaccepted.set(id, sent)
    sent.on('response', (response) => {
      if (!isOneWay) this.unaccepted.delete(id)
      this.accepted(sent)
      this.answered(response, id)
    })
    sent.on('error', (error) => {
      // One that was let go has no answer to wait for.
      if (isOneWay || this.unaccepted.delete(id)) this.broken(id, error)
    })
    sent.on('finish', () => unread.release())
    sent.on('close', () => {
      clearTimeout(late)
      this.posts.delete(sent)
      unread.release()
      this.accepted(sent)
    })
    sent.end(body)
  }

  private accepted(sent: ClientRequest): void {
    if (this.accepting !== sent) return
    this.accepting = undefined
    this.sendOn()
  }

  /** What the server answers to a POST says no more than whether it has taken it. */
  private answered(response: IncomingMessage, id: number | undefined): void {
    const status = response.statusCode ?? 0
    if (status >= 200 && status < 300) throwAway(response)
    else {
      this.whole(response, (_line, { why, refusal }) => {
        if (status === 404) this.gone('the server has ended its session')
        else this.failed(id, why, refusal)
      })
    }
  }

  protected override gone(message: string, refusal?: Refusal): void {
    this.finish({ message, code: 'server-failed', refusal })
  }

  protected override stop(): void {
    clearTimeout(this.late)
    this.stream?.destroy()
    for (const { unread } of this.waiting) unread.release()
    this.waiting = []
    for (const sent of this.posts) sent.destroy()
  }
}
