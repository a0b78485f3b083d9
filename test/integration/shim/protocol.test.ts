// The control protocol as sidecar/shim/README.md has it: every request, every refusal, their order,
// and what ends a connection.

import { afterEach, describe, expect, test } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BUILDS, buildShim, ShimProcess, type ShimOptions } from '../../support/shim.ts'
import { encodeRequest, frame, REASON, VERSION } from '../../support/shim-frame.ts'
import { readAll, readLine, until } from '../../support/waiting.ts'
import { IS_ROOT } from '../../support/users.ts'

const NAME = '0123456789abcdef0123456789abcdef'

describe.each(BUILDS)('%s build', (_build, target) => {
  let shim: ShimProcess
  const start = (options: ShimOptions = {}): ShimProcess => {
    shim = new ShimProcess({ binary: buildShim(target), ...options })
    return shim
  }
  afterEach(() => shim.close())

  describe('greeting', () => {
    // Whoever else connects to the sidecar gets no turn between.
    test('HELLO is said at once, with version, uid, Landlock ABI and flags', async () => {
      const connection = await start().connection()
      const hello = await connection.event('hello')
      connection.send('hello', { version: VERSION })
      expect(hello).toMatchObject({ version: VERSION, uid: shim.uid })
      // What confinement takes is the kernel's.
      expect(hello.flags & ~24).toBe(0)
      expect(hello.landlockAbi).toBeGreaterThanOrEqual(0)
    })

    test.each([
      ['another request first', encodeRequest('exit', { code: 3 }), 'HELLO first'],
      ['another version', encodeRequest('hello', { version: 1 }), 'another protocol version'],
      ['HELLO of the wrong length', frame(0x01, Buffer.of(0)), 'HELLO frame has the wrong length'],
    ])('%s ends the connection, and the shim comes again', async (_name, bytes, why) => {
      const first = await start().connection()
      first.socket.write(bytes)
      await first.closed
      expect(shim.log).toContain(why)
      await shim.ready()
    })
  })

  test('a sidecar that breaks the protocol again and again is told of once in a while', async () => {
    start()
    for (let i = 0; i < 5; i++) {
      const connection = await shim.connection()
      connection.send('hello', { version: 1 })
      await connection.closed
    }
    await shim.ready()
    expect(shim.log.match(/another protocol version/g)).toHaveLength(1)
  })

  describe('frames', () => {
    const u32 = (value: number): Buffer => {
      const bytes = Buffer.alloc(4)
      bytes.writeUInt32BE(value)
      return bytes
    }

    test.each([
      ['a length of 0', u32(0), 'not 1 to 65536'],
      ['a length of 65537', u32(65_537), 'not 1 to 65536'],
      ['a length of 2^32-1', u32(0xff_ff_ff_ff), 'not 1 to 65536'],
      ['type 0', frame(0x00), 'unknown type'],
      ['type 6', frame(0x06), 'unknown type'],
      ['type 7', frame(0x07, Buffer.of(0, 0)), 'unknown type'],
      ['an event of the shim’s own', frame(0x82, u32(1)), 'unknown type'],
      ['a second HELLO', encodeRequest('hello', { version: VERSION }), 'only once'],
      ['SPAWN without a whole name', frame(0x02, Buffer.alloc(35)), 'SPAWN frame is too short'],
      [
        'SPAWN without a confinement',
        frame(0x02, Buffer.concat([u32(1), Buffer.from(NAME)])),
        'confinement is too short',
      ],
      [
        'SPAWN with half a forward',
        frame(0x02, Buffer.concat([u32(1), Buffer.from(NAME), Buffer.of(2, 1, 0, 9)])),
        'confinement is too short',
      ],
      ['OPENED with a byte too many', frame(0x03, Buffer.alloc(5)), 'wrong length'],
      ['END with a byte too few', frame(0x04, Buffer.alloc(11)), 'wrong length'],
      ['TOKEN without a child', frame(0x08, Buffer.alloc(3)), 'TOKEN frame has the wrong length'],
      [
        'TOKEN of 16,385 bytes',
        frame(0x08, Buffer.alloc(16_389)),
        'TOKEN frame has the wrong length',
      ],
      ['EXIT without a code', frame(0x05), 'wrong length'],
    ])('%s ends the connection, and every child with it', async (_name, bytes, why) => {
      const connection = await start().ready()
      const child = await connection.run('exec sleep 1000')
      connection.socket.write(bytes)
      await connection.closed
      // The children are dead before the sidecar can see that the connection has ended.
      expect(shim.processes()).not.toContain(child.pid)
      expect(shim.log).toContain(why)
      await shim.ready()
    })

    test('bytes may come one by one, and many frames at once', async () => {
      const connection = await start().connection()
      for (const byte of encodeRequest('hello', { version: VERSION })) {
        connection.socket.write(Buffer.of(byte))
        await new Promise((resolve) => setImmediate(resolve))
      }
      await connection.event('hello')
      const names = Array.from({ length: 20 }, () => randomBytes(16).toString('hex'))
      connection.socket.write(
        Buffer.concat(names.map((name, child) => encodeRequest('spawn', { child, name }))),
      )
      for (const child of names.keys()) await connection.event('pipes', child)
    })

    test('a frame of the greatest length is read', async () => {
      const connection = await start().ready()
      connection.socket.write(frame(0x02, Buffer.concat([u32(7), Buffer.alloc(65_531, 'x')])))
      expect(await connection.event('refused', 7)).toMatchObject({ reason: REASON.badRequest })
    })
  })

  describe('a child', () => {
    test('is told of as PIPES, SPAWNED, STDERR, EXITED, GONE', async () => {
      const connection = await start().ready()
      const child = await connection.run('echo out; echo err >&2; exit 7')
      expect(await readAll(child.stdout)).toBe('out\n')
      expect(await connection.event('exited', child.id)).toMatchObject({ kind: 0, value: 7 })
      await connection.event('gone', child.id)
      expect(connection.story(child.id)).toEqual(['pipes', 'spawned', 'stderr', 'exited', 'gone'])
      expect(connection.stderr(child.id)).toBe('err\n')
    })

    test('that dies of a signal is told of by the signal', async () => {
      const connection = await start().ready()
      const child = await connection.run('kill -SEGV $$')
      expect(await connection.event('exited', child.id)).toMatchObject({ kind: 1, value: 11 })
    })

    test('has pipes with names only until both ends are open', async () => {
      const connection = await start().ready()
      const offer = await connection.offer({ SCRIPT: 'ls $PIPES; read line' })
      expect(readdirSync(shim.pipes).sort()).toEqual([`${offer.name}.in`, `${offer.name}.out`])
      await connection.start(offer)
      expect(readdirSync(shim.pipes)).toEqual([])
    })

    test('has the number that the sidecar gave, also the greatest', async () => {
      const connection = await start().ready()
      connection.send('spawn', { child: 0xff_ff_ff_ff, name: NAME })
      await connection.event('pipes', 0xff_ff_ff_ff)
    })

    test('may have the number of one that is gone', async () => {
      const connection = await start().ready()
      const child = await connection.run('exit 0')
      await connection.event('gone', child.id)
      connection.send('spawn', { child: child.id, name: NAME })
      await connection.eventWhere(
        (event) => event.type === 'pipes' && connection.story(child.id).length > 4,
      )
    })

    test('OPENED and END for a child that does not exist are passed over', async () => {
      const connection = await start().ready()
      connection.send('opened', { child: 99 })
      connection.end(99, 0, 0)
      const child = await connection.run('exit 0')
      connection.send('opened', { child: child.id })
      await connection.event('gone', child.id)
    })
  })

  describe('refusals', () => {
    const line = (length: number): string => `K=${'v'.repeat(length - 3)}`

    test.each<[string, string, readonly string[], string]>([
      ['a name in upper case', NAME.toUpperCase(), [], '32 lower-case hex digits'],
      ['a name that is a path', `../../${NAME.slice(6)}`, [], '32 lower-case hex digits'],
      ['a name with a NUL', `\0${NAME.slice(1)}`, [], '32 lower-case hex digits'],
      ['a line without =', NAME, ['KEY'], 'not KEY=VALUE'],
      ['a line without a key', NAME, ['=VALUE'], 'not KEY=VALUE'],
      ['an empty line', NAME, [''], 'not KEY=VALUE'],
      ['65 lines', NAME, Array.from({ length: 65 }, (_, i) => `K${i}=`), 'more than 64'],
      ['more than 32 KiB', NAME, [line(32_769)], 'longer than 32 KiB'],
    ])('SPAWN with %s: bad request', async (_name, name, lines, why) => {
      const connection = await start().ready()
      connection.send('spawn', { child: 1001, name, lines })
      const refused = await connection.event('refused', 1001)
      expect(refused.reason).toBe(REASON.badRequest)
      expect(refused.text).toContain(why)
      expect(readdirSync(shim.pipes)).toEqual([])
      await connection.run('exit 0')
    })

    test('a last line without its end: bad request', async () => {
      const connection = await start().ready()
      connection.socket.write(frame(0x02, Buffer.from(`\0\0\0\u0009${NAME}\0\0KEY=VALUE`)))
      expect(await connection.event('refused', 9)).toMatchObject({ reason: REASON.badRequest })
    })

    test('64 lines and 32 KiB are not too much', async () => {
      const connection = await start().ready()
      const lines = Array.from(
        { length: 64 },
        (_, i) => `K${String(i).padStart(2, '0')}=${'v'.repeat(507)}`,
      )
      connection.send('spawn', { child: 1, name: NAME, lines })
      await connection.event('pipes', 1)
    })

    test('a number that is in use: bad request', async () => {
      const connection = await start().ready()
      const { id } = await connection.offer()
      connection.send('spawn', { child: id, name: NAME })
      expect(await connection.event('refused', id)).toMatchObject({ reason: REASON.badRequest })
    })

    test('a name that is in use: system', async () => {
      const connection = await start().ready()
      connection.send('spawn', { child: 1, name: NAME })
      await connection.event('pipes', 1)
      connection.send('spawn', { child: 2, name: NAME })
      expect(await connection.event('refused', 2)).toMatchObject({ reason: REASON.system })
      expect(readdirSync(shim.pipes)).toHaveLength(2)
    })

    test('more children than --max-processes: too many, until one is gone', async () => {
      const connection = await start({ flags: ['--max-processes', '2'] }).ready()
      const first = await connection.run('exec sleep 1000')
      await connection.offer()
      expect((await connection.ask()).answer).toMatchObject({ reason: REASON.tooMany })
      await connection.kill(first)
      expect((await connection.ask()).answer).toMatchObject({ type: 'pipes' })
    })

    test('more than twice --spawn-rate at once: too fast, but not for long', async () => {
      const connection = await start({ flags: ['--spawn-rate', '1'] }).ready()
      expect((await connection.ask()).answer.type).toBe('pipes')
      expect((await connection.ask()).answer.type).toBe('pipes')
      expect((await connection.ask()).answer).toMatchObject({ reason: REASON.tooFast })
      for (;;) if ((await connection.ask()).answer.type === 'pipes') break
    })

    test('END before OPENED: ending, and no FIFO is left', async () => {
      const connection = await start().ready()
      const offer = await connection.offer()
      connection.end(offer.id, 1000, 1000)
      expect(await connection.event('refused', offer.id)).toMatchObject({ reason: REASON.ending })
      expect(readdirSync(shim.pipes)).toEqual([])
    })

    test('no OPENED within 5 s: system, and no FIFO is left', async () => {
      const connection = await start().ready()
      const { id } = await connection.offer()
      const refused = await connection.event('refused', id)
      expect(refused.reason).toBe(REASON.system)
      expect(refused.text).toContain('within 5 s')
      expect(readdirSync(shim.pipes)).toEqual([])
    })

    test('no pipes folder: system', async () => {
      start({ isLate: true })
      shim.listen()
      shim.asSidecar(() => chmodSync(shim.pipes, 0o700))
      const connection = await shim.ready()
      const { answer } = await connection.ask()
      // Root may write anywhere; the shim is root only where the tests are and share one user.
      expect(answer).toMatchObject(IS_ROOT ? { reason: REASON.system } : { type: 'pipes' })
    })
  })

  describe('commands that cannot be executed', () => {
    test.each([
      ['no such file', 0o755, undefined, 'No such file or directory'],
      ['not executable', 0o644, '#!/bin/sh\n', 'is it executable'],
      ['no program', 0o755, 'echo hello\n', 'no program for this machine'],
      ['no interpreter', 0o755, '#!/no/such/interpreter\n', 'its interpreter'],
    ])('%s: said in words, and the place is free again', async (_name, mode, content, why) => {
      const folder = mkdtempSync(join(tmpdir(), 'command-'))
      const command = join(folder, 'command')
      chmodSync(folder, 0o755)
      if (content !== undefined) writeFileSync(command, content, { mode })
      start({ command: [command], flags: ['--max-processes', '1'] })
      const connection = await shim.ready()
      for (const _again of [1, 2]) {
        const offer = await connection.offer()
        connection.send('opened', { child: offer.id })
        const refused = await connection.event('refused', offer.id)
        expect(refused).toMatchObject({ reason: REASON.cannotExecute })
        expect(refused.text).toContain(why)
        expect(connection.story(offer.id)).toEqual(['pipes', 'refused'])
      }
      rmSync(folder, { recursive: true })
    })
  })

  test('a sidecar that vanishes between PIPES and OPENED leaves no FIFO and no child', async () => {
    const connection = await start().ready()
    await connection.offer()
    connection.socket.destroy()
    await shim.ready()
    expect(readdirSync(shim.pipes)).toEqual([])
  })

  test('a sidecar that does not read its events is dropped', async () => {
    const connection = await start().ready()
    const child = await connection.run('exec sleep 1000')
    connection.socket.pause()
    const spawn = encodeRequest('spawn', { child: child.id, name: NAME })
    // Each is refused; the refusals fill every buffer on the way until requests are read no more.
    connection.socket.write(Buffer.concat(Array.from({ length: 60_000 }, () => spawn)))
    await shim.ready()
    expect(shim.log).toContain('does not read its events')
    expect(shim.processes()).not.toContain(child.pid)
  })

  test('EXIT ends every child at once and the shim with the code', async () => {
    const connection = await start().ready()
    const child = await connection.run('trap "" TERM; echo up; while :; do sleep 1; done')
    await readLine(child.stdout)
    connection.send('exit', { code: 42 })
    expect(await shim.exit()).toEqual({ code: 42, signal: null })
    await until(() => shim.processes().length === 0, 'nothing is left')
  })

  test('EXIT counts also where the sidecar closes right after it', async () => {
    const connection = await start().ready()
    await connection.run('exec sleep 1000')
    connection.socket.end(encodeRequest('exit', { code: 9 }))
    expect(await shim.exit()).toEqual({ code: 9, signal: null })
  })
})
