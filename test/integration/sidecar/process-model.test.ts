// Which process serves whom, and who hears what it says: as the design's table has it, for each process model. The tests are
// one anonymous principal; that two never share a process is the key's business (unit tests).

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import {
  note,
  openLegacy,
  rpc,
  startPuppet,
  toolCall,
  type LegacySession,
  type PuppetBridge,
  type SeenMessage,
} from '../../support/puppet.ts'
import { messageIn } from '../../support/raw-http.ts'
import { until } from '../../support/waiting.ts'

const CAPABILITIES = { sampling: {}, roots: { listChanged: true } }

const start = (model: string) => {
  const got: { bridge?: PuppetBridge } = {}
  beforeAll(async () => {
    got.bridge = await startPuppet('--process-model', model)
  })
  afterAll(() => got.bridge?.stop())
  return {
    url: (): string => got.bridge?.url ?? '',
    admin: (): PuppetBridge['admin'] | undefined => got.bridge?.admin,
  }
}

const open = (url: string, version?: string): Promise<LegacySession> =>
  openLegacy(url, version, CAPABILITIES)

const ASK = '{"jsonrpc":"2.0","id":"s-1","method":"sampling/createMessage","params":{}}'

describe.each([
  ['session', 2],
  ['principal', 1],
  ['shared', 1],
] as const)('process model %s', (model, processes) => {
  const bridge = start(model)

  test('two sessions have their processes', async () => {
    const sessions = await Promise.all([open(bridge.url()), open(bridge.url())])
    const pids = await Promise.all(sessions.map((session) => session.call('pid')))
    expect(new Set(pids).size).toBe(processes)
    for (const session of sessions) expect((await session.end()).status).toBe(204)
    await bridge.admin()?.idle()
  })

  test('equal ids and progress tokens come back to whoever used them', async () => {
    const sessions = await Promise.all([open(bridge.url()), open(bridge.url()), open(bridge.url())])
    const line = (text: string): string =>
      `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":$TOKEN,"progress":1,"message":"${text}"}}`
    const streams = await Promise.all(
      sessions.map((session, index) =>
        session.stream(toolCall('say', { lines: [line(`for ${index}`)] }, 'same')),
      ),
    )
    for (const [index, stream] of streams.entries()) {
      await stream.ended()
      expect(stream.events.map(({ data }) => data)).toEqual([
        `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"same","progress":1,"message":"for ${index}"}}`,
        '{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"said"}]}}',
      ])
    }
    for (const session of sessions) await session.end()
  })

  test('a cancellation reaches the server with the id that the server knows', async () => {
    const [one, other] = await Promise.all([open(bridge.url()), open(bridge.url())])
    const begun = note('notifications/progress', { progressToken: '$TOKEN', progress: 1 })
    const lines = [begun.replace('"$TOKEN"', '$TOKEN')]
    const stream = await one.stream(toolCall('say', { isSilent: true, lines }, 'a'))
    const pending = other.post(toolCall('later', { text: 'mine', ms: 300 }))
    await one.post(note('notifications/cancelled', { requestId: 1, reason: 'enough' }))
    await stream.ended()
    expect(messageIn(await pending)).toContain('"text":"mine"')
    const seen: SeenMessage[] = JSON.parse(await one.call('seen'))
    const cancelled = seen.filter(({ method }) => method === 'notifications/cancelled')
    const silent = seen.find((message) => JSON.stringify(message).includes('"isSilent":true'))
    expect(cancelled).toEqual([
      {
        jsonrpc: '2.0',
        method: 'notifications/cancelled',
        params: { requestId: silent?.id, reason: 'enough' },
      },
    ])
    await Promise.all([one.end(), other.end()])
  })

  test('a list that has changed has changed for everybody', async () => {
    const [one, other] = await Promise.all([open(bridge.url()), open(bridge.url())])
    const heard = await Promise.all([one.listen(), other.listen()])
    await one.call('say', { lines: [note('notifications/tools/list_changed')] })
    await heard[0].event((data) => data.includes('tools/list_changed'))
    if (model === 'session') expect(heard[1].events.filter(({ data }) => data !== '')).toEqual([])
    else await heard[1].event((data) => data.includes('tools/list_changed'))
    await Promise.all([one.end(), other.end()])
  })
})

