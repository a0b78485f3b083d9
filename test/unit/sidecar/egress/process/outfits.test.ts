// What processes are given for what they reach, and who takes it away: by a proxy of the test's.

import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { destinationOf, type Destination } from '../../../../../shared/destination.ts'
import type { Account } from '../../../../../sidecar/egress/ledger/account.ts'
import { Outfits, type OutfitsOptions } from '../../../../../sidecar/egress/process/outfits.ts'
import { until } from '../../../../support/waiting.ts'

const CONFINING = { uid: 10_001, why: undefined }
const ALICE = { key: 'alice' }
const declared = ['api.example.com:443', '5432=db.example.com:5432', '6379=10.0.0.9:6379'].flatMap(
  (text) => destinationOf(text) ?? [],
)

let taken: [Account, Destination | undefined][]
let ended: string[]
let told: unknown[]
let secrets: number
let outfits: Outfits

const outfitsWith = (more: Partial<OutfitsOptions> = {}): Outfits =>
  new Outfits({
    mode: 'enforce',
    confinement: 'require',
    destinations: declared,
    port: () => 15_202,
    proxy: () => ({
      forward: (socket: Socket, account: Account, destination: Destination) => {
        taken.push([account, destination])
        socket.destroy()
      },
      own: (socket: Socket, account: Account) => {
        taken.push([account, undefined])
        socket.destroy()
      },
      end: (key: string) => void ended.push(key),
    }),
    newSecret: () => `${++secrets}`.repeat(32).slice(0, 32),
    mostBytes: undefined,
    onState: (state) => void told.push(state),
    onDirect: (account, settled) => void told.push([account.child, settled]),
    onMissed: (many) => void told.push(many),
    ...more,
  })

beforeEach(() => {
  taken = []
  ended = []
  told = []
  secrets = 0
  outfits = outfitsWith()
  outfits.met(CONFINING)
})
afterEach(() => outfits.close())

const fit = (number: number) =>
  outfits.fit({ process: { number, session: 's' }, caller: ALICE, calls: () => [] })

const isOpen = async (port: number): Promise<boolean> => {
  const socket = connect(port, '127.0.0.1')
  const isThere = once(socket, 'connect').then(
    () => true,
    () => false,
  )
  const answer = await isThere
  socket.on('error', () => undefined).destroy()
  return answer
}

/** As the shim leads a child there; resolves when it has been let in. */
const come = async (child: number, port: number): Promise<void> => {
  const before = taken.length
  const socket = connect(port, '127.0.0.1').on('error', () => undefined)
  await once(socket, 'connect')
  outfits.led({ child, from: socket.localPort ?? 0, port })
  await until(() => taken.length > before, 'it is let in')
  socket.destroy()
}

/** Somebody who is not led; resolves when he has been put out. */
const intrude = async (port: number, localPort?: number): Promise<void> => {
  const socket = connect({ port, host: '127.0.0.1', ...(localPort !== undefined && { localPort }) })
  socket.on('error', () => undefined).resume()
  await once(socket, 'close')
}

describe('who comes to a port of a child’s', () => {
  // Of no test's that is given its ports (free-port.ts), and of none that the kernel hands out.
  const FREE_PORT = 19_307

  test('is put out where the shim has not led it there', async () => {
    const { forwards } = await fit(3)
    const [{ port } = { port: 0 }] = forwards
    await intrude(port)
    expect(taken).toEqual([])
  })

  test('is put out where another child was led there, or this one elsewhere', async () => {
    const [first, second] = [await fit(3), await fit(4)]
    const [{ port: mine } = { port: 0 }, { port: other } = { port: 0 }] = first.forwards
    const from = FREE_PORT + 1
    outfits.led({ child: 4, from, port: mine })
    outfits.led({ child: 3, from, port: other })
    outfits.led({ child: 4, from, port: second.forwards[0]?.port ?? 0 })
    await intrude(mine, from)
    expect(taken).toEqual([])
  })

  test('is let in once by what the shim has said before', async () => {
    const { forwards } = await fit(3)
    const [{ port } = { port: 0 }] = forwards
    outfits.led({ child: 3, from: FREE_PORT, port })
    await intrude(port, FREE_PORT)
    expect(taken).toHaveLength(1)
    await intrude(port)
    expect(taken).toHaveLength(1)
  })

  test('waits for no more than a second, and not in a crowd', async () => {
    const { forwards } = await fit(3)
    const [{ port } = { port: 0 }] = forwards
    const crowd = Array.from({ length: 300 }, () => intrude(port))
    await Promise.race(crowd)
    await come(3, port)
    await Promise.all(crowd)
    expect(taken).toHaveLength(1)
  })
})

