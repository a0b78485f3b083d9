// Children on demand: the cap, who makes room at it, who is waited for, and what a client is told.

import { beforeEach, describe, expect, test } from '@jest/globals'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { fail, ok } from '../../../../shared/result.ts'
import type { Tenant } from '../../../../sidecar/server/source.ts'
import { Spawner } from '../../../../sidecar/server/spawner.ts'
import { FakeLink } from '../../../support/fake-link.ts'

const MAX = 2
const PATIENCE_MS = 5000

let isReady: boolean
let isBusy: boolean
let canStart: boolean
let tenants: Tenant[]
let ending: number
let asked: number
let freed: (() => void)[]
let outcomes: string[]
let nowMs: number
let spawner: Spawner
let spare: FakeLink[]
/** Places that spares hold. */
let held: number

beforeEach(() => {
  isReady = true
  isBusy = false
  canStart = true
  tenants = []
  ending = 0
  asked = 0
  freed = []
  outcomes = []
  nowMs = 0
  spare = []
  held = 0
  spawner = new Spawner({
    spares: {
      get size() {
        return held
      },
      get free() {
        return spare.length
      },
      failures: 0,
      weakness: undefined,
      take: (tenant) => {
        const link = spare.pop()
        if (!link) return undefined
        held--
        tenants.push(tenant)
        return link
      },
      sweep: () => undefined,
    },
    maxProcesses: MAX,
    idleTimeoutMs: 60_000,
    now: () => nowMs,
    onSpawn: (outcome) => void outcomes.push(outcome),
    control: {
      get isReady() {
        return isReady
      },
      get count() {
        return tenants.length + ending + held
      },
      get ending() {
        return ending
      },
      get tenants() {
        return tenants
      },
      spawn: (tenant) => {
        asked++
        if (canStart) tenants.push(tenant)
        return Promise.resolve(
          canStart ? ok(new FakeLink()) : fail({ message: 'none today', isBusy }),
        )
      },
      whenFreed: () =>
        new Promise((resolve) => {
          freed.push(resolve)
        }),
    },
  })
})

/** A process is to end. */
const end = (tenant: Tenant): void => {
  tenants = tenants.filter((other) => other !== tenant)
  ending++
}

/** What was to end has gone. */
const free = async (): Promise<void> => {
  ending = 0
  for (const resolve of freed.splice(0)) resolve()
  await nextTurn()
}

const sweep = async (afterMs: number): Promise<void> => {
  nowMs += afterMs
  spawner.sweep(nowMs)
  await nextTurn()
}

/** One that is at work, or has been idle since its beginning. */
const aTenant = (principal: string, isIdle: boolean): Tenant => {
  const tenant: Tenant = {
    principal,
    idle: isIdle ? { sinceMs: nowMs, isListening: false } : undefined,
    giveUp: () => end(tenant),
  }
  return tenant
}
const busy = (principal = 'A'): Tenant => aTenant(principal, false)
const idle = (principal = 'A'): Tenant => aTenant(principal, true)

/** What became of those who came, as far as is known now. */
const come = (...newcomers: readonly Tenant[]): (() => Promise<readonly string[]>) => {
  const told = newcomers.map(() => 'waits')
  for (const [place, newcomer] of newcomers.entries()) {
    void spawner.open(newcomer).then((result) => {
      told[place] = result.ok ? 'ok' : `${result.error.code}: ${result.error.message}`
    })
  }
  return async () => {
    await nextTurn()
    return told
  }
}

test.each([
  ['without a shim', () => void (isReady = false), 'no-capacity: the server', 0],
  ['where there is room', () => undefined, 'ok', 1],
  ['where it cannot start', () => void (canStart = false), 'server-not-started: the server c', 1],
])('%s the client is told', async (_name, arrange, expected, spawned) => {
  arrange()
  expect((await come(busy())()).join()).toContain(expected)
  expect(asked).toBe(spawned)
})

describe('at the cap', () => {
  test('no more are asked for than it allows, and who waits in vain is told to come again', async () => {
    const told = come(...Array.from({ length: MAX + 3 }, () => busy()))
    await sweep(PATIENCE_MS - 1)
    expect(await told()).toEqual(['ok', 'ok', 'waits', 'waits', 'waits'])
    await sweep(1)
    const full = `no-capacity: all ${MAX} server processes are in use (outrigger.dev/max-processes, else by the server's memory limit); try again later`
    expect([await told(), asked]).toEqual([['ok', 'ok', full, full, full], MAX])
    expect(outcomes.filter((outcome) => outcome === 'full')).toHaveLength(3)
  })

  test('the place of a process that is ending is waited for, as long as it takes, and promised once', async () => {
    tenants = [busy()]
    ending = 1
    const told = come(busy(), busy())
    await sweep(PATIENCE_MS)
    expect(await told()).toEqual(['waits', expect.stringContaining('no-capacity')])
    await free()
    expect([(await told())[0], asked]).toEqual(['ok', 1])
  })

  test('an idle process makes room once it has settled, for one newcomer', async () => {
    tenants = [idle(), busy()]
    const told = come(busy(), busy())
    await sweep(999)
    expect(ending).toBe(0)
    await sweep(1)
    expect(ending).toBe(1)
    await free()
    expect([await told(), asked]).toEqual([['ok', 'waits'], 1])
  })

  test('as many make room as are waited for', async () => {
    tenants = [idle(), idle()]
    nowMs = 1000
    const told = come(busy(), busy())
    expect(ending).toBe(2)
    await free()
    expect(await told()).toEqual(['ok', 'ok'])
  })

  test('who holds least is first, whoever has waited longer', async () => {
    tenants = [idle('A'), busy('A')]
    const told = come(busy('A'), busy('A'), busy('B'))
    await sweep(1000)
    await free()
    expect(await told()).toEqual(['waits', 'waits', 'ok'])
  })

  test('a crowd is bounded, and does not keep others from waiting', async () => {
    tenants = [busy(), busy()]
    const crowd = come(...Array.from({ length: 300 }, () => busy('A')))
    const other = come(busy('B'))
    const counts = Object.groupBy(await crowd(), (one) => one.split(':')[0] ?? '')
    expect([counts['waits']?.length, counts['no-capacity']?.length]).toEqual([255, 45])
    expect(await other()).toEqual(['waits'])
  })

  test('all who wait are told where the shim has gone', async () => {
    tenants = [busy(), busy()]
    const told = come(busy(), busy())
    isReady = false
    tenants = []
    await free()
    const gone = expect.stringContaining("no-capacity: the server's container is not running")
    expect(await told()).toEqual([gone, gone])
  })
})

