// A server in memory that the sidecar asks by itself: what it answers is a test's to say, and to change.

import { isObject, stringAt, type JsonObject } from '../../shared/json.ts'
import { Channel } from '../../sidecar/conversation/channel.ts'
import type { Checked } from '../../sidecar/conversation/vetting.ts'
import type { Fault } from '../../sidecar/mcp/faults.ts'
import type { Request } from '../../sidecar/mcp/message.ts'
import { FakeLink } from './fake-link.ts'
import { keptRemarks } from './kept-remarks.ts'
import { aRequest } from './messages.ts'

/** The result that the server answers with; undefined: nothing yet, a text: an error. */
export type Answers = (method: string, params: JsonObject) => object | string | undefined

export interface AskedServer {
  answers: Answers
  nowMs: number
  readonly now: () => number
  readonly channel: Channel
  /** The lists that it was asked for, by method and cursor. */
  readonly asked: string[]
  /** Why a request is refused, once that is known. */
  settled(
    check: (request: Request) => Checked,
    request: { method: string; params: object },
  ): Promise<Fault | undefined>
}

export const askedServer = (answers: Answers): AskedServer => {
  const link = new FakeLink()
  let nextId = 0
  const channel = new Channel({
    link,
    owner: { serverMessage: () => undefined, ended: () => undefined },
    nextId: () => ++nextId,
    now: () => server.nowMs,
    observe: () => undefined,
    remarks: keptRemarks(),
    isShared: false,
  })
  const answerAll = (): void => {
    for (const text of link.sent.splice(0)) {
      const message: unknown = JSON.parse(text)
      if (!isObject(message)) continue
      const { id, params } = message
      const method = stringAt(message, 'method') ?? ''
      const given = isObject(params) ? params : {}
      server.asked.push(`${method} ${JSON.stringify(given['cursor'] ?? '')}`)
      const answer = server.answers(method, given)
      const said =
        typeof answer === 'string' ? { error: { code: 1, message: answer } } : { result: answer }
      if (answer !== undefined) link.says(JSON.stringify({ jsonrpc: '2.0', id, ...said }))
    }
  }
  const server: AskedServer = {
    answers,
    nowMs: 0,
    now: () => server.nowMs,
    channel,
    asked: [],
    settled: async (check, { method, params }) => {
      const request = aRequest(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }))
      const settled: (Fault | undefined)[] = []
      void Promise.resolve(check(request)).then((fault) => settled.push(fault))
      for (let turns = 0; settled.length === 0 && turns < 2000; turns += 1) {
        answerAll()
        await new Promise((resolve) => setImmediate(resolve))
        if (settled.length === 0 && link.sent.length === 0) {
          server.nowMs += 1000
          channel.sweep(server.nowMs)
        }
      }
      if (settled.length === 0) throw new Error('nobody can tell whether it is refused')
      return settled[0]
    },
  }
  return server
}
