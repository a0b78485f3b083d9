// While a server waits for its client, be it a person who fills in a form: the call's clock stands, for so long and no
// longer, whether or not the server says whose call it asks about.

import { describe, expect, test } from '@jest/globals'
import { Legacy } from '../../../../sidecar/legacy/legacy.ts'
import { aBudget } from '../../../support/budgets.ts'
import { anExchange } from '../../../support/fake-exchange.ts'
import type { FakeLink } from '../../../support/fake-link.ts'
import type { FakeReply } from '../../../support/fake-reply.ts'
import { FakeSource } from '../../../support/fake-source.ts'
import { keptRemarks } from '../../../support/kept-remarks.ts'
import { anAsked } from '../../../support/messages.ts'
import { permitOf } from '../../../support/principals.ts'

const INITIALIZE =
  '{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}'
const CALL = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}'
const ELICIT = '{"jsonrpc":"2.0","id":"q","method":"elicitation/create","params":{}}'
/** Our id of the call. */
const OURS = 102
const WAIT_MS = 60_000
const A = permitOf('https://issuer.example a')

const result = (id: number | string, value = '{}'): string =>
  `{"jsonrpc":"2.0","id":${id},"result":${value}}`

const eventsOf = async ({ body }: FakeReply): Promise<string[]> =>
  [...(await body()).matchAll(/data: (.+)/g)].map(([, data]) => data ?? '')

/** A session with a call in flight. */
class Asking {
  private nowMs = 0
  private lastId = OURS - 2
  private session = ''
  private readonly source = new FakeSource()
  private readonly legacy = new Legacy({
    source: this.source,
    budget: aBudget(),
    model: 'session',
    startupTimeoutMs: 10_000,
    requestTimeoutMs: 10_000,
    idleTimeoutMs: 1000,
    maxConcurrentCalls: 64,
    clientTimeoutMs: WAIT_MS,
    keepAliveMs: 10_000,
    nextId: () => ++this.lastId,
    newSessionId: () => 's',
    now: () => this.nowMs,
    observe: () => undefined,
    remarks: keptRemarks(),
    onStarted: () => undefined,
    onStartFailed: () => undefined,
    onDied: () => undefined,
    endsListeners: false,
    onSessionEnd: () => undefined,
  })

  async begin(): Promise<FakeReply> {
    const opened = anExchange()
    await this.legacy.post(A, opened.exchange, anAsked(INITIALIZE))
    this.session = /mcp-session-id: (\S+)/.exec(await opened.client.received())?.[1] ?? ''
    return this.post(CALL)
  }

  async post(body: string): Promise<FakeReply> {
    const { exchange, client } = anExchange({ 'mcp-session-id': this.session })
    await this.legacy.post(A, exchange, anAsked(body))
    return client
  }

  get server(): FakeLink {
    const [link] = this.source.links
    if (!link) throw new Error('there is no process')
    return link
  }

  /** What the server was sent after the call. */
  get heard(): readonly string[] {
    return this.server.sent.slice(2)
  }

  passUntil(untilMs: number): void {
    for (; this.nowMs < untilMs; this.nowMs += 1000) this.legacy.sweep(this.nowMs)
  }
}

describe('the clock of a call stands while its client is asked', () => {
  test.each([
    ['over pipes, which do not say by which call', undefined],
    ['over HTTP, which does', OURS],
  ])('%s', async (_name, relatedTo) => {
    const asking = new Asking()
    const call = await asking.begin()
    asking.server.says(ELICIT, relatedTo)
    asking.passUntil(WAIT_MS - 1000)
    expect(await eventsOf(call)).toEqual([ELICIT])
    await asking.post(result('"q"', '{"action":"accept"}'))
    expect(asking.heard).toEqual([result('"q"', '{"action":"accept"}')])
    asking.server.says(result(OURS))
    expect(await eventsOf(call)).toEqual([ELICIT, result(1)])
  })

  test('until client-timeout: both hear so, and the call has its own time from there', async () => {
    const asking = new Asking()
    const call = await asking.begin()
    asking.server.says(ELICIT)
    asking.passUntil(WAIT_MS + 2000)
    const late =
      '{"jsonrpc":"2.0","id":"q","error":{"code":-32001,"message":"the client did not answer within 60000 ms (outrigger.dev/client-timeout)"}}'
    const told =
      '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"q","reason":"timeout"}}'
    expect(asking.heard).toEqual([late])
    expect(await eventsOf(call)).toEqual([ELICIT, told])
    // An answer that comes too late goes nowhere.
    await asking.post(result('"q"'))
    expect(asking.heard).toEqual([late])
    asking.passUntil(WAIT_MS + 20_000)
    expect((await eventsOf(call)).at(-1)).toContain('"code":"request-timeout"')
  })

  test.each([
    [
      'not for a ping, which no person answers',
      '{"jsonrpc":"2.0","id":"q","method":"ping"}',
      false,
    ],
    ['not where its client has gone', ELICIT, true],
  ])('%s', async (_name, question, goes) => {
    const asking = new Asking()
    const call = await asking.begin()
    asking.server.says(question)
    if (goes) await call.hangUp()
    asking.passUntil(20_000)
    expect(asking.heard).toEqual([
      expect.stringMatching(/"method":"notifications\/cancelled".*"requestId":102/),
    ])
  })
})
