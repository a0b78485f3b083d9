import { beforeAll, describe, expect, test } from '@jest/globals'
import { array, assert, asyncProperty, constantFrom, integer, nat, record } from 'fast-check'
import { termsOf } from '../../../certs/keeper.ts'
import { Replicas, type Replica } from '../../support/replicas.ts'

const [SECOND_MS, MINUTE_MS, HOUR_MS] = [1000, 60_000, 3_600_000]
const STEP_MS = 30 * SECOND_MS
const TERMS = termsOf(6 * HOUR_MS, HOUR_MS)

let shared: Replicas
beforeAll(async () => {
  shared = await Replicas.create(TERMS)
}, 60_000)

/** Lets time pass in steps; every call in between that would fail. */
const pass = async (world: Replicas, ms: number): Promise<readonly string[]> => {
  const faults: string[] = []
  for (let passed = 0; passed < ms; passed += STEP_MS) {
    await world.pass(STEP_MS)
    faults.push(...world.faults())
  }
  return faults
}

const stepsOf = (world: Replicas): readonly string[] =>
  world.replicas.flatMap(({ events }) => events.filter((event) => !event.startsWith('leaf')))

const started = async (...names: readonly string[]): Promise<Replicas> => {
  const world = shared.anew()
  await Promise.all(names.map((name) => world.start(name)))
  return world
}

const inSecret = (world: Replicas): readonly string[] =>
  Object.keys(world.secret).filter((key) => world.secret[key] !== undefined)