describe('a shim that is busy', () => {
  beforeEach(() => {
    canStart = false
    isBusy = true
  })

  test('is asked again at each sweep, and no sooner', async () => {
    const told = come(busy())
    expect([await told(), asked]).toEqual([['waits'], 1])
    await free()
    expect(asked).toBe(1)
    await sweep(250)
    expect([await told(), asked]).toEqual([['waits'], 2])
    canStart = true
    await sweep(250)
    expect([await told(), asked, outcomes]).toEqual([['ok'], 3, ['started']])
  })

  test('that stays so: the client is told', async () => {
    const told = come(busy())
    await told()
    await sweep(PATIENCE_MS)
    expect((await told()).join()).toContain('no-capacity: the server could not be started')
    expect(outcomes).toEqual(['refused'])
  })
})

describe('two processes are never there before clients have asked for two', () => {
  const aProbe = (): Tenant => ({ ...aTenant('probe', false), isProbe: true })

  test('a client waits until the probe has gone', async () => {
    const probe = aProbe()
    await come(probe)()
    const told = come(busy())
    expect(await told()).toEqual(['waits'])
    end(probe)
    await sweep(2 * PATIENCE_MS)
    expect(await told()).toEqual(['waits'])
    await free()
    expect(await told()).toEqual(['ok'])
  })

  test('a client waits until its last process has gone, and so does another', async () => {
    const last = busy()
    await come(last)()
    end(last)
    const told = come(busy(), busy('B'))
    expect(await told()).toEqual(['waits', 'waits'])
    await free()
    expect(await told()).toEqual(['ok', 'ok'])
  })

  test('a process that cannot be ended is not waited for for ever', async () => {
    const stuck = busy()
    await come(stuck)()
    end(stuck)
    const told = come(busy())
    await sweep(9999)
    expect(await told()).toEqual(['waits'])
    await sweep(1)
    expect(await told()).toEqual(['ok'])
  })

  test('a client does not wait where another has a process', async () => {
    const gone = busy()
    await come(gone, busy('B'))()
    end(gone)
    ending = 0
    expect(await come(busy('C'))()).toEqual(['ok'])
  })

  test('a probe waits until the last probe has gone', async () => {
    const first = aProbe()
    await come(first)()
    end(first)
    const told = come(aProbe())
    expect(await told()).toEqual(['waits'])
    await free()
    expect(await told()).toEqual(['ok'])
  })

  test('a probe is refused where a client has a process', async () => {
    await come(busy())()
    expect(await come(aProbe())()).toEqual([expect.stringMatching(/^no-capacity: clients have/)])
  })

  test('a probe that waits is refused where a client came first', async () => {
    const first = aProbe()
    await come(first)()
    const told = come(busy(), aProbe())
    end(first)
    await free()
    expect(await told()).toEqual(['ok', expect.stringMatching(/^no-capacity: clients have/)])
  })

  test('where the probe has the only place the client waits for it as long as it takes', async () => {
    tenants = [aProbe(), busy('other')]
    end(tenants[1] ?? busy())
    const told = come(busy())
    await sweep(2 * PATIENCE_MS)
    expect(await told()).toEqual(['waits'])
  })
})

describe('processes that are there before anybody asks', () => {
  const withSpares = (count: number): void => {
    spare = Array.from({ length: count }, () => new FakeLink())
    held = count
  }

  test('are given to clients, as long as there are any', async () => {
    withSpares(1)
    const [link] = spare
    expect(await spawner.open(aTenant('ada', true))).toEqual({ ok: true, value: link })
    expect(asked).toBe(0)
    await spawner.open(aTenant('ada', true))
    expect([asked, outcomes]).toEqual([1, ['spare', 'started']])
  })

  test('are given to who finds all places taken, too', async () => {
    withSpares(2)
    expect(await spawner.open(aTenant('ada', true))).toMatchObject({ ok: true })
    expect(await spawner.open(aTenant('ada', true))).toMatchObject({ ok: true })
    expect([asked, tenants.length]).toEqual([0, 2])
  })

  test('keep nobody waiting who comes while they start', async () => {
    held = 1
    expect(await spawner.open(aTenant('ada', true))).toMatchObject({ ok: true })
    expect(asked).toBe(1)
  })

  test('are none for a probe', async () => {
    withSpares(1)
    await spawner.open({ ...aTenant('ada', true), isProbe: true })
    expect([asked, spare.length]).toEqual([1, 1])
  })
})
