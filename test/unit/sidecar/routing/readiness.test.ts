// Ready when the server has answered; not ready says why; a broken one is tried again, never in a hot loop.

import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import type { Eras } from '../../../../sidecar/routing/eras.ts'
import { Readiness } from '../../../../sidecar/routing/readiness.ts'
import { fault, type Fault } from '../../../../sidecar/mcp/faults.ts'
import { fail, ok, type Result } from '../../../../shared/result.ts'
import { keptLog, type KeptLog } from '../../../support/kept-log.ts'

const BOTH: Eras = { isLegacy: true, isModern: true, versions: ['2026-07-28'] }
const BROKEN = fail(fault('server-exited', 'the server exited with code 3'))

let probes: ((result: Result<Eras, Fault>) => void)[]
let readiness: Readiness
let kept: KeptLog

/** The server answers the probe that is under way. */
const answers = async (result: Result<Eras, Fault>): Promise<void> => {
  probes.shift()?.(result)
  await jest.advanceTimersByTimeAsync(0)
}

beforeEach(() => {
  jest.useFakeTimers()
  probes = []
  kept = keptLog()
  readiness = new Readiness({
    patienceMs: 1000,
    probe: () => new Promise((resolve) => void probes.push(resolve)),
    log: kept.log,
  })
})

afterEach(() => {
  readiness.close()
  jest.useRealTimers()
})

describe('obstacle', () => {
  test('before the shim has come, while the server is asked, and when it has answered', async () => {
    expect(readiness.obstacle).toContain('shim')
    readiness.begin(undefined)
    expect(readiness.obstacle).toContain('not answered yet')
    await answers(ok(BOTH))
    expect(readiness.obstacle).toBeUndefined()
    await readiness.whenReady
  })

  test('a broken server: its own words', async () => {
    readiness.begin(undefined)
    await answers(BROKEN)
    expect(readiness.obstacle).toBe('the server exited with code 3')
    expect(await readiness.whenFailed).toBe('the server exited with code 3')
  })

  test('draining stands above all', async () => {
    readiness.begin(undefined)
    await answers(ok(BOTH))
    readiness.isDraining = true
    expect(readiness.obstacle).toContain('draining')
  })

  test('the container is gone', async () => {
    readiness.begin(undefined)
    await answers(ok(BOTH))
    readiness.stop('gone')
    expect([readiness.obstacle, readiness.known]).toEqual(['gone', undefined])
  })
})

describe('a broken server', () => {
  test('is tried again after pauses that double, up to half a minute', async () => {
    readiness.begin(undefined)
    for (const pauseMs of [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
      await answers(BROKEN)
      await jest.advanceTimersByTimeAsync(pauseMs - 1)
      expect(probes).toHaveLength(0)
      await jest.advanceTimersByTimeAsync(1)
      expect(probes).toHaveLength(1)
    }
    await answers(ok(BOTH))
    expect(readiness.obstacle).toBeUndefined()
  })

  test('that fails later is asked again, after several starts in a row', async () => {
    readiness.begin(undefined)
    await answers(ok(BOTH))
    readiness.startFailed('a')
    readiness.startFailed('b')
    readiness.started()
    readiness.startFailed('c')
    readiness.startFailed('d')
    expect(readiness.obstacle).toBeUndefined()
    readiness.startFailed('e')
    expect(readiness.obstacle).toBe('e')
    await answers(ok(BOTH))
    expect(readiness.obstacle).toBeUndefined()
  })
})

describe('who asks for the eras', () => {
  test('hears them at once where they are known, else when they are', async () => {
    const early = readiness.eras()
    readiness.begin(undefined)
    await answers(ok(BOTH))
    expect([await early, await readiness.eras()]).toEqual([BOTH, BOTH])
  })

  test.each([
    ['the start fails', () => answers(BROKEN)],
    ['it takes too long', () => jest.advanceTimersByTimeAsync(1000)],
    ['the sidecar ends', () => Promise.resolve(readiness.close())],
  ])('hears nothing where %s', async (_name, happens) => {
    readiness.begin(undefined)
    const waiting = readiness.eras()
    await happens()
    expect(await waiting).toBeUndefined()
  })
})

test("an earlier container's answer changes nothing", async () => {
  readiness.begin(undefined)
  readiness.begin(undefined)
  await answers(ok(BOTH))
  expect(readiness.known).toBeUndefined()
  await answers(BROKEN)
  expect(readiness.obstacle).toBe('the server exited with code 3')
})

describe('isolation that is only advisory', () => {
  test('serves, and says once what does not hold', async () => {
    readiness.begin('the kernel has none')
    await answers(ok(BOTH))
    expect([readiness.obstacle, readiness.weakness]).toEqual([undefined, 'the kernel has none'])
    const warnings = kept.lines.filter((line) => line.includes('"level":"warn"'))
    expect(warnings).toEqual([expect.stringContaining('"weakness":"the kernel has none"')])
  })

  test('is forgotten with a shim for which all holds', async () => {
    readiness.begin('the kernel has none')
    readiness.begin(undefined)
    expect(readiness.weakness).toBeUndefined()
  })
})
