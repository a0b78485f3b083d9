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

interface Load {
  readonly milliseconds: readonly number[]
  readonly faults: readonly string[]
}

const turn = (asked: readonly Asked[], index: number): Asked => {
  const one = asked[index % asked.length]
  if (one === undefined) throw new Error('nothing to ask')
  return one
}

/** Asks when it is time, whether the last has been answered or not; what is late counts from when it was due. */
const steady = async (
  reviewing: Reviewing,
  asked: readonly Asked[],
  reviews: number,
  signal: AbortSignal,
): Promise<Load> => {
  const milliseconds: number[] = []
  const faults: string[] = []
  const start = performance.now()
  const pending: Promise<void>[] = []
  for (let index = 0; index < reviews && !signal.aborted; index += 1) {
    const due = start + index * EVERY_MS
    await after(Math.max(0, due - performance.now()))
    const { path, body } = turn(asked, index)
    pending.push(
      reviewing.ask(path, body).then(
        () => void milliseconds.push(performance.now() - due),
        (error: unknown) => void faults.push(messageOf(error)),
      ),
    )
  }
  await Promise.all(pending)
  return { milliseconds, faults }
}

/** As many as go, a few at once. */
const crowd = async (
  { ask }: Reviewing,
  asked: readonly Asked[],
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

const measureSize = async (
  kb: number,
  reviewing: Reviewing,
  { quick, signal, progress }: BenchContext,
): Promise<Report> => {
  const name = `${kb} kB`
  progress(`100 reviews a second of pods of ${name}`)
  const asked = await asksAbout(podOf(kb * 1000), reviewing)
  await steady(reviewing, asked, quick ? 50 : 500, signal)
  const { milliseconds, faults } = await steady(reviewing, asked, quick ? 200 : MINUTE, signal)
  const [p50, p99] = [quantile(milliseconds, 0.5), quantile(milliseconds, 0.99)]
  const most = Math.max(...milliseconds)
  return {
    figures: [
      {
        pods: name,
        reviews: milliseconds.length,
        'p50 ms': p50 ?? 0,
        'p99 ms': p99 ?? 0,
        'most ms': most,
      },
    ],
    budgets: [
      judge(`${name}: failed`, faults.length, { atMost: 0 }, 'reviews'),
      judge(`${name}: p50`, p50, { atMost: 3 }, 'ms'),
      judge(`${name}: p99`, p99, { atMost: 25 }, 'ms'),
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
  const asked = (
    await Promise.all(SIZES_KB.slice(0, 2).map((kb) => asksAbout(podOf(kb * 1000), reviewing)))
  ).flat()
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
  const { cells } = context
  const isWanted = (name: string): boolean =>
    cells.length === 0 || cells.some((part) => name.includes(part))
  const reviewing = await startReviewing(folder, coresApart().bridge)
  try {
    const parts: Report[] = []
    for (const kb of SIZES_KB.filter((size) => isWanted(`${size} kB`))) {
      parts.push(await measureSize(kb, reviewing, context))
    }
    if (isWanted('memory')) parts.push(await measureMemory(reviewing, context))
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
