// The admission bench: how long the webhook takes where an API server asks it 100 times a second, by the size of the pods,
// whether that stays so while its certificates rotate and it is rolled out anew, and whether its memory stays what it is over
// 100,000 reviews.

import { setTimeout as after } from 'node:timers/promises'
import { messageOf } from '../../../shared/message.ts'
import type { Bench, BenchContext } from '../bench.ts'
import { coresApart, describeCores } from '../bridge/cores.ts'
import { inFolder } from '../in-folder.ts'
import { measureParts, type Part } from '../parts.ts'
import { residentKib } from '../process-cost.ts'
import { judge, type Budget, type Figure, type Report } from '../report.ts'
import { median, quantile } from '../statistics.ts'
import { podOf } from './pods.ts'
import { asksAbout, startReviewing, type Asked, type Asking, type Reviewing } from './reviewing.ts'
import { startRolling, type Rolling } from './rolling.ts'

const SIZES_KB = [4, 40, 200]
const EVERY_MS = 10
const MINUTE = 6000
/** Between the end of one rollover and the next. */
const [ROLLS_MS, QUICK_ROLLS_MS] = [8000, 1000]
const MIB = 1024
const WARMUP = 2000
const AT_ONCE = 4
const SAMPLES = 20
const MAX_FAULTS = 5

interface Sized extends Asked {
  readonly kb: number
}

interface Timed {
  readonly kb: number
  readonly ms: number
}

interface Load {
  readonly reviews: readonly Timed[]
  readonly faults: readonly string[]
}

/** Of each size what an API server asks, the sizes by turns. */
const asksOf = async (sizes: readonly number[], reviewing: Asking): Promise<readonly Sized[]> => {
  const rounds: Sized[][] = []
  for (const kb of sizes) {
    const asked = await asksAbout(podOf(kb * 1000), reviewing)
    for (const [round, { path, body }] of asked.entries()) {
      rounds[round] = [...(rounds[round] ?? []), { path, body, kb }]
    }
  }
  return rounds.flat()
}

const turn = (asked: readonly Sized[], index: number): Sized => {
  const one = asked[index % asked.length]
  if (one === undefined) throw new Error('nothing to ask')
  return one
}

/** Asks when it is time, whether the last has been answered or not; what is late counts from when it was due. */
const steady = async (
  reviewing: Asking,
  asked: readonly Sized[],
  reviews: number,
  signal: AbortSignal,
): Promise<Load> => {
  const timed: Timed[] = []
  const faults: string[] = []
  const start = performance.now()
  const pending: Promise<void>[] = []
  for (let index = 0; index < reviews && !signal.aborted; index += 1) {
    const due = start + index * EVERY_MS
    await after(Math.max(0, due - performance.now()))
    const { path, body, kb } = turn(asked, index)
    pending.push(
      reviewing.ask(path, body).then(
        () => void timed.push({ kb, ms: performance.now() - due }),
        (error: unknown) => void faults.push(messageOf(error)),
      ),
    )
  }
  await Promise.all(pending)
  return { reviews: timed, faults }
}

/** As many as go, a few at once. */
const crowd = async (
  { ask }: Reviewing,
  asked: readonly Sized[],
  reviews: number,
  signal: AbortSignal,
): Promise<readonly string[]> => {
  const faults: string[] = []
  let index = 0
  const one = async (): Promise<void> => {
    while (index < reviews && !signal.aborted) {
      const { path, body } = turn(asked, index)
      index += 1
      await ask(path, body).catch((error: unknown) => faults.push(messageOf(error)))
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, one))
  return faults
}

const quantilesOf = (
  reviews: readonly Timed[],
): readonly [number | undefined, number | undefined] => {
  const milliseconds = reviews.map(({ ms }) => ms)
  return [quantile(milliseconds, 0.5), quantile(milliseconds, 0.99)]
}

const figureOf = (pods: string, reviews: readonly Timed[]): Figure => {
  const [p50 = 0, p99 = 0] = quantilesOf(reviews)
  const most = Math.max(0, ...reviews.map(({ ms }) => ms))
  return { pods, reviews: reviews.length, 'p50 ms': p50, 'p99 ms': p99, 'most ms': most }
}

/** All sizes by turns. */
const measurePace = async (reviewing: Reviewing, context: BenchContext): Promise<Report> => {
  const { quick, signal, progress } = context
  progress('100 reviews a second of pods of 4, 40 and 200 kB')
  const asked = await asksOf(SIZES_KB, reviewing)
  await steady(reviewing, asked, quick ? 50 : 1000, signal)
  const { reviews, faults } = await steady(reviewing, asked, quick ? 200 : MINUTE, signal)
  const [p50, p99] = quantilesOf(reviews)
  return {
    figures: [
      ...SIZES_KB.map((kb) =>
        figureOf(
          `${kb} kB`,
          reviews.filter((review) => review.kb === kb),
        ),
      ),
      figureOf('all', reviews),
    ],
    budgets: [
      judge('100 a second: failed', faults.length, { atMost: 0 }, 'reviews'),
      judge('100 a second: p50', p50, { atMost: 3 }, 'ms'),
      judge('100 a second: p99', p99, { atMost: 25 }, 'ms'),
    ],
    faults: faults.slice(0, MAX_FAULTS),
  }
}

