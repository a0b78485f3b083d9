// How children end: by END, by themselves, with their monitor, with the connection, with the shim.
// Whatever they started, nothing of it is left.

import { afterAll, afterEach, describe, expect, test } from '@jest/globals'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kill } from 'node:process'
import {
  BUILDS,
  buildShim,
  compileFixture,
  ShimProcess,
  type ShimOptions,
} from '../../support/shim.ts'
import type { Child, Connection } from '../../support/shim-connection.ts'
import { isAlive, nameOf, parentOf, stateOf } from '../../support/proc.ts'
import { readAll, readLine, until } from '../../support/waiting.ts'

// Each says its pid once it can't be ended but by SIGKILL; DAEMON's is alone in a session of its own.
const STUBBORN = 'trap "" TERM INT HUP; echo $$; while :; do sleep 1; done'
const DAEMON = '(setsid sh -c "$STUBBORN" &)'
const GROUPED = 'sh -c "$STUBBORN" &'
const STOPPED = "(setsid sh -c 'echo $$; kill -STOP $$' &)"
const NESTED = '(setsid sh -c "$DAEMON" &)'

const FOLDER = mkdtempSync(join(tmpdir(), 'shim-end-'))
chmodSync(FOLDER, 0o755)
afterAll(() => rmSync(FOLDER, { recursive: true }))

// Without Landlock nobody kills a family in one step: the other way must do.
const WITHOUT_LANDLOCK = [compileFixture('without-landlock', FOLDER)]

