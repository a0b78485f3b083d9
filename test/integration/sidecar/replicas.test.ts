// Several replicas behind a balancer that knows no sessions: each call comes to its session, whichever replica took it, with
// all that belongs to a call.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStream } from '../../support/event-stream.ts'
import {
  note,
  openLegacy,
  rpc,
  textOf,
  toolCall,
  type LegacySession,
} from '../../support/puppet.ts'
import { JSON_HEADERS, messageIn, send } from '../../support/raw-http.ts'
import { until } from '../../support/waiting.ts'
import { holderOf, Workload, writeKeys, type Replica } from '../../support/workload.ts'

const progress = (message: string): string =>
  `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":$TOKEN,"progress":1,"message":"${message}"}}`

describe('three replicas', () => {
  let workload: Workload
  let session: LegacySession
  beforeAll(async () => {
    workload = await new Workload().begin(3)
    session = await openLegacy(workload.url, '2025-11-25', { elicitation: {} })
  })
  afterAll(() => workload.stop())

  const holder = (): Replica => {
    const found = workload.all.find(({ address }) => address === holderOf(session.id))
    if (!found) throw new Error('nobody holds it')
    return found
  }
  const others = (): readonly Replica[] => workload.all.filter((one) => one !== holder())
  /** The session as its client finds it at a replica that does not hold it. */
  const elsewhere = (): string => others()[0]?.url ?? ''
  const openHops = async (): Promise<number> => {
    const open = await Promise.all(
      workload.all.map(({ metric }) => metric('outrigger_replica_hops_open')),
    )
    return open.reduce((sum, one) => sum + one, 0)
  }

  test('a session is served by its own process, whoever takes the call', async () => {
    const own = await openLegacy(workload.url)
    const pids = new Set<string>()
    for (let call = 0; call < 9; call++) pids.add(await own.call('pid'))
    expect(pids.size).toBe(1)
    expect(textOf(messageIn(await own.post(toolCall('echo', { text: 'é' }))))).toBe('é')
    expect((await own.end()).status).toBe(204)
    for (let call = 0; call < 3; call++) expect((await own.post(toolCall('pid'))).status).toBe(404)
  })

  test('what a hop brings is what a call at its own replica brings', async () => {
    const headers = { ...JSON_HEADERS, ...session.headers }
    const call = toolCall('echo', { text: 'x' })
    const [here, there] = [
      await send(holder().url, call, headers),
      await send(elsewhere(), call, headers),
    ]
    const { date: _one, ...own } = here.headers
    const { date: _other, ...others } = there.headers
    expect({ ...there, headers: others }).toEqual({ ...here, headers: own })
    expect(
      (await send(elsewhere(), note('notifications/roots/list_changed'), headers)).status,
    ).toBe(202)
  })

  test('a fault of the session’s own replica comes as it is', async () => {
    const headers = { ...JSON_HEADERS, ...session.headers, 'mcp-protocol-version': '2024-01-01' }
    const [here, there] = [
      await send(holder().url, rpc('ping', {}), headers),
      await send(elsewhere(), rpc('ping', {}), headers),
    ]
    expect(here.status).toBe(400)
    expect([there.status, there.text]).toEqual([here.status, here.text])
  })

  test('progress comes as it is made, and the client may go and come back for the rest', async () => {
    const body = toolCall('say', { lines: [progress('a'), progress('b')], isSilent: true }, 't')
    const { headers } = session
    const stream = (await openStream(elsewhere(), { headers, body })).read()
    await stream.event((data) => data.includes('"message":"b"'))
    const first = stream.events.find(({ data }) => data.includes('"message":"a"'))
    stream.destroy()
    const last = { ...headers, 'last-event-id': first?.id ?? '' }
    const again = others().at(-1)?.url ?? ''
    const resumed = (await openStream(again, { method: 'GET', headers: last })).read()
    expect((await resumed.event()).data).toContain('"message":"b"')
    resumed.destroy()
  })

  test('a server asks its client on a stream of another replica, and hears the answer by a third', async () => {
    const question = rpc('elicitation/create', { message: 'Which day?' }, 'q')
    const body = toolCall('say', { lines: [question], isSilent: true })
    const stream = (await openStream(elsewhere(), { headers: session.headers, body })).read()
    const asked = JSON.parse((await stream.event((data) => data.includes('Which day?'))).data)
    const answer = JSON.stringify({
      jsonrpc: '2.0',
      id: asked.id,
      result: { action: 'accept', content: { day: 'Monday' } },
    })
    const third = others().at(-1)?.url ?? ''
    const told = await send(third, answer, { ...JSON_HEADERS, ...session.headers })
    expect(told.status).toBe(202)
    await until(
      async () => (await session.call('seen')).includes('Monday'),
      'the server has heard the answer',
    )
    stream.destroy()
  })

  test('who listens hears at any replica, and who hangs up is not there any more', async () => {
    await until(async () => (await openHops()) === 0, 'nothing is on its way')
    const listening = (
      await openStream(elsewhere(), { method: 'GET', headers: session.headers })
    ).read()
    expect(listening.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'x-accel-buffering': 'no',
    })
    await until(async () => (await openHops()) === 1, 'the stream is with its replica')
    const line = note('notifications/resources/list_changed')
    await session.post(toolCall('say', { lines: [line] }))
    expect((await listening.event()).data).toBe(line)
    listening.destroy()
    await until(async () => (await openHops()) === 0, 'nobody listens any more')
  })

  test('who reads slowly holds the server, and loses nothing', async () => {
    const count = 64
    const body = toolCall('flood', { count, bytes: 100_000 }, 'f')
    const stream = await openStream(elsewhere(), { headers: session.headers, body })
    // Nothing is read until other calls have had their turn.
    expect(await session.call('echo', { text: 'meanwhile' })).toBe('meanwhile')
    stream.read()
    await stream.ended()
    const messages = stream.events.filter(({ data }) => data.includes('notifications/progress'))
    expect(messages).toHaveLength(count)
    expect(stream.events.at(-1)?.data).toContain('flooded')
  })

  test('a call is cancelled by whichever replica', async () => {
    const args = { lines: [progress('begun')], isSilent: true }
    const params = { name: 'say', arguments: args, _meta: { progressToken: 'c' } }
    const body = rpc('tools/call', params, 'c')
    const stream = (await openStream(elsewhere(), { headers: session.headers, body })).read()
    await stream.event((data) => data.includes('begun'))
    const third = others().at(-1)?.url ?? ''
    const cancel = note('notifications/cancelled', { requestId: 'c' })
    await send(third, cancel, { ...JSON_HEADERS, ...session.headers })
    await until(
      async () => (await session.call('seen')).includes('notifications/cancelled'),
      'the server has heard of it',
    )
    stream.destroy()
  })

  test('the hops are counted', async () => {
    const counted = await Promise.all(
      others().map(({ metric }) => metric('outrigger_replica_hops_total{result="answered"}')),
    )
    expect(counted.every((count) => count > 0)).toBe(true)
    expect(
      await holder().metric('outrigger_replica_vouchers_total{result="taken"}'),
    ).toBeGreaterThan(0)
    expect(await holder().metric('outrigger_replica_vouchers_total{result="refused"}')).toBe(0)
  })
})

