// A client's end of one HTTP exchange that a test reads as slowly as it likes, and breaks off when it likes.

import { request as httpRequest, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import { JSON_HEADERS, type RawHeaders } from './raw-http.ts'
import { until } from './waiting.ts'

export type StreamEvent = { readonly id: string | undefined; readonly data: string }

export type Ask = {
  readonly method?: string
  readonly headers?: RawHeaders
  readonly body?: string
}

/** An answer as it arrives. */
export class EventStream {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly events: StreamEvent[] = []
  comments = 0
  /** The connection is over, in order or not. */
  isEnded = false
  private readonly response: IncomingMessage
  private rest = ''

  constructor(response: IncomingMessage) {
    this.response = response
    this.status = response.statusCode ?? 0
    this.headers = response.headers
    response.on('error', () => undefined)
    response.on('close', () => (this.isEnded = true))
  }

  /** Begins to read; before that nothing is taken off the connection. */
  read(): this {
    this.response.setEncoding('utf8').on('data', (text: string) => this.take(text))
    return this
  }

  /** The next event that carries a message and matches, past ones included. */
  event(matches: (data: string) => boolean = () => true): Promise<StreamEvent> {
    return until(
      () => this.events.find(({ data }) => data !== '' && matches(data)),
      'an event has come',
    )
  }

  ended(): Promise<true> {
    return until(() => this.isEnded, 'the stream has ended').then(() => true)
  }

  /** Hangs up. */
  destroy(): void {
    this.response.destroy()
  }

  private take(text: string): void {
    const blocks = (this.rest + text).split('\n\n')
    this.rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const lines = block.split('\n')
      const field = (name: string): string | undefined =>
        lines.find((line) => line.startsWith(name))?.slice(name.length)
      const data = field('data: ')
      if (data === undefined) this.comments++
      else this.events.push({ id: field('id: '), data })
    }
  }
}

/** Sends a request and gives its answer once the headers are there; it is not read yet. */
export const openStream = async (url: string, ask: Ask): Promise<EventStream> => {
  const { method = 'POST', headers = {}, body } = ask
  const sent = httpRequest(url, {
    method,
    agent: false,
    headers: {
      ...(method === 'POST' ? JSON_HEADERS : { accept: 'text/event-stream' }),
      ...headers,
    },
  })
  sent.end(body)
  const [response]: IncomingMessage[] = await once(sent, 'response')
  if (!response) throw new Error('no response')
  return new EventStream(response)
}

/** Sends a request and hangs up as soon as it is on its way. */
export const sendAndLeave = (url: string, body: string, headers: RawHeaders = {}): Promise<void> =>
  new Promise((resolve) => {
    const sent = httpRequest(url, {
      method: 'POST',
      agent: false,
      headers: { ...JSON_HEADERS, ...headers },
    })
    sent.on('error', () => resolve())
    sent.on('close', () => resolve())
    sent.end(body, () => sent.destroy())
  })