describe.each([
  ...BUILDS.map(([build, target]) => [build, target, []] as const),
  ['release, without Landlock', 'all', WITHOUT_LANDLOCK] as const,
])('%s build', (_build, target, wrapper) => {
  let shim: ShimProcess
  const start = (options: ShimOptions = {}): ShimProcess => {
    shim = new ShimProcess({ binary: buildShim(target), wrapper, ...options })
    return shim
  }
  afterEach(() => shim.close())

  // A child whose script first says the pid of something.
  const runWithPid = async (
    connection: Connection,
    script: string,
  ): Promise<{ child: Child; pid: number }> => {
    const child = await connection.run(script, { STUBBORN, DAEMON })
    return { child, pid: Number(await readLine(child.stdout)) }
  }

  describe('END', () => {
    test('a child that heeds SIGTERM ends as it likes', async () => {
      const connection = await start().ready()
      const child = await connection.run(
        'trap "exit 5" TERM; echo up; while :; do sleep 0.01; done',
      )
      await readLine(child.stdout)
      connection.end(child.id, 0, 60_000)
      expect(await connection.event('exited', child.id)).toMatchObject({ kind: 0, value: 5 })
      await connection.event('gone', child.id)
    })

    test('a child that ignores end of file and SIGTERM is killed', async () => {
      const connection = await start().ready()
      const { child } = await runWithPid(connection, STUBBORN)
      child.stdin.destroy()
      connection.end(child.id, 10, 50)
      expect(await connection.event('exited', child.id)).toMatchObject({ kind: 1, value: 9 })
      await connection.event('gone', child.id)
    })

    test('SIGTERM goes to the whole group', async () => {
      const connection = await start().ready()
      const { child, pid } = await runWithPid(connection, 'trap : TERM; sleep 1000 & echo $!; wait')
      // Until then it is the shell's fork, which may take the signal for the shell's own.
      await until(() => nameOf(pid) === 'sleep', 'it is the sleep')
      connection.end(child.id, 0, 60_000)
      await connection.event('gone', child.id)
      expect(isAlive(pid)).toBe(false)
    })

    test('a stopped child is woken for its SIGTERM', async () => {
      const connection = await start().ready()
      const child = await connection.run('trap "exit 6" TERM; kill -STOP $$; sleep 1000')
      await until(() => stateOf(child.pid) === 'T', 'the child is stopped')
      connection.end(child.id, 0, 60_000)
      expect(await connection.event('exited', child.id)).toMatchObject({ kind: 0, value: 6 })
    })

    test('a later END may shorten', async () => {
      const connection = await start().ready()
      const { child } = await runWithPid(connection, STUBBORN)
      connection.end(child.id, 0xff_ff_ff_ff, 0xff_ff_ff_ff)
      connection.end(child.id, 60_000, 60_000)
      connection.end(child.id, 0, 0)
      await connection.event('gone', child.id)
    })

    test('a later END may not lengthen', async () => {
      const connection = await start().ready()
      const { child } = await runWithPid(connection, STUBBORN)
      connection.end(child.id, 50, 50)
      connection.end(child.id, 600_000, 600_000)
      await connection.event('gone', child.id)
    })

    test('an end does not touch the other children', async () => {
      const connection = await start().ready()
      const other = await connection.run('cat')
      const { child } = await runWithPid(connection, STUBBORN)
      await connection.kill(child)
      other.stdin.end('still here')
      expect(await readAll(other.stdout)).toBe('still here')
    })
  })

  describe('what a child leaves behind is gone with it', () => {
    test.each([
      ['a grandchild of its group', `${GROUPED} wait`],
      ['a daemon by double fork and setsid', `${DAEMON}; sleep 1000`],
      ['a stopped daemon', `${STOPPED}; sleep 1000`],
      ['the daemon of a daemon', `${NESTED}; sleep 1000`],
    ])('%s: by END', async (_name, script) => {
      const connection = await start().ready()
      const { child, pid } = await runWithPid(connection, script)
      await connection.kill(child)
      expect(isAlive(pid)).toBe(false)
    })

    test.each([
      ['a grandchild of its group', `${GROUPED} read end`],
      ['a daemon by double fork and setsid', `${DAEMON}; read end`],
      ['a stopped daemon', `${STOPPED}; read end`],
    ])('%s: when the child ends by itself', async (_name, script) => {
      const connection = await start().ready()
      const { child, pid } = await runWithPid(connection, script)
      child.stdin.end()
      // The descendant holds stdout open: that must not hide that the child has ended.
      await connection.event('exited', child.id)
      await connection.event('gone', child.id)
      expect(isAlive(pid)).toBe(false)
    })

    test('what heeds SIGTERM gets half a second to end well', async () => {
      const connection = await start().ready()
      const child = await connection.run(
        `(setsid sh -c 'trap "echo well; exit" TERM; echo up; sleep 1000 & wait' &); read line`,
      )
      await readLine(child.stdout)
      child.stdin.destroy()
      expect(await readAll(child.stdout)).toBe('well\n')
    })

    test('fifty of them', async () => {
      const connection = await start().ready()
      await shim.alone()
      const child = await connection.run(
        `for i in $(seq 50); do (setsid sleep 1000 &); done; echo up; sleep 1000`,
      )
      await readLine(child.stdout)
      await connection.kill(child)
      expect(shim.processes()).toEqual([shim.pid])
    })
  })

  describe('a monitor', () => {
    test('that is killed: its child is ended, told of and free again; others go on', async () => {
      const connection = await start({ flags: ['--max-processes', '2'] }).ready()
      const other = await connection.run('cat')
      const { child, pid } = await runWithPid(connection, `${DAEMON}; sleep 1000`)
      kill(parentOf(child.pid), 'SIGKILL')
      await connection.event('gone', child.id)
      expect(connection.story(child.id)).toEqual(['pipes', 'spawned', 'exited', 'gone'])
      expect([isAlive(child.pid), isAlive(pid)]).toEqual([false, false])
      await connection.kill(await connection.run('exec sleep 1000'))
      other.stdin.end('still here')
      expect(await readAll(other.stdout)).toBe('still here')
    })

    test('that is stopped counts as killed', async () => {
      const connection = await start().ready()
      const { child, pid } = await runWithPid(connection, `${DAEMON}; sleep 1000`)
      kill(parentOf(child.pid), 'SIGSTOP')
      await connection.event('gone', child.id)
      expect([isAlive(child.pid), isAlive(pid)]).toEqual([false, false])
    })

    test('heeds no signal that can be ignored', async () => {
      const connection = await start().ready()
      const child = await connection.run('cat')
      const monitor = parentOf(child.pid)
      for (const signal of [
        'SIGTERM',
        'SIGINT',
        'SIGHUP',
        'SIGUSR1',
        'SIGTSTP',
        'SIGALRM',
      ] as const) {
        kill(monitor, signal)
      }
      child.stdin.end('still here')
      expect(await readAll(child.stdout)).toBe('still here')
      expect(await connection.event('exited', child.id)).toMatchObject({ kind: 0, value: 0 })
    })
  })

  describe('the connection', () => {
    test('drops: everything is killed, and only then the shim comes again', async () => {
      const connection = await start().ready()
      const pids: number[] = []
      for (const script of [`${DAEMON}; sleep 1000`, STUBBORN, `${GROUPED} wait`]) {
        const { child, pid } = await runWithPid(connection, script)
        pids.push(child.pid, pid)
      }
      connection.socket.destroy()
      await shim.ready()
      expect(pids.filter(isAlive)).toEqual([])
    })

    test('comes again with all places free and nothing to tell of the past', async () => {
      const first = await start({ flags: ['--max-processes', '2'] }).ready()
      await first.run('exec sleep 1000')
      await first.run('exec sleep 1000')
      first.socket.destroy()
      const second = await shim.ready()
      await second.run('exec sleep 1000')
      await second.kill(await second.run('exec sleep 1000'))
      expect(second.events.map(({ type }) => type)).toEqual([
        'hello',
        'pipes',
        'spawned',
        'pipes',
        'spawned',
        'exited',
        'gone',
      ])
    })

    test('drops twenty times with children: no descriptor is lost', async () => {
      start()
      for (let i = 0; i < 20; i++) {
        const connection = await shim.ready()
        await connection.run('exec sleep 1000')
        await connection.offer()
        connection.close()
      }
      const connection = await shim.ready()
      await connection.run('exit 0')
    })
  })

  describe('SIGTERM', () => {
    test('is told of with the time left; spawns go on until EXIT', async () => {
      const connection = await start({ flags: ['--grace', '20'] }).ready()
      const before = await connection.run('cat')
      shim.process.kill('SIGTERM')
      const { leftMs } = await connection.event('terminating')
      expect(leftMs).toBeGreaterThan(10_000)
      expect(leftMs).toBeLessThanOrEqual(20_000)
      const after = await connection.run('echo new')
      expect(await readAll(after.stdout)).toBe('new\n')
      before.stdin.end('old')
      expect(await readAll(before.stdout)).toBe('old')
      connection.send('exit', { code: 3 })
      expect(await shim.exit()).toEqual({ code: 3, signal: null })
      expect(connection.events.filter(({ type }) => type === 'terminating')).toHaveLength(1)
    })

    test('before HELLO is told of after it', async () => {
      const connection = await start().connection()
      shim.process.kill('SIGTERM')
      await connection.hello()
      await connection.event('terminating')
    })

    test('and no EXIT: ends with 143 when the time is up, and with it every child', async () => {
      const connection = await start({ flags: ['--grace', '1'] }).ready()
      await connection.run(STUBBORN)
      shim.process.kill('SIGTERM')
      expect(await shim.exit()).toEqual({ code: 143, signal: null })
    })

    test('and the sidecar goes: ends with 143', async () => {
      const connection = await start().ready()
      await connection.run('exec sleep 1000')
      shim.process.kill('SIGTERM')
      await connection.event('terminating')
      connection.socket.destroy()
      expect(await shim.exit()).toEqual({ code: 143, signal: null })
    })
  })

  test('the shim is killed: its monitors kill everything', async () => {
    const connection = await start().ready()
    await runWithPid(connection, `${DAEMON}; sleep 1000`)
    await runWithPid(connection, STUBBORN)
    await shim.destroy()
  })
})
