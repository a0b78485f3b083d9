// Confinement as the sidecar asks for it: of children beside one another, of one command, and what is told of what they
// tried.

import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { join } from 'node:path'
import { ExecProcess } from '../../support/exec-process.ts'
import { BUILDS, buildShim, ShimProcess } from '../../support/shim.ts'
import type { Connection } from '../../support/shim-connection.ts'
import type { EventOf, Terms } from '../../support/shim-frame.ts'
import { Stranger } from '../../support/stranger.ts'
import { descriptorsOf } from '../../support/proc.ts'
import { readLine, until } from '../../support/waiting.ts'

const OFF = 0
const OBSERVE = 1
const ENFORCE = 2
const REFUSED = 'refused: Connection refused'
const DENIED = 'refused: Permission denied'
/** EGRESS's kinds. */
const UDP = 2
const OTHER = 4
/** HELLO's flags: confinement works, and the kernel's own rules stand behind it. */
const CAN_CONFINE = 8
/** So often `many` tries. */
const MANY = 301

/** Attempts of a child that were told of or counted. */
const counted = ({ events }: Connection, id: number): number =>
  events
    .flatMap((event) => (event.type === 'egress' && event.child === id ? event : []))
    .reduce((sum, { dropped }) => sum + 1 + dropped, 0)

let program: string
let stranger: Stranger
/** Refuses a flag of seccomp's, as a kernel that lacks it. */
let oldKernel: string
/** Has a supervisor wait behind each of its answers. */
let heldAnswers: string

beforeAll(async () => {
  stranger = new Stranger(0o777)
  program = stranger.program('hostile-client')
  oldKernel = stranger.program('without-filter-flag')
  heldAnswers = stranger.program('held-answers')
  await stranger.listen()
})
afterAll(() => stranger.close())

