// A legacy client's request on its way through a modern server, over as many rounds as that takes: what the server asks for
// in the place of an answer the client is asked, and what it says goes to the server with the same request anew. The server
// keeps nothing meanwhile.

import type { Lease } from '../bytes/budget.ts'
import { costOf } from '../conversation/cost.ts'
import { saidIn } from '../conversation/answer.ts'
import type { Fault } from '../mcp/faults.ts'
import { slice, type Request, type Response } from '../mcp/message.ts'
import type { Edited } from '../mcp/rewrite.ts'
import type { Envelope } from '../server/link.ts'
import { apart, jsonText } from '../translation/own-text.ts'
import { broughtText, requiredIn, resultTypeOf, type Terms } from './input-required.ts'

/** What one request may ask for before it is answered: a server could go on for ever. */
const MAX_ROUNDS = 64
const NO_ROOM = 'there is no room for what the server asks'

/** What a server may ask for something for (2026-07-28, multi round-trip requests). */
const MAY_ASK: ReadonlySet<string> = new Set(['tools/call', 'prompts/get', 'resources/read'])

/** Where it goes, and where its questions go. */
export interface Way {
  readonly terms: Terms
  /** Under the number that it has then, with these members of its parameters. */
  readonly send: (passage: Passage, asked: Edited, params: string | undefined) => Fault | undefined
  /** Whether there is room for so much more that is kept while a call is under way. */
  readonly mayKeep: (bytes: number) => boolean
  /** Puts a question to the client. */
  readonly ask: (passage: Passage, id: number, request: Request) => void
  /** The client need not answer it any more. */
  readonly takeBack: (id: number) => void
  /** It has failed for this reason. */
  readonly fail: (passage: Passage, why: string) => void
}

interface Open {
  /** What the server calls it, JSON text. */
  readonly key: string
  readonly method: string
  /** What the client has said, JSON text; undefined until then. */
  answer: string | undefined
}

const NOTHING_OPEN: ReadonlyMap<number, Open> = new Map()

const isObjectText = (text: string): boolean => text.startsWith('{')

export class Passage {
  /** By which whoever waits for the answer knows it. */
  readonly id: number
  readonly method: string
  readonly headers: Envelope['headers']
  /** By which the server has it; undefined while the client is asked. */
  serverId: number | undefined
  private readonly way: Way
  /** Kept where the server may ask for something first. */
  private asked: Edited | undefined
  /** For its text, and for what the client says; without room nobody is asked. */
  private readonly lease: Lease
  private open = NOTHING_OPEN
  private state: string | undefined
  private rounds = 0

  constructor({ id, method, headers }: Identity, way: Way, lease: Lease) {
    this.id = id
    this.method = method
    this.headers = headers
    this.way = way
    this.lease = lease
  }

  begin(asked: Edited): Fault | undefined {
    const { request } = asked
    const isKept = MAY_ASK.has(request.method) && this.keeps(costOf(request))
    if (isKept) this.asked = asked
    this.serverId = this.id
    return this.way.send(this, asked, undefined)
  }

  /** Whether that was the answer; else the server asks for something first, or says what nobody understands. */
  isAnsweredBy(response: Response): boolean {
    const type = resultTypeOf(response)
    if (type === undefined) return true
    this.serverId = undefined
    if (type === 'input_required') this.required(response)
    else this.way.fail(this, `its resultType is none that the client's revision knows`)
    return false
  }

  /** The client has answered a question. */
  told(id: number, response: Response): void {
    const question = this.open.get(id)
    if (!question || question.answer !== undefined) return
    const { text, result, error } = response
    const said = result && slice(text, result)
    if (error) {
      this.way.fail(this, `${question.method} was answered with an error: ${saidIn(response)}`)
    } else if (said === undefined || !isObjectText(said)) {
      this.way.fail(this, `${question.method} was answered with no object`)
    } else if (!this.keeps(said.length)) {
      this.way.fail(this, 'there is no room for what the client says')
    } else {
      question.answer = apart(said)
      this.goOn()
    }
  }

  asks(id: number): boolean {
    return this.open.has(id)
  }

  /** It is over, whoever has ended it. */
  end(): void {
    const { open } = this
    this.asked = undefined
    this.state = undefined
    this.serverId = undefined
    this.open = NOTHING_OPEN
    this.lease.release()
    for (const [id, { answer }] of open) if (answer === undefined) this.way.takeBack(id)
  }

  private keeps(bytes: number): boolean {
    return this.way.mayKeep(bytes) && this.lease.keep(this.lease.bytes + bytes)
  }

  private required(response: Response): void {
    const required = requiredIn(response, this.way.terms)
    if (!required.ok) this.way.fail(this, required.error)
    else if (!this.asked) this.way.fail(this, NO_ROOM)
    else if (++this.rounds > MAX_ROUNDS) {
      this.way.fail(this, `the server asks for something for more than ${MAX_ROUNDS} times`)
    } else {
      const { questions, state } = required.value
      const bytes = questions.reduce((sum, { key }) => sum + key.length, state?.length ?? 0)
      if (!this.keeps(bytes)) {
        this.way.fail(this, NO_ROOM)
        return
      }
      this.state = state
      const opened = questions.map(({ id, key, request: { method } }) => {
        return [id, { key: jsonText(key), method, answer: undefined }] as const
      })
      this.open = new Map<number, Open>(opened)
      for (const { id, request } of questions)
        if (this.open.has(id)) this.way.ask(this, id, request)
      this.goOn()
    }
  }

  /** Once all is answered the server is asked anew. */
  private goOn(): void {
    const answers: (readonly [string, string])[] = []
    for (const { key, answer } of this.open.values()) {
      if (answer === undefined) return
      answers.push([key, answer])
    }
    const { asked, state } = this
    if (this.serverId !== undefined || !asked) return
    // What the server has it has; no more than is counted is kept.
    this.open = NOTHING_OPEN
    this.state = undefined
    this.lease.keep(costOf(asked.request))
    this.serverId = this.way.terms.nextId()
    const unsent = this.way.send(this, asked, broughtText(answers, state))
    if (unsent) this.way.fail(this, unsent.message)
  }
}

interface Identity {
  readonly id: number
  readonly method: string
  readonly headers: Envelope['headers']
}
