// Ready when the server has answered; not ready says why; a broken one is tried again, never in a hot loop.

import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { IN_DOUBT, LEGACY, type Eras } from '../../../../sidecar/routing/eras.ts'
import { Readiness } from '../../../../sidecar/routing/readiness.ts'
import { fault, type Fault } from '../../../../sidecar/mcp/faults.ts'
import { fail, ok, type Result } from '../../../../shared/result.ts'
import { keptLog, type KeptLog } from '../../../support/kept-log.ts'

const MODERN: Eras = { isModern: true, versions: ['2026-07-28'], isCertain: true }
const WHY_BROKEN = fault('server-exited', 'the server exited with code 3')
const BROKEN = fail(WHY_BROKEN)

let probes: ((result: Result<Eras, Fault>) => void)[]
let confirms: ((result: Result<Eras, Fault>) => void)[]
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
  confirms = []
  kept = keptLog()
  readiness = new Readiness({
    patienceMs: 1000,
    probe: () => new Promise((resolve) => void probes.push(resolve)),
    confirm: () => new Promise((resolve) => void confirms.push(resolve)),
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
    await answers(ok(MODERN))
    expect(readiness.obstacle).toBeUndefined()
    await readiness.whenReady
  })

  test('a broken server: its own words', async () => {
    readiness.begin(undefined)
    await answers(BROKEN)
    expect(readiness.obstacle).toBe('the server exited with code 3')
    expect(await readiness.whenFailed).toEqual(WHY_BROKEN)
  })

  test('draining stands above all', async () => {
    readiness.begin(undefined)
    await answers(ok(MODERN))
    readiness.isDraining = true
    expect(readiness.obstacle).toContain('draining')
  })

  test('the container is gone', async () => {
    readiness.begin(undefined)
    await answers(ok(MODERN))
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
    await answers(ok(MODERN))
    expect(readiness.obstacle).toBeUndefined()
  })

  test('that fails later is asked again, after several starts in a row', async () => {
    readiness.begin(undefined)
    await answers(ok(MODERN))
    readiness.startFailed('a')
    readiness.startFailed('b')
    readiness.started()
    readiness.startFailed('c')
    readiness.startFailed('d')
    expect(readiness.obstacle).toBeUndefined()
    readiness.startFailed('e')
    expect(readiness.obstacle).toBe('e')
    await answers(ok(MODERN))
    expect(readiness.obstacle).toBeUndefined()
  })
})

describe('a server of which every new process dies', () => {
  const WHY = 'every new server process ends before it has answered a call: crashed'
  const die = (times: number): void => {
    for (let time = 0; time < times; time++) readiness.died('crashed')
  }

  beforeEach(async () => {
    readiness.begin(undefined)
    await answers(ok(MODERN))
  })

  test('is not ready for a while, then tried again, and rests longer each time', async () => {
    for (const restMs of [5000, 10_000, 20_000, 40_000, 60_000, 60_000]) {
      die(2)
      expect(readiness.obstacle).toBeUndefined()
      die(1)
      expect(readiness.obstacle).toBe(WHY)
      await jest.advanceTimersByTimeAsync(restMs - 1)
      expect(readiness.obstacle).toBe(WHY)
      await jest.advanceTimersByTimeAsync(1)
      expect(readiness.obstacle).toBeUndefined()
    }
  })

  test('still serves who comes all the same, and is ready once a call is answered', () => {
    die(3)
    expect(readiness.known).toEqual(MODERN)
    readiness.worked()
    expect(readiness.obstacle).toBeUndefined()
  })

  test('but not where calls are answered in between', () => {
    die(2)
    readiness.worked()
    die(2)
    expect(readiness.obstacle).toBeUndefined()
  })

  test('is asked anew with a new container', async () => {
    die(3)
    readiness.stop('gone')
    readiness.begin(undefined)
    await answers(ok(MODERN))
    expect(readiness.obstacle).toBeUndefined()
  })
})