describe('subscriptions in a process of several sessions', () => {
  const bridge = start('shared')
  const uri = 'test://a'
  const updated = note('notifications/resources/updated', { uri })

  test('are told to their subscribers, and ended with the last', async () => {
    const sessions = await Promise.all([open(bridge.url()), open(bridge.url()), open(bridge.url())])
    const [one, two, three] = sessions
    const [first, second, third] = await Promise.all(sessions.map((session) => session.listen()))
    await one.post(rpc('resources/subscribe', { uri }))
    await two.post(rpc('resources/subscribe', { uri }))
    await three.call('say', { lines: [updated, note('notifications/prompts/list_changed')] })
    for (const stream of [first, second]) {
      await stream?.event((data) => data.includes('resources/updated'))
    }
    await third?.event((data) => data.includes('list_changed'))
    expect(third?.events.some(({ data }) => data.includes('updated'))).toBe(false)

    const unsubscribed = async (): Promise<number> =>
      (await three.call('seen')).split('"resources/unsubscribe"').length - 1
    const answer = messageIn(await one.post(rpc('resources/unsubscribe', { uri }, 'mine')))
    expect(answer).toBe('{"jsonrpc":"2.0","id":"mine","result":{}}')
    expect(await unsubscribed()).toBe(0)
    await two.end()
    expect(await unsubscribed()).toBe(1)
    await Promise.all([one.end(), three.end()])
  })
})

describe('a process that everybody shares', () => {
  const bridge = start('shared')

  test('ends with no word of what it wrote in the faults of its callers', async () => {
    const [one, other] = await Promise.all([open(bridge.url()), open(bridge.url())])
    const waiting = other.post(toolCall('later', { text: 'mine', ms: 60_000 }))
    await one.call('say', { lines: ['words of the first'] })
    const ended = [
      messageIn(await one.post(toolCall('exit', { code: 7 }))),
      messageIn(await waiting),
    ]
    for (const fault of [...ended, (await other.post(rpc('ping', {}))).text]) {
      expect(fault).toContain('the server exited with code 7')
      expect(fault).not.toContain('words')
    }
  })

  test('is promised no client features, asks no client, and hears of no roots', async () => {
    const session = await open(bridge.url())
    const listening = await session.listen()
    await session.post(note('notifications/roots/list_changed'))
    await session.call('say', { lines: [ASK, '{"jsonrpc":"2.0","id":"s-2","method":"ping"}'] })
    const seen: SeenMessage[] = JSON.parse(await session.call('seen'))
    expect(seen[0]?.params).toMatchObject({
      capabilities: {},
      clientInfo: { name: 'outrigger' },
    })
    expect(seen.find(({ id }) => id === 's-1')).toMatchObject({ error: { code: -32601 } })
    expect(seen.find(({ id }) => id === 's-2')).toEqual({
      jsonrpc: '2.0',
      id: 's-2',
      result: {},
    })
    expect(seen.some(({ method }) => method?.includes('roots'))).toBe(false)
    expect(listening.events.filter(({ data }) => data !== '')).toEqual([])
    await session.end()
  })

  test('is of its own revision to each client', async () => {
    const versions = ['2025-11-25', '2025-03-26']
    const sessions = await Promise.all(versions.map((version) => open(bridge.url(), version)))
    expect(new Set(await Promise.all(sessions.map((one) => one.call('pid')))).size).toBe(1)
    expect(
      sessions.map(({ opened }) => /"protocolVersion":"([^"]+)"/.exec(opened.text)?.[1]),
    ).toEqual(versions)
    for (const session of sessions) await session.end()
  })

  test('forgets the calls of a session that ends', async () => {
    const [leaves, stays] = await Promise.all([open(bridge.url()), open(bridge.url())])
    const pending = leaves.post(toolCall('say', { isSilent: true }))
    const waiting = async (): Promise<boolean> => (await stays.call('seen')).includes('isSilent')
    await until(waiting, 'the server has the call')
    await leaves.end()
    expect(messageIn(await pending)).toContain('the client ended it')
    expect(await stays.call('seen')).toContain('"reason":"disconnected"')
    await stays.end()
  })
})

describe('a process of one session', () => {
  const bridge = start('session')

  test('asks its client, and gets the answer under its own id', async () => {
    const session = await open(bridge.url())
    const stream = await session.stream(toolCall('say', { lines: [ASK] }))
    await stream.event((data) => data === ASK)
    const answer = '{"jsonrpc":"2.0","id":"s-1","result":{"model":"m"}}'
    expect((await session.post(answer)).status).toBe(202)
    const seen: unknown[] = JSON.parse(await session.call('seen'))
    expect(seen).toContainEqual(JSON.parse(answer))
    await session.end()
  })
})
