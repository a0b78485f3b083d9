// What a legacy session hears of changes before a modern server: one subscription for all of it, another where that changes.

import { describe, expect, test } from '@jest/globals'
import { EmulatedServer } from '../../../support/emulated-server.ts'

const UPDATED = 'notifications/resources/updated'
const CHANGED = 'notifications/tools/list_changed'
const RESOURCES = { resources: { subscribe: true } }

const listens = (all: EmulatedServer): readonly unknown[] =>
  all.link.sent
    .filter((text) => text.includes('subscriptions/listen'))
    .map((text) => JSON.parse(text).params.notifications)
const listen = (all: EmulatedServer): unknown => all.last('subscriptions/listen')['id']

describe('changes of lists', () => {
  test('are asked for where the server tells of them, and told without a mark', async () => {
    const all = await EmulatedServer.opened()
    expect(listens(all)).toEqual([{ toolsListChanged: true }])
    await all.acknowledges()
    await all.changes(listen(all), CHANGED)
    expect(all.heard.map(({ text }) => JSON.parse(text))).toEqual([
      { jsonrpc: '2.0', method: CHANGED, params: {} },
    ])
  })

  test('of a server that tells of none are not asked for', async () => {
    expect(listens(await EmulatedServer.opened({}, { tools: {} }))).toEqual([])
  })

  test('that belong to nothing that is heard go nowhere', async () => {
    const all = await EmulatedServer.opened()
    await all.changes(listen(all), CHANGED)
    await all.acknowledges()
    await all.changes(4711, CHANGED)
    expect(all.heard).toEqual([])
  })

  test('are asked for again after a while when the server ends that', async () => {
    const all = await EmulatedServer.opened()
    await all.acknowledges()
    await all.answers('subscriptions/listen', { resultType: 'complete' })
    expect(listens(all)).toHaveLength(1)
    await all.later()
    expect(listens(all)).toHaveLength(2)
    await all.acknowledges()
    await all.changes(listen(all), CHANGED)
    expect(all.heard.map(({ method }) => method)).toEqual([CHANGED, CHANGED])
  })

  test('are asked for again when the server takes its subscription back', async () => {
    const all = await EmulatedServer.opened()
    await all.acknowledges()
    const requestId = listen(all)
    await all.says({ method: 'notifications/cancelled', params: { requestId } })
    expect(all.heard).toEqual([])
    await all.later()
    expect(listens(all)).toHaveLength(2)
    expect(listen(all)).not.toBe(requestId)
  })

  test('that nobody heard meanwhile may have been: the session is told of each', async () => {
    const all = await EmulatedServer.opened({}, { ...RESOURCES, tools: { listChanged: true } })
    await all.acknowledges()
    all.ask('resources/subscribe', { uri: 'a:ü' })
    await all.acknowledges()
    expect(all.heard).toEqual([])
    await all.answers('subscriptions/listen', { resultType: 'complete' })
    await all.later()
    expect(all.heard).toEqual([])
    await all.acknowledges()
    const heard = all.heard.map(({ text }) => JSON.parse(Buffer.from(text, 'latin1').toString()))
    expect(heard).toEqual([
      { jsonrpc: '2.0', method: CHANGED },
      { jsonrpc: '2.0', method: UPDATED, params: { uri: 'a:ü' } },
    ])
    all.ask('resources/unsubscribe', { uri: 'a:ü' })
    await all.acknowledges()
    expect(all.heard).toHaveLength(2)
  })

  test('are asked for less and less often where the server always ends that at once', async () => {
    const all = await EmulatedServer.opened()
    const pauses: number[] = []
    for (let time = 0; time < 8; time++) {
      await all.acknowledges()
      await all.answers('subscriptions/listen', { resultType: 'complete' })
      pauses.push(all.lastDelayMs)
      await all.later()
    }
    expect(pauses).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000])
    // One that lasts is as good as the first.
    await all.acknowledges()
    await all.later()
    await all.answers('subscriptions/listen', { resultType: 'complete' })
    expect(all.lastDelayMs).toBe(1000)
  })

  test('are asked for no more where the server does not know how', async () => {
    const all = await EmulatedServer.opened()
    await all.refuses('subscriptions/listen', -32_601)
    await all.later()
    expect(listens(all)).toHaveLength(1)
  })

  test('are asked for no more when the session ends', async () => {
    const all = await EmulatedServer.opened()
    await all.acknowledges()
    await all.answers('subscriptions/listen', { resultType: 'complete' })
    all.channel.close()
    await all.later()
    expect(listens(all)).toHaveLength(1)
  })
})