describe('a child', () => {
  test('is told its mode, its credential, and where its forwards end', async () => {
    const { mode, forwards, environment } = await fit(3)
    expect(mode).toBe('enforce')
    expect(forwards.map(({ local }) => local)).toEqual([5432, 6379, 15_203])
    expect(environment['HTTPS_PROXY']).toBe(`http://3:${'1'.repeat(32)}@127.0.0.1:15202`)
    const account = outfits.credentials.whose({ name: '3', secret: '1'.repeat(32) })
    expect(account).toMatchObject({ child: 3, key: '3', session: 's' })
  })

  test('has ports of its own, by which it is known, for as long as it is there', async () => {
    const [first, second] = [await fit(3), await fit(4)]
    const ports = [...first.forwards, ...second.forwards].map(({ port }) => port)
    expect(new Set(ports).size).toBe(6)
    for (const [index, port] of ports.entries()) {
      await come(index < 3 ? 3 : 4, port)
      expect(outfits.isForwards(port)).toBe(true)
    }
    expect(taken.map(([{ child }, destination]) => [child, destination?.text])).toEqual([
      [3, '5432=db.example.com:5432'],
      [3, '6379=10.0.0.9:6379'],
      [3, undefined],
      [4, '5432=db.example.com:5432'],
      [4, '6379=10.0.0.9:6379'],
      [4, undefined],
    ])
    outfits.gone(3)
    expect(await Promise.all(ports.map(isOpen))).toEqual([false, false, false, true, true, true])
    expect(ports.map(outfits.isForwards)).toEqual([false, false, false, true, true, true])
    expect(ended).toEqual(['3'])
    expect(outfits.credentials.whose({ name: '3', secret: '1'.repeat(32) })).toBeUndefined()
    expect(outfits.credentials.whose({ name: '4', secret: '2'.repeat(32) })).toBeDefined()
  })

  test('may connect to a proxy at another port', async () => {
    outfits = outfitsWith({ port: () => 40_001, destinations: [] })
    outfits.met(CONFINING)
    const { forwards, environment } = await fit(3)
    expect(forwards).toEqual([
      { local: 15_203, port: expect.any(Number) },
      { local: 40_001, port: 40_001 },
    ])
    expect(environment['http_proxy']).toContain('@127.0.0.1:40001')
  })

  test('of a shim that cannot confine is not said to be', async () => {
    outfits = outfitsWith({ confinement: 'advisory' })
    outfits.met({ uid: 1, why: 'an old kernel' })
    const { mode, forwards, environment } = await fit(3)
    expect([mode, forwards]).toEqual(['off', []])
    expect(environment['HTTP_PROXY']).toBeDefined()
    // Anybody could come to a port of its own.
    expect(environment['OUTRIGGER_PROXY']).toBeUndefined()
    expect(environment['JDK_JAVA_OPTIONS']).toBeUndefined()
  })
})

test('the one command goes by its shim’s secret, and what it has moved counts on', async () => {
  const secret = 'e'.repeat(32)
  outfits = outfitsWith({ mostBytes: 10 })
  outfits.met(CONFINING)
  await outfits.fitCommand(secret, () => [])
  outfits.credentials.whose({ name: '0', secret })?.passed(10)
  await outfits.fitCommand(secret, () => [])
  expect(outfits.credentials.whose({ name: '0', secret })?.overBudget()).toBe(true)
})

test('of two shims of the one command that come at once the last one’s ports are open', async () => {
  const each = await Promise.all(
    ['e', 'f'].map((one) => outfits.fitCommand(one.repeat(32), () => [])),
  )
  const [first, last] = each.map(({ forwards }) => forwards.map(({ port }) => port))
  expect(await Promise.all((last ?? []).map(isOpen))).toEqual([true, true, true])
  expect(await Promise.all((first ?? []).map(isOpen))).toEqual([false, false, false])
})

