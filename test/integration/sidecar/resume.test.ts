// Legacy streams: JSON or events, resumed by Last-Event-ID, replaced, kept alive, read slowly; and how sessions end.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLog } from '../../../shared/log.ts'
import { parseSidecarConfig } from '../../../shared/sidecar-config.ts'
import { processOf } from '../../../sidecar/life/process.ts'
import { startSidecar } from '../../../sidecar/sidecar.ts'
import { openStream, type EventStream } from '../../support/event-stream.ts'
import { Container } from '../../support/pod.ts'
import {
  note,
  openLegacy,
  PUPPET,
  rpc,
  startPuppet,
  toolCall,
  type Json,
  type PuppetBridge,
} from '../../support/puppet.ts'
import { JSON_HEADERS, messageIn, send } from '../../support/raw-http.ts'
import { removeFolder } from '../../support/remove-folder.ts'
import { until } from '../../support/waiting.ts'

const MIB = 1024 * 1024

let bridge: PuppetBridge

const start = (...flags: readonly string[]): void => {
  beforeAll(async () => {
    bridge = await startPuppet(...flags)
  })
  afterAll(() => bridge.stop())
}

const log = (data: string): string => note('notifications/message', { level: 'info', data })

describe('a session', () => {
  start()

  test('answers with JSON where nothing comes first, else with events', async () => {
    const session = await openLegacy(bridge.url, '2025-11-25')
    const plain = await session.post(toolCall('echo', { text: 'plain' }))
    expect(plain.headers['content-type']).toBe('application/json')
    const stream = await session.stream(toolCall('say', { lines: [log('first')] }))
    expect(stream.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'x-accel-buffering': 'no',
    })
    await stream.ended()
    expect(stream.events.map(({ data }) => data)).toEqual([
      '',
      log('first'),
      '{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"said"}]}}',
    ])
    await session.end()
  })

  test('gives the rest of a broken stream to whoever saw its beginning, once', async () => {
    const session = await openLegacy(bridge.url, '2025-11-25')
    const lines = [log('one'), log('two')]
    const broken = await session.stream(toolCall('say', { lines, isSilent: true }))
    const one = await broken.event((data) => data.includes('one'))
    broken.destroy()
    const resumed = await session.listen(one.id)
    await resumed.event((data) => data.includes('two'))
    expect(resumed.events.map(({ data }) => data)).toEqual([log('two')])

    const after = await session.stream(toolCall('say', { lines: [log('other')] }))
    await after.ended()
    const again = await session.listen(after.events[0]?.id)
    await again.ended()
    expect(again.events).toEqual(after.events.slice(1))
    await session.end()
  })

  test('keeps what comes while nobody listens, and replaces a listening stream', async () => {
    const session = await openLegacy(bridge.url)
    const first = await session.listen()
    const second = await session.listen()
    await first.ended()
    await session.call('say', { lines: [note('notifications/tools/list_changed')] })
    const heard = await second.event((data) => data.includes('tools'))
    second.destroy()
    await until(() => second.isEnded, 'the stream is over')
    const stream = await session.stream(
      toolCall('say', { lines: [note('notifications/prompts/list_changed')] }),
    )
    await stream.ended()
    const third = await session.listen(heard.id)
    await session.call('say', { lines: [note('notifications/resources/list_changed')] })
    await third.event((data) => data.includes('resources'))
    const all = [...stream.events, ...third.events].filter(({ data }) => data.includes('prompts'))
    expect(all).toHaveLength(1)
    await session.end()
  })

  test.each([['99-1'], ['1-999999'], ['nonsense'], ['__proto__']])(
    'refuses the event id %s, which was never one of its own',
    async (id) => {
      const session = await openLegacy(bridge.url)
      const refused = await session.listen(id)
      expect(refused.status).toBe(400)
      await session.end()
    },
  )

  test('takes batches in the one revision that has them', async () => {
    const batch = `[${rpc('ping', {}, 'a')},${note('notifications/x')},${toolCall('echo', { text: 'b' })}]`
    const [old, newer] = await Promise.all([
      openLegacy(bridge.url, '2025-03-26'),
      openLegacy(bridge.url, '2025-06-18'),
    ])
    const answers: { id: unknown }[] = JSON.parse((await old.post(batch)).text)
    expect(new Set(answers.map(({ id }) => id))).toEqual(new Set(['a', 1]))
    expect((await old.post(`[${note('notifications/x')}]`)).status).toBe(202)
    expect((await newer.post(batch)).status).toBe(400)
    await Promise.all([old.end(), newer.end()])
  })

  test('is unknown after its end, and says why it ended', async () => {
    const session = await openLegacy(bridge.url)
    const crashed = messageIn(await session.post(toolCall('exit', { code: 7 })))
    expect(crashed).toContain('the server exited with code 7; it wrote: last words')
    const after = await session.post(rpc('ping', {}))
    expect(after.status).toBe(404)
    expect(JSON.parse(after.text)).toMatchObject({
      error: { data: { code: 'session-unknown', exitCode: 7, stderr: 'last words\n' } },
    })
    const ended = await openLegacy(bridge.url)
    await ended.end()
    expect((await ended.post(rpc('ping', {}))).text).toContain('the client ended it')
  })

  test('holds its server while its client does not read, and loses nothing', async () => {
    const session = await openLegacy(bridge.url)
    const pid = await session.call('pid')
    const written = (): number =>
      Number(/^wchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1])
    const before = written()
    const slow = await openStream(bridge.url, {
      headers: session.headers,
      body: toolCall('flood', { count: 800, bytes: 64 * 1024 }, 'slow'),
    })
    let last = -1
    let still = 0
    await until(() => {
      const now = written()
      still = now === last ? still + 1 : 0
      last = now
      return still > 100 && now > before
    }, 'the server waits for its client')
    expect(last - before).toBeLessThan(40 * MIB)
    const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${bridge.pid}/status`, 'utf8'))
    expect(Number(peak?.[1]) / 1024).toBeLessThan(256)
    slow.read()
    await slow.ended()
    const numbers = slow.events.flatMap(({ data }) => /"progress":(\d+)/.exec(data)?.[1] ?? [])
    expect(numbers).toEqual(Array.from({ length: 800 }, (_, index) => `${index + 1}`))
    expect(slow.events.at(-1)?.data).toContain('flooded')
    await session.end()
  })
})

describe('a shared process', () => {
  start('--process-model', 'shared')

  test('is not held for a slow client: its stream ends, the others go on', async () => {
    const [slow, quick] = await Promise.all([openLegacy(bridge.url), openLegacy(bridge.url)])
    const stream = await openStream(bridge.url, {
      headers: slow.headers,
      body: toolCall('flood', { count: 800, bytes: 64 * 1024 }, 'slow'),
    })
    for (let flooded = false; !flooded;) {
      expect(await quick.call('echo', { text: 'quick' })).toBe('quick')
      const inFlight = await bridge.admin.metric('outrigger_requests_in_flight')
      flooded = inFlight === 0
    }
    stream.read()
    await stream.ended()
    expect(stream.events.length).toBeLessThan(800)
    expect(stream.events.some(({ data }) => data.includes('flooded'))).toBe(false)
    const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${bridge.pid}/status`, 'utf8'))
    expect(Number(peak?.[1]) / 1024).toBeLessThan(256)
    await Promise.all([slow.end(), quick.end()])
  })
})

