// `shim exec`: the command's exit code, its signals, what it leaves behind, and what the sidecar is told.

import { afterAll, afterEach, describe, expect, test } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ExecProcess, type ExecOptions } from '../../support/exec-process.ts'
import { childrenOf, isAlive } from '../../support/proc.ts'
import { BUILDS, buildShim, compileFixture } from '../../support/shim.ts'
import { VERSION } from '../../support/shim-frame.ts'
import { SERVER_UID, IS_ROOT, OWN_UID } from '../../support/users.ts'
import { until } from '../../support/waiting.ts'

const FOLDER = mkdtempSync(join(tmpdir(), 'shim-exec-fixtures-'))
chmodSync(FOLDER, 0o755)
const WITHOUT_FLAG = compileFixture('without-filter-flag', FOLDER)
afterAll(() => rmSync(FOLDER, { recursive: true }))

// SECCOMP_FILTER_FLAG_NEW_LISTENER, without which there is no supervision.
const ON_OLD_KERNEL = [WITHOUT_FLAG, '8']

/** The flags of HELLO that depend on the kernel. */
const OF_KERNEL = 24

const sh = (script: string): readonly string[] => ['sh', '-c', script]

describe.each(BUILDS)('%s build', (_build, target) => {
  let running: ExecProcess | undefined
  const start = (options: ExecOptions): ExecProcess =>
    (running = new ExecProcess({ binary: buildShim(target), ...options }))
  afterEach(async () => {
    await running?.close()
    running = undefined
  })

  test.each<[string, string[], string]>([
    ['without --', ['exec'], '-- CMD is missing'],
    ['without a command', ['exec', '--'], 'the command is empty'],
    ['with an unknown flag', ['exec', '--once', '--', 'sh'], 'an unknown flag'],
    ['with a relative --run', ['exec', '--run', 'x', '--', 'sh'], 'an absolute directory'],
    ['with a negative grace', ['exec', '--grace', '-1', '--', 'sh'], 'from 0 to 86400'],
  ])('exec %s: exit code 2 and a sentence', (_name, words, why) => {
    const { status, stderr } = spawnSync(buildShim(target), words, { encoding: 'utf8' })
    expect(status).toBe(2)
    expect(stderr).toContain(why)
  })

  describe.each([
    ['alone', []],
    ['under supervision', ['--loopback']],
  ])('%s', (_how, flags) => {
    test.each<[string, string, number]>([
      ['its code', 'exit 7', 7],
      ['0', 'exit 0', 0],
      ['128 + its signal', 'kill -9 $$', 137],
    ])('the exit code is %s', async (_name, script, code) => {
      expect(await start({ flags, command: sh(script) }).exit()).toEqual({ code, signal: null })
    })

    test.each<[string, string, number, string]>([
      ['is not there', '/no/such/command', 127, 'cannot execute /no/such/command'],
      ['may not be executed', '/etc/passwd', 126, 'is it executable'],
    ])('a command that %s: a line and a code', async (_name, command, code, why) => {
      const shim = start({ flags, command: [command] })
      expect(await shim.exit()).toEqual({ code, signal: null })
      expect(shim.log).toContain(why)
    })

    test.each(['TERM', 'INT', 'HUP', 'QUIT', 'USR1', 'USR2', 'WINCH'] as const)(
      'SIG%s goes to the command',
      async (signal) => {
        const script = `trap 'echo got; exit 3' ${signal}; echo up; while :; do sleep 0.01; done`
        const shim = start({ flags, command: sh(script) })
        await shim.line()
        shim.process.kill(`SIG${signal}`)
        expect(await shim.exit()).toEqual({ code: 3, signal: null })
        expect(shim.said).toBe('up\ngot\n')
      },
    )

    test('stdin, stdout, environment and working directory are the command’s', async () => {
      const shim = start({ flags, command: sh('pwd; echo "$PATH"; cat; umask'), cwd: '/tmp' })
      await shim.exit()
      expect(shim.said).toBe(
        `/tmp\n${process.env['PATH'] ?? ''}\n${process.umask().toString(8).padStart(4, '0')}\n`,
      )
    })

    test('what the command leaves behind ends with it', async () => {
      const shim = start({ flags, command: sh('setsid sleep 1000 & echo $!') })
      await shim.exit()
      expect(isAlive(Number(shim.said))).toBe(false)
    })

    test('orphans are reaped', async () => {
      const shim = start({ flags, command: sh('(sleep 0.05 &); echo up; exec sleep 1000') })
      await shim.line()
      await until(() => childrenOf(shim.pid).length === 1, 'only the command is left')
    })
  })

  describe('to a sidecar', () => {
    const UID = IS_ROOT ? SERVER_UID : OWN_UID

    /** Goes on until it is told to end, whatever else it is told. */
    const UNTIL_USR1 = sh('trap "" TERM; trap "exit 9" USR1; echo up; while :; do sleep 0.01; done')

    test('says what stands, that the command runs, and how it ended', async () => {
      const shim = start({ hasSidecar: true, command: UNTIL_USR1 })
      const connection = await shim.connection()
      const { flags, ...hello } = await connection.event('hello')
      connection.send('hello', { version: VERSION })
      expect(hello).toMatchObject({ version: VERSION, uid: UID })
      expect(flags & ~OF_KERNEL).toBe(4)
      const supervision = await connection.event('supervision')
      expect(supervision).toEqual({
        type: 'supervision',
        wanted: 1,
        standing: 1,
        secret: expect.stringMatching(/^[0-9a-f]{32}$/),
        why: '',
      })
      expect((await connection.event('spawned', 0)).pid).toBe(childrenOf(shim.pid)[0])
      await shim.line()
      shim.process.kill('SIGUSR1')
      expect(await connection.event('exited', 0)).toMatchObject({ kind: 0, value: 9 })
      await shim.exit()
      expect(connection.events.map(({ type }) => type)).toEqual([
        'hello',
        'supervision',
        'spawned',
        'exited',
      ])
    })

    test('without --loopback none is wanted', async () => {
      const shim = start({ hasSidecar: true, flags: [], command: sh('exec sleep 1000') })
      const connection = await shim.connection()
      await connection.hello()
      expect(await connection.event('supervision')).toMatchObject({ wanted: 0, standing: 0 })
    })

    test('says TERMINATING with the grace', async () => {
      const flags = ['--loopback', '--grace', '7']
      const shim = start({ hasSidecar: true, flags, command: UNTIL_USR1 })
      const connection = await shim.connection()
      await connection.hello()
      await shim.line()
      shim.process.kill('SIGTERM')
      expect(await connection.event('terminating')).toMatchObject({ leftMs: 7000 })
      shim.process.kill('SIGUSR1')
    })

    describe('holds SIGTERM back', () => {
      const TRAP = sh(
        `trap 'echo got; exit 3' TERM; trap 'echo on' USR1; echo up; while :; do sleep 0.01; done`,
      )
      const stop = async (...flags: string[]) => {
        const shim = start({ hasSidecar: true, flags: ['--loopback', ...flags], command: TRAP })
        const connection = await shim.connection()
        await connection.hello()
        await shim.line()
        shim.process.kill('SIGTERM')
        await connection.event('terminating')
        return { shim, connection }
      }

      test.each<[string, (stopped: Awaited<ReturnType<typeof stop>>) => unknown]>([
        ['the sidecar says EXIT', ({ connection }) => connection.send('exit', { code: 0 })],
        ['the sidecar has gone', ({ connection }) => connection.close()],
        ['a second one comes', ({ shim }) => shim.process.kill('SIGTERM')],
      ])('until %s', async (_name, end) => {
        const stopped = await stop()
        const { shim } = stopped
        shim.process.kill('SIGUSR1')
        await until(() => shim.said !== 'up\n', 'a later signal has gone on')
        end(stopped)
        expect(await shim.exit()).toEqual({ code: 3, signal: null })
        expect(shim.said).toBe('up\non\ngot\n')
      })

      test('until its own part of the grace begins', async () => {
        const { shim } = await stop('--grace', '1')
        expect(await shim.exit()).toEqual({ code: 3, signal: null })
      })
    })

    test('a connection that drops changes nothing for the command', async () => {
      const shim = start({ hasSidecar: true, command: sh('exec sleep 1000') })
      const first = await shim.connection()
      await first.hello()
      const { pid } = await first.event('spawned', 0)
      const { secret } = await first.event('supervision')
      first.close()
      const second = await shim.connection()
      await second.hello()
      expect((await second.event('supervision')).secret).toBe(secret)
      expect((await second.event('spawned', 0)).pid).toBe(pid)
      expect(isAlive(pid)).toBe(true)
    })

    test.each(['spawn', 'exit', 'confine'] as const)(
      '%s ends the connection, not the command',
      async (type) => {
        const shim = start({ hasSidecar: true, command: sh('exec sleep 1000') })
        const connection = await shim.connection()
        await connection.hello()
        const { pid } = await connection.event('spawned', 0)
        if (type === 'exit') connection.send('exit', { code: 0 })
        else if (type === 'confine') connection.send('confine', {})
        else connection.send('spawn', { child: 1, name: 'f'.repeat(32) })
        await connection.closed
        expect(isAlive(pid)).toBe(true)
        expect(shim.log).toContain('a frame is not for a shim with one command')
      },
    )
  })

  describe('where nothing can be supervised', () => {
    test('says why, and starts the command at START only', async () => {
      const shim = start({
        wrapper: ON_OLD_KERNEL,
        hasSidecar: true,
        command: sh('echo up; sleep 1000'),
      })
      const connection = await shim.connection()
      await connection.hello()
      const { why, ...supervision } = await connection.event('supervision')
      expect(supervision).toMatchObject({ wanted: 1, standing: 0 })
      expect(why).toContain('cannot put the command under supervision')
      expect(childrenOf(shim.pid)).toEqual([])
      connection.send('start', {})
      await connection.event('spawned', 0)
      expect(await shim.line()).toBe('up')
      expect(shim.log).toContain('it can be reached directly')
    })

    test('ends at SIGTERM while it waits', async () => {
      const shim = start({ wrapper: ON_OLD_KERNEL, hasSidecar: true, command: sh('exit 1') })
      await (await shim.connection()).hello()
      shim.process.kill('SIGTERM')
      expect(await shim.exit()).toEqual({ code: 143, signal: null })
    })

    test('without a sidecar to ask: exit code 1 and what to do', async () => {
      const shim = start({ wrapper: ON_OLD_KERNEL, command: sh('exit 0') })
      expect(await shim.exit()).toEqual({ code: 1, signal: null })
      expect(shim.log).toContain('take --loopback away')
    })

    test('a process that only wants to be PID 1 is started', async () => {
      const shim = start({ wrapper: ON_OLD_KERNEL, flags: [], command: sh('exit 5') })
      expect(await shim.exit()).toEqual({ code: 5, signal: null })
    })
  })
})
