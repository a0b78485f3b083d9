// What the shim may cost: size, memory, time per spawn; and that ten thousand spawns leave no trace.
// Sizes are asserted; times are printed, for a busy machine must not fail a test.

import { afterEach, describe, expect, jest, test } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BUILDS, buildShim, compileFixture, ShimProcess } from '../../support/shim.ts'
import type { Connection } from '../../support/shim-connection.ts'
import { childrenOf, descriptorsOf, parentOf, statusOf, ticksOf } from '../../support/proc.ts'
import { readLine, until } from '../../support/waiting.ts'

jest.setTimeout(600_000)

const MIB = 1024 * 1024
const say = (line: string): void => void process.stdout.write(`shim: ${line}\n`)

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

let shim: ShimProcess
afterEach(() => shim.close())

// A child's whole life: asked for, started, ended by itself, gone.
const live = async (connection: Connection): Promise<void> => {
  const child = await connection.start(await connection.offer())
  child.stdin.destroy()
  child.stdout.resume()
  await connection.event('gone', child.id)
  child.stdout.destroy()
}

test('on disk: at most 1 MiB', () => {
  shim = new ShimProcess()
  const { size } = statSync(buildShim('all'))
  say(`${size} bytes on disk`)
  expect(size).toBeLessThanOrEqual(MIB)
})

test('in memory, with 64 children that talk on stderr: at most 1 MiB, monitors too', async () => {
  shim = new ShimProcess({ flags: ['--max-processes', '64'] })
  const connection = await shim.ready()
  const bare = statusOf(shim.pid, 'VmRSS')
  const monitors: number[] = []
  const own: number[] = []
  for (let i = 0; i < 64; i++) {
    const child = await connection.run(`echo hello >&2; echo up; exec sleep 1000`, {
      LONG: 'x'.repeat(8000),
    })
    await readLine(child.stdout)
    monitors.push(statusOf(parentOf(child.pid), 'VmRSS'))
    own.push(statusOf(parentOf(child.pid), 'RssAnon'))
  }
  const full = statusOf(shim.pid, 'VmRSS')
  say(
    `${bare} KiB RSS without children, ${full} KiB with 64; ` +
      `a monitor ${median(monitors)} KiB, of which ${median(own)} KiB are not the program's`,
  )
  for (const kib of [bare, full, ...monitors]) expect(kib).toBeLessThanOrEqual(1024)
})

test('in memory, with 64 confined children that have listened and connected: at most 1 MiB', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'confined-budget-'))
  chmodSync(folder, 0o755)
  const program = compileFixture('hostile-client', folder)
  shim = new ShimProcess({ flags: ['--max-processes', '64'] })
  const connection = await shim.ready()
  for (let i = 0; i < 64; i++) {
    const script = `${program} own-loopback 0 x; exec sleep 1000`
    const child = await connection.run(script, {}, { mode: 2, forwards: [[5432, 40_001]] })
    expect(await readLine(child.stdout)).toBe('kept: its own port')
  }
  const kib = statusOf(shim.pid, 'VmRSS')
  rmSync(folder, { recursive: true })
  say(`${kib} KiB RSS with 64 confined children`)
  expect(kib).toBeLessThanOrEqual(1024)
})

test('per spawn: printed beside what fork and exec alone cost', async () => {
  shim = new ShimProcess({ command: ['/bin/true'] })
  const folder = mkdtempSync(join(tmpdir(), 'spawn-floor-'))
  const floorProgram = compileFixture('spawn-floor', folder)
  const connection = await shim.ready()
  const times: number[] = []
  const ticks = ticksOf(shim.pid)
  for (let i = 0; i < 300; i++) {
    const offer = await connection.offer()
    const began = performance.now()
    const child = await connection.start(offer)
    times.push((performance.now() - began) * 1000)
    await connection.event('gone', child.id)
    child.stdin.destroy()
    child.stdout.destroy()
  }
  const floor = Number(execFileSync(floorProgram, ['300'], { encoding: 'utf8' }))
  const cpu = ((ticksOf(shim.pid) - ticks) * 10_000) / times.length
  rmSync(folder, { recursive: true })
  say(
    `${median(times).toFixed(0)} us from OPENED to SPAWNED (seen from Node), ` +
      `fork and exec alone ${floor} us, ${cpu.toFixed(0)} us CPU of the shim's a spawn`,
  )
  expect(times).toHaveLength(300)
})

describe.each(BUILDS)('%s build', (_build, target) => {
  const spawns = target === 'all' ? 10_000 : 2000

  test(`${spawns} spawns and ends leave memory and descriptors as they were`, async () => {
    shim = new ShimProcess({ binary: buildShim(target), command: ['/bin/true'] })
    const connection = await shim.ready()
    const inParallel = async (count: number): Promise<void> => {
      let left = count
      const worker = async (): Promise<void> => {
        while (left-- > 0) await live(connection)
      }
      await Promise.all(Array.from({ length: 16 }, worker))
      connection.events.length = 0
    }
    await inParallel(500)
    const before = { rss: statusOf(shim.pid, 'VmRSS'), descriptors: descriptorsOf(shim.pid) }
    const began = performance.now()
    for (let done = 0; done < spawns; done += 500) await inParallel(500)
    const seconds = (performance.now() - began) / 1000
    const after = { rss: statusOf(shim.pid, 'VmRSS'), descriptors: descriptorsOf(shim.pid) }
    say(
      `${spawns} spawns in ${seconds.toFixed(1)} s: ${before.rss} KiB RSS before, ${after.rss} after`,
    )
    expect(after.descriptors).toBe(before.descriptors)
    // A sanitizer keeps what was freed for a while.
    if (target === 'all') expect(after.rss).toBeLessThanOrEqual(before.rss + 16)
    await until(() => childrenOf(shim.pid).length === 0, 'no zombie is left')
  })

  test('400 children that are killed by their connection’s end leave no trace either', async () => {
    shim = new ShimProcess({ binary: buildShim(target), command: ['/bin/cat'] })
    let before = 0
    for (let round = 0; round < 11; round++) {
      const connection = await shim.ready()
      for (let i = 0; i < 40; i++) await connection.start(await connection.offer())
      connection.close()
      await until(() => childrenOf(shim.pid).length === 0, 'all are gone')
      if (round === 0) before = descriptorsOf(shim.pid)
    }
    expect(descriptorsOf(shim.pid)).toBeLessThanOrEqual(before + 2)
  })
})
