// All requests of a legacy session that are with the modern server, or wait for their client: by the number that their callers
// know, by the one that the server knows now, and by those of the questions that the client is asked.

import { ok } from '../../shared/result.ts'
import type { Budget } from '../bytes/budget.ts'
import { errorType, idEdit } from '../conversation/answer.ts'
import { InFlight } from '../conversation/in-flight.ts'
import type { Fault } from '../mcp/faults.ts'
import {
  member,
  nameOf,
  slice,
  valueAt,
  type Notification,
  type Request,
  type Response,
} from '../mcp/message.ts'
import { ownNumberInAnySpelling } from '../mcp/own-id.ts'
import { mirroredHeaders } from '../mcp/param-headers.ts'
import { rewrite, type Edited } from '../mcp/rewrite.ts'
import type { Mirrored, Tools } from '../modern/tools.ts'
import { NO_HEADERS, type Envelope, type Link } from '../server/link.ts'
import type { Capabilities } from '../translation/capabilities.ts'
import { readAgain } from '../translation/own-text.ts'
import { legacyAnswer } from './legacy-answer.ts'
import { modernHeaders, modernText } from './modern-request.ts'
import { Passage, type Way } from './passage.ts'

export const CANCELLED = 'notifications/cancelled'

/** What its tools mirror has changed since it was asked. */
const HEADERS_REFUSED = -32_020

/** Of what is kept for sessions here; the other half is for calls that wait for their turn, or a process. */
export const hasRoomFor = (budget: Budget, bytes: number): boolean =>
  budget.of('calls') + bytes <= budget.mostOf('calls') / 2

export interface PassagesOptions {
  readonly inner: Link
  readonly nextId: () => number
  readonly budget: Budget
  readonly tools: Tools
  /** What the client has said of itself. */
  readonly client: { readonly envelope: string; readonly capabilities: Capabilities }
  /** Puts a question to the client, in the course of the call with this number. */
  readonly ask: (question: Request, callersId: number) => void
  /** The client need not answer the question with this number. */
  readonly takeBack: (id: number) => void
  /** The request is answered with an error: why it cannot be completed. */
  readonly refuse: (callersId: number, why: string) => void
  /** The same of one that could not be sent. */
  readonly fail: (callersId: number, why: string) => void
}

export class Passages {
  private readonly options: PassagesOptions
  private readonly way: Way
  private readonly all = new InFlight<Passage>()
  private readonly asking = new Map<number, Passage>()

  constructor(options: PassagesOptions) {
    this.options = options
    const { nextId, client, budget } = options
    this.way = {
      terms: {
        nextId,
        get capabilities() {
          return client.capabilities
        },
      },
      send: (passage, asked, params) => this.dispatch(passage, asked, params),
      mayKeep: (bytes) => hasRoomFor(budget, bytes),
      ask: (passage, id, request) => {
        this.asking.set(id, passage)
        options.ask(request, passage.id)
      },
      takeBack: (id) => {
        if (this.asking.delete(id)) options.takeBack(id)
      },
      fail: (passage, why) => {
        this.end(passage)
        options.refuse(passage.id, why)
      },
    }
  }

  begin(asked: Edited, id: number, headers: Envelope['headers']): Fault | undefined {
    const { method } = asked.request
    const passage = new Passage(
      { id, method, headers },
      this.way,
      this.options.budget.lease('calls'),
    )
    this.all.add(passage)
    const unsent = passage.begin(asked)
    if (unsent) this.end(passage)
    return unsent
  }

  /** By which number its caller knows what the server knows by this one. */
  callersId(id: number | undefined): number | undefined {
    return id === undefined ? undefined : this.sent(id)?.id
  }

  /** Nobody waits for it any more; false where there is no such request. */
  abandon(callersId: number): boolean {
    const passage = this.known(callersId)
    if (passage) this.end(passage)
    return passage !== undefined
  }

  /** It is with the server no more, and has no answer; by which number its caller knows it. */
  failed(id: number): number | undefined {
    const passage = this.sent(id)
    if (passage) this.end(passage)
    return passage?.id
  }