describe.each(BUILDS)('%s build', (_build, target) => {
  describe('children', () => {
    let shim: ShimProcess
    let connection: Connection

    afterEach(() => shim.close())

    const start = async (): Promise<void> => {
      shim = new ShimProcess({ binary: buildShim(target) })
      connection = await shim.ready()
    }

    const run = async (
      words: readonly (string | number)[],
      terms: Terms,
    ): Promise<{ said: string; id: number }> => {
      const child = await connection.run(`exec ${program} ${words.join(' ')}`, {}, terms)
      return { said: await readLine(child.stdout), id: child.id }
    }
    const direct = async (terms: Terms, port = stranger.port): Promise<string> =>
      (await run(['direct', port, stranger.path], terms)).said

    test('reach whom they like without a confinement', async () => {
      await start()
      expect(await direct({ mode: OFF })).toBe('reached')
    })

    test('reach nobody of themselves where it is enforced, and are told of', async () => {
      await start()
      const { said, id } = await run(['direct', stranger.port, stranger.path], { mode: ENFORCE })
      expect(said).toBe(REFUSED)
      expect(await connection.event('egress', id)).toEqual({
        type: 'egress',
        child: id,
        verdict: 2,
        kind: 1,
        family: 4,
        address: '7f000001',
        port: stranger.port,
        dropped: 0,
      })
    })

    test('are told of where it is observed, and let through', async () => {
      await start()
      const { said, id } = await run(['mapped', stranger.port, stranger.path], { mode: OBSERVE })
      expect(said).toBe('reached')
      expect(await connection.event('egress', id)).toMatchObject({
        verdict: 1,
        family: 6,
        address: '00000000000000000000ffff7f000001',
      })
    })

    test('have each its own forwards', async () => {
      await start()
      const local = 5432
      stranger.reached = 0
      const [mine, other] = await Promise.all([
        direct({ mode: ENFORCE, forwards: [[local, stranger.port]] }, local),
        direct({ mode: ENFORCE, forwards: [[5433, stranger.port]] }, local),
      ])
      expect([mine, other]).toEqual(['reached', REFUSED])
      // It has a connection when the kernel has it, and hears of it, and of what the shim says, a little later.
      await until(() => stranger.reached > 0, 'the stranger is reached')
      await connection.event('led')
      expect(stranger.reached).toBe(1)
      expect(connection.events.filter(({ type }) => type === 'egress')).toEqual([])
      // The sidecar knows who comes, and whence.
      expect(connection.events.filter(({ type }) => type === 'led')).toEqual([
        { type: 'led', child: 1, from: stranger.from, port: stranger.port },
      ])
    })

    test.each([
      ['observed', OBSERVE],
      ['enforced', ENFORCE],
    ])('do not reach one another’s names, %s', async (_mode, mode) => {
      await start()
      const path = join(stranger.folder, `siblings-${target}-${mode}`)
      const stays = await run(['stay', 0, path], { mode })
      const port = Number(/\d+$/.exec(stays.said)?.[0])
      expect(await run(['by-path', 0, path], { mode })).toMatchObject({ said: DENIED })
      expect(await run(['by-abstract-name', 0, path], { mode })).toMatchObject({ said: DENIED })
      const said = await direct({ mode }, port)
      expect(said).toBe(mode === ENFORCE ? REFUSED : 'reached')
    })

    test.each([
      ['observed', OBSERVE],
      ['enforced', ENFORCE],
    ])('do not reach the control socket, %s', async (_mode, mode) => {
      await start()
      const control = join(shim.dir, 'control')
      for (const way of ['by-path', 'by-a-link', 'from-its-folder', 'by-proc']) {
        expect(await run([way, 0, control], { mode })).toMatchObject({ said: DENIED })
      }
    })

    test.each<[way: string, kind: number, socket: string]>([
      ['udp', UDP, '000200020000'],
      ['udp-of-ipv6', UDP, '000a00020011'],
      ['ping', OTHER, '000200020001'],
      ['raw', OTHER, '000200030001'],
      ['packet', OTHER, '001100030000'],
      ['vsock', OTHER, '002800010000'],
      ['sctp', OTHER, '000200010084'],
    ])('are told of where they ask for a socket that is refused: %s', async (way, kind, socket) => {
      await start()
      const { id } = await run([way, stranger.port, stranger.path], { mode: ENFORCE })
      expect(await connection.event('egress', id)).toMatchObject({
        verdict: 2,
        kind,
        family: 0,
        address: `${socket}${'0'.repeat(20)}`,
        port: 0,
      })
    })

    test.each<[what: string, way: string, event: 'egress' | 'led']>([
      ['a connection that is refused', 'direct', 'egress'],
      ['a socket that is refused', 'udp', 'egress'],
      ['a forward', 'direct', 'led'],
    ])('are told of before they go on: %s', async (_what, way, event) => {
      // The sanitizer's own look for leaks does not go together with a tracer.
      shim = new ShimProcess({
        binary: buildShim(target),
        wrapper: [heldAnswers, '1000'],
        environment: { ASAN_OPTIONS: 'detect_leaks=0' },
      })
      connection = await shim.ready()
      const terms: Terms = { mode: ENFORCE, forwards: [[5432, stranger.port]] }
      const port = event === 'led' ? 5432 : stranger.port
      const { id } = await run([way, port, stranger.path], terms)
      // What has come by then is read in the turn that follows.
      await new Promise(setImmediate)
      await new Promise(setImmediate)
      expect(connection.story(id)).toContain(event)
    })

    // Ordinary programs ask for these, and do without.
    test.each([
      ['multipath', ENFORCE],
      ['netlink-of-sockets', ENFORCE],
      ['own-unix', ENFORCE],
      ['by-fast-open', ENFORCE],
      ['udp', OBSERVE],
    ])('are not told of: %s', async (way, mode) => {
      await start()
      const { id } = await run([way, stranger.port, stranger.path], { mode })
      await connection.event('gone', id)
      const told = connection.events.filter((event) => event.type === 'egress')
      expect(told.filter(({ family }) => family === 0)).toEqual([])
    })

    test('that try often are told of now and then, and how often they were not', async () => {
      await start()
      const { id } = await run(['many', stranger.port, stranger.path], { mode: ENFORCE })
      const told = (): number => connection.story(id).filter((type) => type === 'egress').length
      expect(told()).toBeLessThan(200)
      expect(told()).toBeGreaterThan(50)
    })

    // Nothing follows them.
    test.each(['many', 'many-and-stay'])('all are told of or counted: %s', async (way) => {
      await start()
      const { id } = await run([way, stranger.port, stranger.path], { mode: ENFORCE })
      await until(() => counted(connection, id) >= MANY, 'all are counted')
      expect(counted(connection, id)).toBe(MANY)
    })

    test.each<[flood: string, way: string, mode: number, other: Partial<EventOf<'egress'>>]>([
      ['sockets', 'many-sockets', ENFORCE, { verdict: 2, family: 4 }],
      ['connects', 'many-and-udp', ENFORCE, { verdict: 2, kind: UDP, family: 0 }],
      ['connects', 'many-and-metadata', OBSERVE, { verdict: 2, address: 'a9fea9fe' }],
    ])(
      'that try %s without end hide nothing of another sort: %s',
      async (_flood, way, mode, other) => {
        await start()
        const { id } = await run([way, stranger.port, stranger.path], { mode })
        await connection.event('gone', id)
        const told = connection.events.filter(
          (event) => event.type === 'egress' && event.child === id,
        )
        expect(told).toContainEqual(expect.objectContaining(other))
      },
    )

    test('leave nothing of the shim’s behind', async () => {
      await start()
      const fds = (): number => descriptorsOf(shim.pid)
      await direct({ mode: ENFORCE })
      await until(() => connection.events.some(({ type }) => type === 'gone'), 'it has gone')
      const before = fds()
      for (let i = 0; i < 20; i++) {
        const { id } = await run(['own-loopback', 0, 'x'], { mode: ENFORCE })
        await connection.event('gone', id)
      }
      expect(fds()).toBe(before)
    })

    test('are not started where they can’t be confined, says HELLO and REFUSED', async () => {
      shim = new ShimProcess({ binary: buildShim(target), wrapper: [oldKernel, '8'] })
      connection = await shim.connection()
      expect((await connection.hello()).flags & CAN_CONFINE).toBe(0)
      await expect(direct({ mode: ENFORCE })).rejects.toThrow('under supervision')
      expect(await direct({ mode: OFF })).toBe('reached')
    })

    test('can be confined here, says HELLO', async () => {
      shim = new ShimProcess({ binary: buildShim(target) })
      connection = await shim.connection()
      expect((await connection.hello()).flags & CAN_CONFINE).toBe(CAN_CONFINE)
    })
  })

  describe('one command', () => {
    let shim: ExecProcess

    afterEach(() => shim.close())

    const start = async (
      mode: string,
      script = 'echo "$PROXY"; exec sleep 1000',
      wrapper: readonly string[] = [],
    ): Promise<Connection> => {
      shim = new ExecProcess({
        binary: buildShim(target),
        flags: ['--egress', mode],
        hasSidecar: true,
        wrapper,
        command: ['/bin/sh', '-c', script],
      })
      const connection = await shim.connection()
      await connection.hello()
      return connection
    }

    test('waits for CONFINE, and has its lines', async () => {
      const connection = await start('observe')
      expect(await connection.event('supervision')).toMatchObject({ wanted: 3, standing: 3 })
      await new Promise((resolve) => setTimeout(resolve, 300))
      expect(connection.events.some(({ type }) => type === 'spawned')).toBe(false)
      connection.send('confine', { mode: ENFORCE, lines: ['PROXY=there'] })
      expect(await shim.line()).toBe('there')
      await connection.event('spawned', 0)
    })

    test('has its forwards replaced by a later CONFINE', async () => {
      const script = `while sleep 0.1; do ${program} direct 5432 x; done`
      const connection = await start('enforce', script)
      connection.send('confine', { mode: ENFORCE })
      expect(await shim.line()).toBe(REFUSED)
      connection.send('confine', { mode: ENFORCE, forwards: [[5432, stranger.port]] })
      await until(() => shim.said.includes('reached'), 'the forward is there')
    })

    test('waits for START where it can’t be confined, and has CONFINE’s lines', async () => {
      const connection = await start('enforce', undefined, [oldKernel, '8'])
      const supervision = await connection.event('supervision')
      expect(supervision).toMatchObject({ wanted: 3, standing: 0 })
      expect(supervision.why).toContain('under supervision')
      connection.send('confine', { mode: ENFORCE, lines: ['PROXY=there'] })
      await new Promise((resolve) => setTimeout(resolve, 300))
      expect(shim.said).toBe('')
      connection.send('start', {})
      expect(await shim.line()).toBe('there')
    })

    test('START does not start it where it can be confined', async () => {
      const connection = await start('enforce')
      connection.send('start', {})
      await new Promise((resolve) => setTimeout(resolve, 300))
      expect(connection.events.some(({ type }) => type === 'spawned')).toBe(false)
    })

    test('all that it has tried is told of or counted before its end', async () => {
      const connection = await start('enforce', `exec ${program} many ${stranger.port} x`)
      connection.send('confine', { mode: ENFORCE })
      await connection.event('exited', 0)
      expect(counted(connection, 0)).toBe(MANY)
    })

    test('is never confined less than its own flag says', async () => {
      const connection = await start('enforce')
      connection.send('confine', { mode: OBSERVE })
      await connection.closed
      expect(shim.log).toContain('the sidecar confines less than --egress says')
      expect(shim.said).toBe('')
    })
  })
})