describe('a session that nobody uses', () => {
  start('--idle-timeout', '4s', '--max-processes', '2')

  test('ends and says why; where its client listens it stays until somebody needs the room', async () => {
    const [[listener, listening], other] = await Promise.all([
      openLegacy(bridge.url).then(async (one) => [one, await one.listen()] as const),
      openLegacy(bridge.url),
    ])
    const gone = async (): Promise<string> => (await other.post(rpc('ping', {}))).text
    await bridge.admin.reaches('outrigger_sessions', 1)
    expect(await gone()).toContain('nobody used it for 4000 ms')
    expect(listening.isEnded).toBe(false)
    const newcomers = [await openLegacy(bridge.url), await openLegacy(bridge.url)]
    expect(await newcomers[1]?.call('echo', { text: 'in' })).toBe('in')
    await listening.ended()
    expect((await listener.post(rpc('ping', {}))).text).toContain('another client needed the room')
    await bridge.admin.idle()
  })
})

describe('a session with more calls than its server may have at once', () => {
  start('--max-concurrent-calls', '2')

  test('is answered each of them, in turn, and can take one back that waits', async () => {
    const session = await openLegacy(bridge.url)
    const names = [...Array(100).keys()].map((index) => `call ${index}`)
    const texts = await Promise.all(names.map((text) => session.call('later', { text, ms: 5 })))
    expect(texts).toEqual(names)

    const begin = (id: string, args: Json) =>
      session.post(rpc('tools/call', { name: 'say', arguments: args }, id))
    const inFlight = async (count: number): Promise<void> => {
      await bridge.admin.reaches('outrigger_requests_in_flight', count)
    }
    const takeBack = (requestId: string) =>
      session.post(note('notifications/cancelled', { requestId }))
    const busy = ['a', 'b'].map((id) => begin(id, { isSilent: true }))
    await inFlight(2)
    const waiting = begin('c', { isSilent: true, text: 'never' })
    await inFlight(3)
    for (const id of ['c', 'a', 'b']) await takeBack(id)
    for (const call of [waiting, ...busy]) {
      expect((await call).text).toContain('"code":"request-cancelled"')
    }
    const seen = await session.call('seen')
    expect(seen).not.toContain('never')
    expect(seen.match(/notifications\/cancelled/g)).toHaveLength(2)
    await session.end()
  })
})