  /** The client's answer to what it was asked. */
  told(response: Response): void {
    const id = response.id && ownNumberInAnySpelling(slice(response.text, response.id))
    const passage = id === undefined ? undefined : this.asking.get(id)
    if (id === undefined || !passage) return
    this.asking.delete(id)
    passage.told(id, response)
  }

  /** The client gives a request up: the server hears so by the number that it knows. */
  cancelled({ text, params }: Notification): void {
    const place = member(params, 'requestId')
    const id = place && ownNumberInAnySpelling(slice(text, place))
    const serverId = id === undefined ? undefined : this.known(id)?.serverId
    if (!place || serverId === undefined) return
    const edit = { start: place.start, end: place.end, text: `${serverId}` }
    this.options.inner.send(rewrite(text, [edit]), NO_HEADERS)
  }

  /** An answer of the server's as its caller is to have it; undefined where it is none, or not the last. */
  answer(id: number, response: Response): Response | undefined {
    const passage = this.sent(id)
    // What answers nothing that is with the server may name a request whose client is asked: it is no answer to that.
    if (!passage) return this.known(id) ? undefined : response
    passage.serverId = undefined
    this.options.inner.abandon(id)
    if (Number(errorType(response)) === HEADERS_REFUSED) this.options.tools.changed()
    if (!passage.isAnsweredBy(response)) return undefined
    this.end(passage)
    const told = legacyAnswer(passage.method, response)
    if (id === passage.id) return told
    const again = readAgain(rewrite(told.text, [idEdit(told, `${passage.id}`)]))
    return again?.kind === 'response' ? again : undefined
  }

  /** The server has gone, and whoever waits hears of it from somebody else. */
  close(): void {
    this.asking.clear()
    for (const passage of this.all.take()) passage.end()
  }

  private known(id: number): Passage | undefined {
    return this.all.find((passage) => passage.id === id)
  }

  /** The one that the server has by this number. */
  private sent(id: number): Passage | undefined {
    return this.all.find((passage) => passage.serverId === id)
  }

  private dispatch(passage: Passage, asked: Edited, params: string | undefined): Fault | undefined {
    const id = passage.serverId
    if (id === undefined) return undefined
    const { request } = asked
    const mirrored = this.mirrored(passage, request)
    const send = (found: Mirrored): Fault | undefined =>
      found.ok
        ? this.send(passage, id, { asked, params, own: headersFor(request, found.value) })
        : found.error
    if (!(mirrored instanceof Promise)) return send(mirrored)
    void mirrored.then((found) => {
      const unsent = passage.serverId === id ? send(found) : undefined
      if (!unsent) return
      this.end(passage)
      this.options.fail(passage.id, unsent.message)
    })
    return undefined
  }

  private send(passage: Passage, id: number, { asked, params, own }: Sending): Fault | undefined {
    const { inner, client } = this.options
    const more = params === undefined ? {} : { params }
    return inner.send(modernText(asked, { id, meta: client.envelope, ...more }), {
      id,
      headers: () => ({ ...passage.headers(), ...modernHeaders(asked.request), ...own }),
    })
  }

  /** Which of a tool's arguments the server wants in headers: a pipe has none. */
  private mirrored({ headers }: Passage, request: Request): Mirrored | Promise<Mirrored> {
    const { inner, tools } = this.options
    const name = request.method === 'tools/call' ? nameOf(request) : undefined
    if (inner.port === undefined || name === undefined) return ok([])
    return tools.headersOf(name, undefined, headers === NO_HEADERS.headers ? undefined : headers)
  }

  private end(passage: Passage): void {
    const { serverId } = passage
    if (this.all.delete(passage) && serverId !== undefined) this.options.inner.abandon(serverId)
    passage.end()
  }
}

interface Sending {
  readonly asked: Edited
  readonly params: string | undefined
  /** Further headers. */
  readonly own: Readonly<Record<string, string>>
}

const headersFor = (
  { text, params }: Request,
  declared: Parameters<typeof mirroredHeaders>[0],
): Readonly<Record<string, string>> =>
  declared.length === 0 ? {} : mirroredHeaders(declared, valueAt(text, member(params, 'arguments')))
