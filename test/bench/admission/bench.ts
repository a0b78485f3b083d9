// The admission bench: how long the webhook takes where an API server asks it 100 times a second, by the size of the pods,
// and whether its memory stays what it is over 100,000 reviews.

import { setTimeout as after } from 'node:timers/promises'
import { messageOf } from '../../../shared/message.ts'
import type { Bench, BenchContext } from '../bench.ts'
import { buildSidecar } from '../bridge/contenders.ts'
import { coresApart, describeCores } from '../bridge/cores.ts'
import { inFolder } from '../in-folder.ts'
import { residentKib } from '../process-cost.ts'
import { judge, type Budget, type Figure, type Report } from '../report.ts'
import { median, quantile } from '../statistics.ts'
import { podOf } from './pods.ts'
import { asksAbout, startReviewing, type Asked, type Reviewing } from './reviewing.ts'

const SIZES_KB = [4, 40, 200]
const EVERY_MS = 10
const MINUTE = 6000
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
const asksOf = async (
  sizes: readonly number[],
  reviewing: Reviewing,
): Promise<readonly Sized[]> => {
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
  reviewing: Reviewing,
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

const measure = async (context: BenchContext, folder: string): Promise<Report> => {
  buildSidecar()
  const reviewing = await startReviewing(folder, coresApart().bridge)
  try {
    const parts = [await measurePace(reviewing, context), await measureMemory(reviewing, context)]
    return {
      figures: parts.flatMap(({ figures }) => figures),
      budgets: parts.flatMap(({ budgets }) => budgets),
      faults: parts.flatMap(({ faults }) => faults),
    }
  } finally {
    await reviewing.stop()
  }
}

export const admissionBench: Bench = {
  name: 'admission',
  summary: 'the webhook at 100 reviews a second, by the size of pods, and its memory over 100,000',
  conditions: () => describeCores(coresApart()),
  run: inFolder(measure),
}