describe('at the cap', () => {
  start('--max-processes', '2')

  test('a newcomer is told to come again where all others live, and the sidecar stays ready', async () => {
    const sessions = await Promise.all([openLegacy(bridge.url), openLegacy(bridge.url)])
    const listening = await sessions[0].listen()
    const calling = await sessions[1].stream(
      toolCall('say', { isSilent: true, lines: [log('begun')] }, 't'),
    )
    await calling.event()
    const { status, headers, text } = await send(
      bridge.url,
      rpc('initialize', { protocolVersion: '2025-06-18' }),
      JSON_HEADERS,
    )
    expect({ status, retry: headers['retry-after'] }).toEqual({ status: 503, retry: '5' })
    expect(text).toContain('all 2 server processes are in use')
    expect((await bridge.admin.get('/readyz')).status).toBe(200)
    expect([listening.isEnded, calling.isEnded]).toEqual([false, false])
    await Promise.all(sessions.map((session) => session.end()))
  })
})

test('an open stream hears from the sidecar while the server is silent, also before it has answered initialize', async () => {
  const runDir = mkdtempSync(join(tmpdir(), 'outrigger-keep-alive-'))
  const settings = { auth: 'none', 'log-level': 'error' }
  const config = parseSidecarConfig({
    settings,
    host: '127.0.0.1',
    port: 0,
    adminPort: 0,
    runDir,
    isolation: 'advisory',
  })
  if (!config.ok) throw new Error(config.error.join())
  const log = createLog({ level: 'error', write: () => undefined, now: () => 0 })
  const now = (): number => performance.now()
  const sidecar = await startSidecar({
    config: config.value,
    log,
    now,
    wallMs: () => Date.now(),
    process: processOf(process, undefined),
    keepAliveMs: 1,
  })
  // It is silent at first, and for as long as the test likes.
  const silent = join(runDir, 'silent')
  writeFileSync(silent, '')
  const waits = `while [ -e ${silent} ]; do sleep 0.05; done; exec "$@"`
  const container = new Container(runDir, ['sh', '-c', waits, 'sh', ...PUPPET])
  try {
    const url = `http://127.0.0.1:${sidecar.port}/mcp`
    const params = { protocolVersion: '2025-11-25', capabilities: {} }
    const opening = await openWhenConnected(url, rpc('initialize', params))
    await until(() => opening.comments > 2, 'comments have come before the session')
    rmSync(silent)
    await opening.event((data) => data.includes('"serverInfo"'))
    expect(opening.events[0]).toMatchObject({ data: '' })
    const headers = { 'mcp-session-id': String(opening.headers['mcp-session-id']) }
    const listening = (await openStream(url, { method: 'GET', headers })).read()
    const call = { headers, body: toolCall('say', { isSilent: true }) }
    const calling = (await openStream(url, call)).read()
    await until(() => listening.comments > 2 && calling.comments > 2, 'comments have come')
  } finally {
    await sidecar.close()
    container.signal('SIGKILL')
    await container.exited
    await removeFolder(runDir)
  }
})

/** The shim may not be there yet. */
const openWhenConnected = async (url: string, body: string): Promise<EventStream> => {
  for (;;) {
    const stream = (await openStream(url, { body })).read()
    if (stream.status !== 503) return stream
    await stream.ended()
  }
}