describe('a replica that ends', () => {
  test('finishes what it has sent to others, and is gone for its own sessions', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'outrigger-file-'))
    const workload = await new Workload().begin(2)
    try {
      const [first, second] = workload.all
      if (!first || !second) throw new Error('there are two')
      const held = await openLegacy(first.url)
      const lost = await openLegacy(second.url)
      const file = join(folder, 'released')
      const body = toolCall('until', { file, text: 'done' })
      const calling = send(second.url, body, { ...JSON_HEADERS, ...held.headers })
      await until(async () => (await held.call('seen')).includes(file), 'the call has come')
      const drained = second.drain(240_000)
      await until(() => second.sidecar.obstacle() !== undefined, 'it drains')
      writeFileSync(file, '')
      expect(textOf(messageIn(await calling))).toBe('done')
      await drained
      expect(await held.call('echo', { text: 'still' })).toBe('still')
      const { status, text } = await send(first.url, toolCall('pid'), {
        ...JSON_HEADERS,
        ...lost.headers,
      })
      expect(status).toBe(404)
      expect(text).toContain('session-unknown')
      // A client that begins anew, and still names what has gone, is served.
      const params = { protocolVersion: '2025-06-18', capabilities: {} }
      const again = await send(first.url, rpc('initialize', params), {
        ...JSON_HEADERS,
        ...lost.headers,
      })
      expect(again.status).toBe(200)
      expect(again.headers['mcp-session-id']).not.toBe(lost.id)
    } finally {
      await workload.stop()
      rmSync(folder, { recursive: true, force: true })
    }
  })

  test('while it works on a call breaks that off, and no other', async () => {
    const workload = await new Workload().begin(2)
    try {
      const [first, second] = workload.all
      if (!first || !second) throw new Error('there are two')
      const session = await openLegacy(second.url)
      const headers = { ...JSON_HEADERS, ...session.headers }
      const body = toolCall('until', { file: '/none', text: '' })
      const calling = send(first.url, body, headers).catch(() => undefined)
      await until(async () => (await session.call('seen')).includes('/none'), 'it has come')
      await second.kill()
      expect((await calling)?.text ?? '').not.toContain('"result"')
      expect((await send(first.url, toolCall('pid'), headers)).status).toBe(404)
      const other = await openLegacy(first.url)
      expect(await other.call('echo', { text: 'here' })).toBe('here')
    } finally {
      await workload.stop()
    }
  })
})

describe('the keys', () => {
  test('may come later, and change', async () => {
    const workload = await new Workload().begin(0)
    try {
      const keys = join(workload.folder, 'later')
      const [first, second] = [await workload.add(keys), await workload.add(keys)]
      const local = await openLegacy(first.url)
      expect(local.id).toHaveLength(32)
      expect(first.lines.join('')).toContain('the keys of the replicas are not there yet')
      writeKeys(keys)
      const opened = async (replica: Replica): Promise<LegacySession | undefined> => {
        const session = await openLegacy(replica.url)
        if (session.id.length !== 32) return session
        // Many of them would need all places, and the one from before have to make room.
        await session.end()
        return undefined
      }
      const session = await until(() => opened(first), 'ids say who holds them')
      await until(() => opened(second), 'the other has read them, too')
      const headers = { ...JSON_HEADERS, ...session.headers }
      expect((await send(second.url, toolCall('pid'), headers)).status).toBe(200)
      // What began before is served where it began.
      expect(await local.call('echo', { text: 'local' })).toBe('local')

      writeKeys(keys)
      const reads = ({ lines }: Replica): number =>
        lines.filter((line) => line.includes('is read, and holds')).length
      await until(() => reads(first) === 2 && reads(second) === 2, 'both have read the new ones')
      expect((await send(second.url, toolCall('pid'), headers)).status).toBe(200)
      // Now the new ones are shown.
      workload.aheadMs = 200_000
      const renewed = await openLegacy(first.url)
      for (const { headers: own } of [session, renewed]) {
        const reply = await send(second.url, toolCall('pid'), { ...JSON_HEADERS, ...own })
        expect(reply.status).toBe(200)
      }
    } finally {
      await workload.stop()
    }
  })
})
