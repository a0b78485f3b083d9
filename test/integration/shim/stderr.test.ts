// A child's stderr: to the container's log and to the sidecar, rate-limited, counted, never blocking.

import { afterAll, afterEach, describe, expect, test } from '@jest/globals'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BUILDS, buildShim, compileFixture, ShimProcess } from '../../support/shim.ts'
import { ticksOf } from '../../support/proc.ts'
import { readAll, readLine, until } from '../../support/waiting.ts'

const FOLDER = mkdtempSync(join(tmpdir(), 'shim-stderr-'))
chmodSync(FOLDER, 0o755)
afterAll(() => rmSync(FOLDER, { recursive: true }))
const EARLY = [compileFixture('early', FOLDER)]

const MIB = 1024 * 1024
const BURST = 256 * 1024
const RATE = 64 * 1024
const TAIL = 4096

describe.each(BUILDS)('%s build', (_build, target) => {
  let shim: ShimProcess
  const start = (): ShimProcess => (shim = new ShimProcess({ binary: buildShim(target) }))
  afterEach(() => shim.close())

  test('goes to the sidecar and to the shim’s own stderr, byte for byte', async () => {
    const connection = await start().ready()
    const child = await connection.run(String.raw`printf '\000\377\303\050\r\n\033[31m' >&2`)
    await connection.event('gone', child.id)
    const said = '\u0000\u00FF\u00C3(\r\n\u001B[31m'
    expect(connection.stderr(child.id)).toBe(said)
    await until(() => shim.log === said, 'the log has it')
  })

  test('of a child that lives comes at once', async () => {
    const connection = await start().ready()
    const child = await connection.run('echo started >&2; exec sleep 1000')
    await connection.event('stderr', child.id)
    expect(connection.stderr(child.id)).toBe('started\n')
  })

  test('comes after SPAWNED, however soon a child speaks', async () => {
    shim = new ShimProcess({ binary: buildShim(target), command: EARLY })
    const connection = await shim.ready()
    const offers = await Promise.all(Array.from({ length: 32 }, () => connection.offer()))
    await Promise.all(offers.map((offer) => connection.start(offer)))
    for (const { id } of offers) {
      await connection.event('stderr', id)
      expect(connection.story(id)).toEqual(['pipes', 'spawned', 'stderr'])
    }
  })

  test('up to the burst nothing is lost', async () => {
    const connection = await start().ready()
    const child = await connection.run(`seq 30000 >&2`)
    await connection.event('exited', child.id)
    const expected = `${Array.from({ length: 30_000 }, (_, i) => i + 1).join('\n')}\n`
    expect(expected.length).toBeLessThan(BURST)
    expect(connection.stderr(child.id)).toBe(expected)
    expect(connection.dropped(child.id)).toBe(0)
  })

  test('beyond it, what is dropped is counted, and the tail arrives before EXITED', async () => {
    const connection = await start().ready()
    const began = Date.now()
    const child = await connection.run(
      `head -c ${4 * MIB} /dev/zero | tr '\\0' x >&2; echo the end >&2`,
    )
    await connection.event('exited', child.id)
    const seconds = (Date.now() - began) / 1000
    const said = connection.stderr(child.id)
    expect(said.length + connection.dropped(child.id)).toBe(4 * MIB + 'the end\n'.length)
    expect(said.length).toBeLessThanOrEqual(BURST + RATE * (seconds + 1) + TAIL)
    expect(said.slice(-TAIL)).toBe(`${'x'.repeat(TAIL - 'the end\n'.length)}the end\n`)
    await connection.event('gone', child.id)
    expect(connection.story(child.id).slice(-3)).toEqual(['stderr', 'exited', 'gone'])
  })

  test('a crash is told with its last words', async () => {
    const connection = await start().ready()
    const child = await connection.run('echo "Error: no API key" >&2; kill -ABRT $$')
    await connection.event('exited', child.id)
    expect(connection.stderr(child.id)).toBe('Error: no API key\n')
  })

  test('of a descendant, after the child has ended, goes to the log alone', async () => {
    const connection = await start().ready()
    const child = await connection.run(
      `(trap "echo late >&2; exit" TERM; echo up; sleep 1000 & wait) & read line`,
    )
    await readLine(child.stdout)
    child.stdin.destroy()
    await connection.event('gone', child.id)
    await until(() => shim.log.includes('late\n'), 'the log has it')
    // Whether it was said before or after EXITED is the scheduler's choice; after it, never sent.
    expect(connection.story(child.id).slice(-2)).toEqual(['exited', 'gone'])
  })

  test('that is closed costs nothing', async () => {
    const connection = await start().ready()
    const child = await connection.run('exec 2>&-; echo closed; exec sleep 1000')
    await readLine(child.stdout)
    const before = ticksOf(shim.pid)
    await connection.event('gone', (await connection.run('sleep 0.5')).id)
    expect(ticksOf(shim.pid) - before).toBeLessThan(20)
  })

  test('that floods keeps nobody from anything', async () => {
    const connection = await start().ready()
    const flood = await connection.run('exec yes flood >&2')
    await connection.event('stderr', flood.id)
    for (let i = 0; i < 20; i++) {
      const child = await connection.run('cat')
      child.stdin.end('through')
      expect(await readAll(child.stdout)).toBe('through')
    }
    await connection.kill(flood)
  })

  test('when nobody reads the log: children go on, and the log says what is missing', async () => {
    const connection = await start().ready()
    shim.process.stderr?.pause()
    const child = await connection.run(`head -c ${MIB} /dev/zero >&2; cat`)
    child.stdin.end('through')
    expect(await readAll(child.stdout)).toBe('through')
    await connection.event('gone', child.id)
    shim.process.stderr?.resume()
    const next = await connection.run('echo next >&2')
    await connection.event('gone', next.id)
    await until(() => /shim: \d+ bytes of stderr were dropped here/.test(shim.log), 'the log says')
    await until(() => shim.log.endsWith('next\n'), 'the log goes on')
  })
})