describe('who asks for the eras', () => {
  test('hears them at once where they are known, else when they are', async () => {
    const early = readiness.eras()
    readiness.begin(undefined)
    await answers(ok(MODERN))
    expect([await early, await readiness.eras()]).toEqual([MODERN, MODERN])
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

describe('a doubt', () => {
  const settles = async (result: Result<Eras, Fault>): Promise<void> => {
    confirms.shift()?.(result)
    await jest.advanceTimersByTimeAsync(0)
  }
  const BUSY = fail(fault('no-capacity', 'clients have processes of the server'))

  beforeEach(async () => {
    readiness.begin(undefined)
    await answers(ok(IN_DOUBT))
  })

  test('is served, and not known for sure', () => {
    expect([readiness.obstacle, readiness.known]).toEqual([undefined, undefined])
    expect(confirms).toHaveLength(0)
  })

  test.each([
    ['modern after all', ok(MODERN), MODERN, MODERN],
    ['legacy', ok(LEGACY), LEGACY, LEGACY],
    ['still not to be found out', BUSY, IN_DOUBT, undefined],
  ])('is settled once for all who need to know: %s', async (_name, result, found, known) => {
    const both = [readiness.eras(), readiness.eras()]
    expect(confirms).toHaveLength(1)
    await settles(result)
    expect(await Promise.all(both)).toEqual([found, found])
    expect(readiness.known).toEqual(known)
    expect(readiness.obstacle).toBeUndefined()
  })

  test('is asked about again by the next who needs to know', async () => {
    const first = readiness.eras()
    await settles(BUSY)
    await first
    const second = readiness.eras()
    expect(confirms).toHaveLength(1)
    await settles(ok(MODERN))
    expect(await second).toEqual(MODERN)
  })

  test('is left for a while where a process of its own did not settle it', async () => {
    const first = readiness.eras()
    await settles(BROKEN)
    await first
    expect(await readiness.eras()).toEqual(IN_DOUBT)
    await jest.advanceTimersByTimeAsync(9999)
    expect(await readiness.eras()).toEqual(IN_DOUBT)
    expect(confirms).toHaveLength(0)
    await jest.advanceTimersByTimeAsync(1)
    const later = readiness.eras()
    await settles(ok(MODERN))
    expect(await later).toEqual(MODERN)
  })

  test('is asked about anew of another container', async () => {
    const first = readiness.eras()
    await settles(BROKEN)
    await first
    readiness.begin(undefined)
    await answers(ok(IN_DOUBT))
    const second = readiness.eras()
    await settles(ok(LEGACY))
    expect(await second).toEqual(LEGACY)
  })

  test('is forgotten with its container', async () => {
    const asked = readiness.eras()
    readiness.stop('gone')
    await settles(ok(MODERN))
    expect(await asked).toBeUndefined()
    expect(readiness.obstacle).toBe('gone')
  })
})

describe('a client that is faster than the probe', () => {
  const reason = 'clients have processes of the server'
  const BUSY = fail(fault('no-capacity', reason))

  test('and has been answered makes the sidecar ready: legacy, in doubt', async () => {
    readiness.begin(undefined)
    readiness.started()
    expect([readiness.obstacle, readiness.known]).toEqual([undefined, undefined])
    await answers(BUSY)
    expect(readiness.obstacle).toBeUndefined()
  })

  test('and has not been answered yet is no failure of the server', async () => {
    readiness.begin(undefined)
    let failed: Fault | undefined
    void readiness.whenFailed.then((reason) => (failed = reason))
    await answers(BUSY)
    expect([failed, readiness.obstacle]).toEqual([undefined, reason])
    await jest.advanceTimersByTimeAsync(500)
    await answers(ok(MODERN))
    expect(readiness.known).toEqual(MODERN)
  })
})

test("an earlier container's answer changes nothing", async () => {
  readiness.begin(undefined)
  readiness.begin(undefined)
  await answers(ok(MODERN))
  expect(readiness.known).toBeUndefined()
  await answers(BROKEN)
  expect(readiness.obstacle).toBe('the server exited with code 3')
})

describe('isolation that is only advisory', () => {
  test('serves, and says once what does not hold', async () => {
    readiness.begin('the kernel has none')
    await answers(ok(MODERN))
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