describe('replicas of one Secret', () => {
  test('that start at once on an empty one end with one authority, made once', async () => {
    const world = await started('a', 'b', 'c')
    expect(stepsOf(world)).toEqual(['begin'])
    expect(new Set(world.replicas.map(({ keeper }) => keeper.leaf?.authorityPem)).size).toBe(1)
    expect(world.bundle).toBe(world.secret['ca.crt'])
    expect(await pass(world, HOUR_MS)).toEqual([])
  })

  test('go through three rotations of the authority, and leaves all along, without a failed call', async () => {
    const world = await started('a', 'b', 'c')
    const first = world.bundle
    expect(await pass(world, 15 * HOUR_MS)).toEqual([])
    expect(stepsOf(world).filter((step) => step !== 'begin')).toEqual(
      expect.arrayContaining(['prepare', 'promote', 'forget']),
    )
    const count = (kind: string): number => stepsOf(world).filter((step) => step === kind).length
    expect([count('prepare'), count('promote'), count('forget')]).toEqual([3, 3, 3])
    expect(world.bundle).not.toContain(first.trim())
    expect(inSecret(world).toSorted()).toEqual(['ca.crt', 'ca.key'])
  })

  test('trust first, sign second, drop last', async () => {
    const world = await started('a', 'b')
    const bundleSizes: number[] = []
    for (let passed = 0; passed < 6 * HOUR_MS; passed += STEP_MS) {
      await world.pass(STEP_MS)
      const size = world.bundle.split('BEGIN').length - 1
      const signing = world.replicas.map(({ keeper }) =>
        keeper.leaf?.authorityPem === world.secret['ca.crt'] ? 'current' : 'old',
      )
      // Whoever still serves by the old one finds it trusted.
      if (signing.includes('old')) expect(size).toBe(2)
      if (bundleSizes.at(-1) !== size) bundleSizes.push(size)
    }
    expect(bundleSizes).toEqual([1, 2, 1])
  })

  test('that nobody renews in time are replaced at once when they wake', async () => {
    const world = await started('a')
    const [replica] = world.replicas
    if (!replica) throw new Error('nobody')
    world.sleep(replica)
    await world.pass(100 * HOUR_MS)
    world.wake(replica)
    expect(world.fault(replica)).toBeDefined()
    await pass(world, 2 * MINUTE_MS)
    expect(replica.events.slice(-2)).toEqual(['begin', 'leaf: it has expired'])
    expect(await pass(world, HOUR_MS)).toEqual([])
  })

  test('one that has slept past its leaf signs another as it wakes', async () => {
    const world = await started('a', 'b')
    const [replica] = world.replicas
    if (!replica) throw new Error('nobody')
    world.sleep(replica)
    expect(await pass(world, 90 * MINUTE_MS)).toEqual([])
    world.wake(replica)
    await world.pass(5 * SECOND_MS)
    expect(world.fault(replica)).toBeUndefined()
    expect(replica.events.at(-1)).toBe('leaf: it has expired')
  })

  test.each([
    ['a year ahead', 365 * 24 * HOUR_MS],
    ['two hours behind', -2 * HOUR_MS],
  ])('a machine whose clock is set %s, and back later, changes nothing', async (_name, wrongMs) => {
    const world = await started('a', 'b')
    const [replica] = world.replicas
    if (!replica) throw new Error('nobody')
    replica.wrongMs = wrongMs
    expect(await pass(world, 3 * HOUR_MS)).toEqual([])
    replica.wrongMs = 0
    expect(await pass(world, 3 * HOUR_MS)).toEqual([])
    // One that starts with a wrong clock, too.
    const late = await world.start('c')
    late.wrongMs = wrongMs
    expect(await pass(world, 2 * HOUR_MS)).toEqual([])
  })

  test.each([
    ['a year ahead', 365 * 24 * HOUR_MS],
    ['a year behind', -365 * 24 * HOUR_MS],
  ])(
    'an API server whose own clock was %s finds certificates of the right time again',
    async (_name, wrongMs) => {
      const world = await started('a', 'b')
      world.saysMs = () => world.nowMs + wrongMs
      await pass(world, 10 * MINUTE_MS)
      world.saysMs = undefined
      await pass(world, 5 * MINUTE_MS)
      expect(await pass(world, 10 * HOUR_MS)).toEqual([])
      expect(inSecret(world)).toEqual(expect.arrayContaining(['ca.crt', 'ca.key']))
    },
  )

  test('without the API server’s time the machine’s own serves', async () => {
    const world = shared.anew()
    world.saysMs = () => undefined
    await world.start('a')
    expect(await pass(world, 8 * HOUR_MS)).toEqual([])
  })

  test('a caBundle that is wiped is written again at the next look', async () => {
    const world = await started('a', 'b')
    const before = world.bundle
    world.bundle = ''
    await world.pass(TERMS.everyMs)
    expect(world.bundle).toBe(before)
  })

  test('an authority that somebody puts in the place of ours is trusted first, and ours until its leaves are gone', async () => {
    const [world, other] = [await started('a', 'b'), await started('x')]
    await pass(world, 10 * MINUTE_MS)
    const ours = world.secret['ca.crt'] ?? ''
    world.put({ 'ca.crt': other.secret['ca.crt'] ?? '', 'ca.key': other.secret['ca.key'] ?? '' })
    expect(await pass(world, 10 * MINUTE_MS)).toEqual([])
    for (const { keeper } of world.replicas) {
      expect(keeper.leaf?.authorityPem).toBe(world.secret['ca.crt'])
    }
    expect(world.bundle).toContain(ours.trim())
    expect(await pass(world, 4 * HOUR_MS)).toEqual([])
    expect(world.bundle).not.toContain(ours.trim())
  })

  test.each([
    ['without a line’s end', (pem: string) => pem.trim()],
    ['with lines as Windows has them', (pem: string) => pem.replaceAll('\n', '\r\n')],
    ['with words before it', (pem: string) => `subject=CN = some-body\n${pem}`],
    ['with another behind it', (pem: string, behind: string) => `${pem}${behind}`],
  ])('one that is put there %s can be replaced as well', async (_name, written) => {
    const world = await started('a', 'b')
    const [other, third] = [await started('x'), await started('y')]
    const [ours, theirs, last] = [world, other, third].map(({ secret }) => secret['ca.crt'] ?? '')
    world.put({
      'ca.crt': written(theirs ?? '', last ?? ''),
      'ca.key': other.secret['ca.key'] ?? '',
    })
    expect(await pass(world, 10 * MINUTE_MS)).toEqual([])
    world.put({ 'ca.crt': last ?? '', 'ca.key': third.secret['ca.key'] ?? '' })
    expect(await pass(world, 10 * MINUTE_MS)).toEqual([])
    for (const { keeper } of world.replicas) expect(keeper.leaf?.authorityPem).toBe(last)
    for (const pem of [ours, theirs, last]) expect(world.bundle).toContain(pem)
    expect(await pass(world, 90 * MINUTE_MS)).toEqual([])
    expect(world.bundle).toBe(last)
  })

  test('a Secret that is emptied gets another authority, without a failed call', async () => {
    const world = await started('a')
    await pass(world, 10 * MINUTE_MS)
    const before = world.bundle
    world.put({ 'ca.crt': null, 'ca.key': null })
    expect(await pass(world, 10 * MINUTE_MS)).toEqual([])
    expect(world.secret['ca.crt']).not.toBe(before)
    expect(world.bundle).toContain(before.trim())
    expect(world.bundle).toContain(world.secret['ca.crt']?.trim())
  })

  test('what cannot sign is told and left as it is, and the leaf that there is serves on', async () => {
    const world = await started('a')
    const [replica] = world.replicas
    world.put({ 'ca.key': 'x' })
    expect(await pass(world, 10 * MINUTE_MS)).toEqual([])
    expect(replica?.events.at(-1)).toContain("empty the Secret's data")
    expect(world.secret['ca.key']).toBe('x')
    expect((await world.start('b')).events.at(-1)).toContain('it does not parse')
  })

  test('a Secret that somebody else writes all the time is given up, with words', async () => {
    const world = shared.anew()
    world.isContended = true
    expect((await world.start('a')).events.at(-1)).toContain('somebody else keeps writing it')
  })

  const action = record({
    who: nat(2),
    what: constantFrom('pass', 'sleep', 'restart', 'clock'),
    minutes: integer({ min: 1, max: 120 }),
  })

  const act = async (
    world: Replicas,
    { who, what, minutes }: { who: number; what: string; minutes: number },
  ): Promise<void> => {
    const replica: Replica | undefined = world.replicas[who]
    if (!replica) return
    if (what === 'sleep') {
      if (replica.isAsleep) world.wake(replica)
      else world.sleep(replica)
    }
    if (what === 'clock') replica.wrongMs = (minutes - 60) * HOUR_MS
    if (what === 'restart') {
      world.stop(replica)
      await world.start(replica.name)
    }
  }

  test('whatever happens to replicas and their clocks, no call to one that is awake fails', async () => {
    await assert(
      asyncProperty(array(action, { minLength: 3, maxLength: 10 }), async (actions) => {
        const world = await started('a', 'b', 'c')
        for (const one of actions) {
          await act(world, one)
          expect(await pass(world, one.minutes * MINUTE_MS)).toEqual([])
        }
      }),
      { numRuns: 8, seed: 26 },
    )
  }, 120_000)
})