const growth = (samples: readonly number[]): number => {
  const third = Math.floor(samples.length / 3)
  const [first, last] = [median(samples.slice(third, 2 * third)), median(samples.slice(-third))]
  return (last ?? Infinity) - (first ?? 0)
}

/** A process grows until its collector knows what it needs: the last third is held against the one before. */
const measureMemory = async (reviewing: Reviewing, context: BenchContext): Promise<Report> => {
  const reviews = context.quick ? 2000 : 100_000
  context.progress(`${reviews} reviews, ${AT_ONCE} at once`)
  const asked = await asksOf(SIZES_KB.slice(0, 2), reviewing)
  const faults = [...(await crowd(reviewing, asked, context.quick ? 100 : WARMUP, context.signal))]
  const mib = [residentKib([reviewing.pid]) / MIB]
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    faults.push(...(await crowd(reviewing, asked, reviews / SAMPLES, context.signal)))
    mib.push(residentKib([reviewing.pid]) / MIB)
  }
  const figures: Figure[] = [
    { figure: 'memory at first', value: mib[0] ?? 0, unit: 'MiB' },
    { figure: 'memory at most', value: Math.max(...mib), unit: 'MiB' },
    { figure: 'memory in the end', value: mib.at(-1) ?? 0, unit: 'MiB' },
  ]
  const budgets: Budget[] = [
    judge('growth from the second third to the last', growth(mib), { atMost: 8 }, 'MiB'),
    judge('failed', faults.length, { atMost: 0 }, 'reviews'),
  ]
  return { figures, budgets, faults: faults.slice(0, MAX_FAULTS) }
}

/** One process gives way to another, again and again. */
const rollOn = async (rolling: Rolling, everyMs: number, over: AbortSignal): Promise<number> => {
  let rolls = 0
  while (!over.aborted) {
    await after(everyMs, undefined, { signal: over }).catch(() => undefined)
    if (over.aborted) break
    await rolling.roll()
    rolls += 1
  }
  return rolls
}

const rotationBudgets = (
  { reviews, faults }: Load,
  { leaves, authorities, rolls }: Readonly<Record<'leaves' | 'authorities' | 'rolls', number>>,
): readonly Budget[] => [
  judge('rotating and rolling: failed', faults.length, { atMost: 0 }, 'reviews'),
  judge('rotating and rolling: p99', quantilesOf(reviews)[1], { atMost: 50 }, 'ms'),
  judge('meanwhile', authorities, { atLeast: 2 }, 'authorities'),
  judge('meanwhile', leaves, { atLeast: 6 }, 'leaves'),
  judge('meanwhile', rolls, { atLeast: 3 }, 'rollovers'),
]

/** The same pace, while both certificates rotate and the Deployment rolls. */
const measureRotation = async (rolling: Rolling, context: BenchContext): Promise<Report> => {
  const { quick, signal, progress } = context
  progress('100 reviews a second while certificates rotate and the webhook rolls')
  const asked = await asksOf(SIZES_KB, rolling)
  await steady(rolling, asked, quick ? 50 : 1000, signal)
  const over = new AbortController()
  const rolled = rollOn(rolling, quick ? QUICK_ROLLS_MS : ROLLS_MS, over.signal)
  rolled.catch(() => undefined)
  const load = await steady(rolling, asked, quick ? 1000 : MINUTE, signal)
  over.abort()
  const counts = { ...rolling.counts(), rolls: await rolled }
  return {
    figures: [{ ...figureOf('all, rotating and rolling', load.reviews), ...counts }],
    budgets: rotationBudgets(load, counts),
    faults: load.faults.slice(0, MAX_FAULTS),
  }
}

/** Begins one, and ends it when it has been measured. */
const during =
  <T extends { readonly stop: () => Promise<void> }>(
    start: (folder: string) => Promise<T>,
    measure: (one: T, context: BenchContext) => Promise<Report>,
  ) =>
  async (context: BenchContext, folder: string): Promise<Report> => {
    const one = await start(folder)
    try {
      return await measure(one, context)
    } finally {
      await one.stop()
    }
  }

const startApart = (folder: string): Promise<Reviewing> =>
  startReviewing(folder, coresApart().bridge)

const PARTS: readonly Part[] = [
  { cells: ['pace'], measure: during(startApart, measurePace) },
  { cells: ['rotation'], measure: during(startRolling, measureRotation) },
  { cells: ['memory'], measure: during(startApart, measureMemory) },
]

export const admissionBench: Bench = {
  name: 'admission',
  summary:
    'the webhook at 100 reviews a second, by the size of pods, while it rotates and rolls, and its memory over 100,000',
  conditions: () => describeCores(coresApart()),
  run: inFolder(measureParts(PARTS)),
}