describe('a subscription', () => {
  test('holds once the server says that it listens, and is told', async () => {
    const all = await EmulatedServer.opened({}, RESOURCES)
    const told = all.ask('resources/subscribe', { uri: 'a:1' })
    await all.settle()
    expect(told.texts).toEqual([])
    expect(listens(all)).toEqual([{ resourceSubscriptions: ['a:1'] }])
    await all.acknowledges({ resourceSubscriptions: ['a:1'] })
    expect(told.body['result']).toEqual({})
    await all.changes(listen(all), UPDATED, { uri: 'a:1' })
    expect(all.heard.map(({ text }) => JSON.parse(text).params)).toEqual([{ uri: 'a:1' }])
  })

  test('beside another: the one before is heard until the new one is, and then ended', async () => {
    const all = await EmulatedServer.opened({}, RESOURCES)
    all.ask('resources/subscribe', { uri: 'a:1' })
    await all.acknowledges()
    const first = listen(all)
    const told = all.ask('resources/subscribe', { uri: 'a:2' })
    expect(listens(all).at(-1)).toEqual({ resourceSubscriptions: ['a:1', 'a:2'] })
    await all.changes(first, UPDATED, { uri: 'a:1' })
    expect(all.heard).toHaveLength(1)
    await all.acknowledges()
    expect(told.body['result']).toEqual({})
    expect(all.last('notifications/cancelled')).toMatchObject({ params: { requestId: first } })
    await all.changes(first, UPDATED, { uri: 'a:1' })
    expect(all.heard).toHaveLength(1)
    await all.changes(listen(all), UPDATED, { uri: 'a:1' })
    expect(all.heard).toHaveLength(2)
  })

  test('made while another is asked for comes after it', async () => {
    const all = await EmulatedServer.opened({}, RESOURCES)
    const one = all.ask('resources/subscribe', { uri: 'a:1' })
    const two = all.ask('resources/subscribe', { uri: 'a:2' })
    expect(listens(all)).toHaveLength(1)
    await all.acknowledges()
    expect([one.texts.length, two.texts.length]).toEqual([1, 0])
    await all.acknowledges()
    expect(two.body['result']).toEqual({})
    expect(listens(all)).toHaveLength(2)
  })

  test('that the server does not honour is refused', async () => {
    const all = await EmulatedServer.opened({}, RESOURCES)
    const told = all.ask('resources/subscribe', { uri: 'a:1' })
    await all.acknowledges({ resourceSubscriptions: [] })
    expect(told.body['error']).toMatchObject({ code: -32_602 })
    // It is asked for no more.
    const other = all.ask('resources/subscribe', { uri: 'a:2' })
    expect(listens(all).at(-1)).toEqual({ resourceSubscriptions: ['a:2'] })
    expect(other.texts).toEqual([])
  })

  test('that the server refuses is refused, and leaves what there was', async () => {
    const all = await EmulatedServer.opened({}, RESOURCES)
    all.ask('resources/subscribe', { uri: 'a:1' })
    await all.acknowledges()
    const first = listen(all)
    const told = all.ask('resources/subscribe', { uri: 'a:2' })
    await all.refuses('subscriptions/listen', -32_603)
    expect(told.body['error']).toMatchObject({ code: -32_602 })
    await all.changes(first, UPDATED, { uri: 'a:1' })
    expect(all.heard).toHaveLength(1)
  })

  test('that the server is silent about is refused in time', async () => {
    const all = await EmulatedServer.opened({}, RESOURCES)
    const told = all.ask('resources/subscribe', { uri: 'a:1' })
    await all.later()
    expect(told.body['error']).toMatchObject({ code: -32_602 })
    expect(all.methods()).toContain('notifications/cancelled')
  })

  test('that is taken back is ended at the server, the last one for good', async () => {
    const all = await EmulatedServer.opened({}, RESOURCES)
    all.ask('resources/subscribe', { uri: 'a:1' })
    await all.acknowledges()
    const first = listen(all)
    const told = all.ask('resources/unsubscribe', { uri: 'a:1' })
    await all.settle()
    expect(told.body['result']).toEqual({})
    expect(listens(all)).toHaveLength(1)
    expect(all.last('notifications/cancelled')).toMatchObject({ params: { requestId: first } })
  })

  test('that is taken back beside others is heard until the server has acknowledged that', async () => {
    const all = await EmulatedServer.opened({}, RESOURCES)
    all.ask('resources/subscribe', { uri: 'a:1' })
    await all.acknowledges()
    all.ask('resources/subscribe', { uri: 'a:2' })
    await all.acknowledges()
    const told = all.ask('resources/unsubscribe', { uri: 'a:1' })
    await all.settle()
    expect(told.texts).toEqual([])
    expect(listens(all).at(-1)).toEqual({ resourceSubscriptions: ['a:2'] })
    await all.acknowledges()
    expect(told.body['result']).toEqual({})
  })

  test('of a session that leaves others with the process is ended without an answer', async () => {
    const all = await EmulatedServer.opened({}, RESOURCES)
    all.ask('resources/subscribe', { uri: 'a:1' })
    await all.acknowledges()
    const first = listen(all)
    const params = '{"uri":"a:1"}'
    all.channel.send(
      `{"jsonrpc":"2.0","id":99,"method":"resources/unsubscribe","params":${params}}`,
    )
    await all.settle()
    expect(all.last('notifications/cancelled')).toMatchObject({ params: { requestId: first } })
    expect(all.methods()).not.toContain('resources/unsubscribe')
  })

  test('of a session that has ended holds nothing, whatever the server still says', async () => {
    const all = await EmulatedServer.opened({}, RESOURCES)
    for (const uri of ['a:1', 'a:2']) all.ask('resources/subscribe', { uri })
    await all.acknowledges()
    all.ask('resources/subscribe', { uri: 'a:3' })
    all.channel.close()
    const asked = listens(all).length
    await all.acknowledges({})
    await all.later()
    expect(all.budget.of('calls')).toBe(0)
    expect(listens(all)).toHaveLength(asked)
    all.link.ends({ message: 'it has gone' })
    expect(all.budget.of('calls')).toBe(0)
  })

  test('is one of a bounded number', async () => {
    const all = await EmulatedServer.opened({}, RESOURCES)
    for (let n = 0; n < 256; n++) all.ask('resources/subscribe', { uri: `a:${n}` })
    const told = all.ask('resources/subscribe', { uri: 'a:256' })
    const long = all.ask('resources/subscribe', { uri: 'a'.repeat(5000) })
    await all.settle()
    expect([told.body['error'], long.body['error']]).toMatchObject([
      { code: -32_602 },
      { code: -32_602 },
    ])
    const held = all.budget.of('calls')
    all.link.ends({ message: 'it has gone' })
    expect([held > 256, all.budget.of('calls')]).toEqual([true, 0])
  })

  test('that nobody waits for any more is answered to nobody', async () => {
    const all = await EmulatedServer.opened({}, RESOURCES)
    const told = all.ask('resources/subscribe', { uri: 'a:1' })
    if (told.call) all.channel.cancel(told.call, 'disconnected')
    await all.acknowledges()
    expect(told.texts).toEqual([])
  })
})