describe('a shim', () => {
  const cannot = { uid: 1, why: 'an old kernel' }

  test.each([
    ['that confines', ['enforce', 'require'], CONFINING, ['enforced', undefined]],
    ['that confines and only looks', ['observe', 'require'], CONFINING, ['observed', undefined]],
    ['that cannot', ['enforce', 'require'], cannot, ['advisory', 'floor.allowAdvisoryEgress']],
    ['that cannot, by leave', ['enforce', 'advisory'], cannot, ['advisory', undefined]],
    ['that cannot, and need only look', ['observe', 'require'], cannot, ['advisory', undefined]],
  ] as const)('%s', (_what, [mode, confinement], confining, [enforcement, refusal]) => {
    const one = outfitsWith({ mode, confinement })
    const said = one.refusal(confining)
    if (refusal === undefined) expect(said).toBeUndefined()
    else expect(said).toContain(refusal)
    one.met(confining)
    expect(one.state).toEqual({ enforcement, why: confining.why })
  })

  test('that has not come holds nothing', () => {
    expect(outfitsWith().state).toMatchObject({ enforcement: 'advisory' })
  })
})

test('what a process tries by itself is told, of those that are there', async () => {
  await fit(3)
  told = []
  const attempt = {
    verdict: 'refused',
    how: 'tcp',
    address: '203.0.113.80',
    port: 25,
    dropped: 2,
  } as const
  outfits.attempted({ ...attempt, child: 3 })
  outfits.attempted({ ...attempt, child: 9, dropped: 0 })
  expect(told).toEqual([
    2,
    [
      3,
      {
        verdict: 'denied',
        protocol: 'tcp',
        address: '203.0.113.80',
        port: 25,
        why: 'past-proxy',
        words: expect.stringContaining('HTTPS_PROXY'),
      },
    ],
    0,
  ])
})

describe('a process that is nobody’s yet', () => {
  const spare = (number: number) =>
    outfits.fit({
      process: { number, session: undefined },
      caller: undefined,
      calls: () => [],
      isSpare: true,
    })

  const secretIn = (environment: Readonly<Record<string, string>>): string =>
    /:(\w{32})@/.exec(environment['HTTP_PROXY'] ?? '')?.[1] ?? ''

  test('has a secret that is good for nothing, and is let in nowhere, until somebody has it', async () => {
    const { environment, forwards } = await spare(3)
    const shown = { name: '3', secret: secretIn(environment) }
    expect(outfits.credentials.whose(shown)).toBeUndefined()
    const port = forwards[0]?.port ?? 0
    const socket = connect(port, '127.0.0.1').on('error', () => undefined)
    await once(socket, 'connect')
    const closed = once(socket, 'close')
    outfits.led({ child: 3, from: socket.localPort ?? 0, port })
    await closed
    expect(taken).toEqual([])
    outfits.handed(3, 's', ALICE)
    const account = outfits.credentials.whose(shown)
    expect([account?.session, account?.worksFor([])]).toEqual([
      's',
      { key: 'alice', principal: ALICE, caller: undefined },
    ])
    await come(3, port)
    expect(taken.map(([one]) => one)).toEqual([account])
  })

  test('is handed over once, and one that was somebody’s from the start is not', async () => {
    await fit(4)
    outfits.handed(4, 'other', { key: 'eve' })
    const { environment } = await spare(5)
    outfits.handed(5, 's', ALICE)
    outfits.handed(5, 'other', { key: 'eve' })
    const shown = { name: '5', secret: secretIn(environment) }
    expect(outfits.credentials.whose(shown)?.worksFor([]).key).toBe('alice')
  })

  test.each<[string, Partial<OutfitsOptions>, string | undefined]>([
    ['is only observed', { mode: 'observe' }, undefined],
    ['cannot be confined', { confinement: 'advisory' }, 'no notifications'],
  ])('is not started where it %s', async (_name, more, why) => {
    outfits.close()
    outfits = outfitsWith(more)
    outfits.met({ ...CONFINING, why })
    expect(outfits.holdsBack()).toBe(false)
    await expect(spare(3)).rejects.toThrow('nothing would keep')
    // Another is as ever.
    await expect(fit(4)).resolves.toBeDefined()
  })
})
