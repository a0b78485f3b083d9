// The modern era's own: one process for many requests, log lines for whoever asked, who hangs up cancels,
// subscriptions by their client's id, and idle processes that give way.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { openStream, type EventStream } from '../../support/event-stream.ts'
import {
  askModern,
  modern,
  modernCall,
  note,
  openLegacy,
  rpc,
  startPuppet,
  textOf,
  type Modern,
  type PuppetBridge,
  type SeenMessage,
} from '../../support/puppet.ts'
import { send } from '../../support/raw-http.ts'

const LOG_LEVEL = { 'io.modelcontextprotocol/logLevel': 'debug' }
const PROGRESS =
  '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":$TOKEN,"progress":1}}'

let bridge: PuppetBridge

const start = (...flags: readonly string[]): void => {
  beforeAll(async () => {
    bridge = await startPuppet(...flags)
  })
  afterAll(() => bridge.stop())
}

const ask = async (asked: Modern): Promise<string> => textOf(await askModern(bridge.url, asked))
const stream = async (asked: Modern): Promise<EventStream> =>
  (await openStream(bridge.url, asked)).read()

const seen = async (): Promise<SeenMessage[]> => JSON.parse(await ask(modernCall('seen')))
/** Looks at what the process has read until it is there; each look is a call. */
const seenWith = async (matches: (message: SeenMessage) => boolean): Promise<SeenMessage> => {
  for (;;) {
    const found = (await seen()).find(matches)
    if (found) return found
  }
}

describe('one process for a principal', () => {
  start()

  test('serves many requests with the same id at once', async () => {
    const texts = Array.from({ length: 20 }, (_, index) => `text ${index}`)
    const answers = await Promise.all(texts.map((text) => ask(modernCall('echo', { text }))))
    expect(answers).toEqual(texts)
    expect(await bridge.admin.metric('outrigger_children')).toBe(1)
  })

  test('is another for each of two requests that ask for log lines at the same time', async () => {
    const log = (text: string): string =>
      note('notifications/message', { level: 'info', data: text })
    const asked = (text: string): Modern =>
      modernCall(
        'say',
        { lines: [log(text), PROGRESS], isSilent: true },
        { ...LOG_LEVEL, progressToken: 1 },
      )
    const streams = await Promise.all(['one', 'two'].map((text) => stream(asked(text))))
    const quiet = await stream(
      modernCall('say', { lines: [log('nobody asked'), PROGRESS] }, { progressToken: 1 }),
    )
    await quiet.ended()
    for (const [index, text] of ['one', 'two'].entries()) {
      await streams[index]?.event((data) => data.includes(text))
      const other = text === 'one' ? 'two' : 'one'
      expect(streams[index]?.events.some(({ data }) => data.includes(other))).toBe(false)
    }
    expect(quiet.events.some(({ data }) => data.includes('notifications/message'))).toBe(false)
    for (const one of streams) one.destroy()
  })

  test('hears that its client has hung up, by the id that it knows', async () => {
    const hung = await stream(
      modernCall(
        'say',
        { lines: [PROGRESS], isSilent: true, mark: 'hung up' },
        { progressToken: 'x' },
      ),
    )
    await hung.event((data) => data.includes('"progressToken":"x"'))
    hung.destroy()
    const isCall = ({ params }: SeenMessage): boolean =>
      JSON.stringify(params).includes('"mark":"hung up"')
    const call = await seenWith(isCall)
    const cancelled = await seenWith(
      ({ method, params }) =>
        method === 'notifications/cancelled' && params?.['requestId'] === call.id,
    )
    expect(cancelled['params']).toEqual({ requestId: call.id, reason: 'disconnected' })
    expect(await bridge.admin.metric('outrigger_requests_in_flight')).toBe(0)
  })

  test('tells two subscribers with the same id each its own', async () => {
    const listens = await Promise.all([
      stream(modern('subscriptions/listen', { notifications: { toolsListChanged: true } })),
      stream(modern('subscriptions/listen', { notifications: { promptsListChanged: true } })),
    ])
    for (const one of listens) {
      await one.event((data) => data.includes('"io.modelcontextprotocol/subscriptionId":1'))
    }
    const ids = (await seen())
      .filter(({ method }) => method === 'subscriptions/listen')
      .map(({ id }) => id)
    const changed = (id: unknown, method: string): string =>
      note(method, { _meta: { 'io.modelcontextprotocol/subscriptionId': id } })
    await ask(
      modernCall('say', {
        lines: [
          changed(ids[0], 'notifications/tools/list_changed'),
          changed(ids[1], 'notifications/prompts/list_changed'),
        ],
      }),
    )
    await listens[0]?.event((data) => data.includes('tools/list_changed'))
    await listens[1]?.event((data) => data.includes('prompts/list_changed'))
    expect(listens.map(({ events }) => events.length)).toEqual([2, 2])
    for (const one of listens) one.destroy()
  })

  test('has ended with a reason where it crashes, and the next request gets another', async () => {
    const { status, text } = await send(
      bridge.url,
      modernCall('exit', { code: 9 }).body,
      modernCall('exit').headers,
    )
    expect(status).toBe(200)
    expect(text).toContain('the server exited with code 9; it wrote: last words')
    expect(text).toContain('"exitCode":9')
    expect(await ask(modernCall('echo', { text: 'again' }))).toBe('again')
  })
})

describe('with room for one process', () => {
  start('--max-processes', '1')

  test('both eras are known, and who is idle in the one gives way to the other', async () => {
    expect(await ask(modernCall('echo', { text: 'modern' }))).toBe('modern')
    const session = await openLegacy(bridge.url)
    expect(await session.call('echo', { text: 'legacy' })).toBe('legacy')
    const listening = await session.listen()

    const { status, headers, text } = await send(
      bridge.url,
      modernCall('echo').body,
      modernCall('echo').headers,
    )
    expect({ status, retry: headers['retry-after'] }).toEqual({ status: 503, retry: '5' })
    expect(text).toContain('all 1 server processes are in use')
    expect((await bridge.admin.get('/readyz')).status).toBe(200)

    listening.destroy()
    expect(await ask(modernCall('echo', { text: 'modern again' }))).toBe('modern again')
    expect((await session.post(rpc('ping', {}))).text).toContain('another client needed the room')
  })
})

describe('an idle process', () => {
  start('--idle-timeout', '1s')

  test('ends', async () => {
    await ask(modernCall('pid'))
    await bridge.admin.idle()
    expect(await bridge.admin.metric('outrigger_children')).toBe(0)
  })
})
