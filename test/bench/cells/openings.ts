// How long a session takes to open, its server process included or on a spare one, and its first call, beside a later call
// of the same.

import { setTimeout as after } from 'node:timers/promises'
import { initialize, initialized, legacyCall, terminate } from '../bridge/requests.ts'
import { sessionOf, Wire, type Answer } from '../bridge/wire.ts'
import type { Sidecar } from '../bridge/contenders.ts'
import { judge, type Report } from '../report.ts'
import { median } from '../statistics.ts'

const WARMUP = 10
const OPENINGS = 100
/** A session on a spare process opens within so long of a call. */
const MOST_MS = 5

const fail = (error: Error): never => {
  throw error
}

type Opening = { readonly opening: number; readonly first: number; readonly later: number }

const POLL_MS = 20
/** As long as a sidecar may take to start another. */
const PATIENCE_MS = 10_000
const SPARE = /^outrigger_spare_processes 1$/m

/** A spare process is there again. */
const spared = async ({ metrics }: Sidecar): Promise<void> => {
  const until = performance.now() + PATIENCE_MS
  while (!SPARE.test(await (await fetch(metrics)).text())) {
    if (performance.now() > until) throw new Error('no spare process has come')
    await after(POLL_MS)
  }
}

const openedBefore = async (
  { url }: Sidecar,
  openings: number,
  ready: () => Promise<void>,
): Promise<readonly Opening[]> => {
  const { host, port, pathname: path } = new URL(url)
  const target = { host, path }
  const wire = new Wire('127.0.0.1', Number(port), fail)
  const timed = async (request: Buffer): Promise<readonly [ms: number, answer: Answer]> => {
    const startedAt = performance.now()
    const answer = await wire.ask(request)
    if (answer.status !== 200) throw new Error(`it was answered ${answer.status}: ${answer.body}`)
    return [performance.now() - startedAt, answer]
  }
  const all: Opening[] = []
  for (let index = 0; index < WARMUP + openings; index += 1) {
    await ready()
    const [opening, answer] = await timed(initialize(target))
    const session = sessionOf(answer) ?? ''
    await wire.ask(initialized(target, session))
    const call = legacyCall(target, session, '100 B')
    const [[first], [later]] = [await timed(call), await timed(call)]
    await wire.ask(terminate(target, session))
    if (index >= WARMUP) all.push({ opening, first, later })
  }
  wire.close()
  return all
}

type Way = { readonly name: string; readonly hasSpare: boolean }

const measureWay = async (
  start: (hasSpare: boolean) => Promise<Sidecar>,
  { name, hasSpare }: Way,
  openings: number,
): Promise<Pick<Report, 'figures' | 'budgets'>> => {
  const sidecar = await start(hasSpare)
  const ready = (): Promise<void> => (hasSpare ? spared(sidecar) : Promise.resolve())
  const all = await openedBefore(sidecar, openings, ready).finally(() => sidecar.stop())
  const of = (value: (one: Opening) => number): number => median(all.map(value)) ?? Number.NaN
  const figure = { opening: of((one) => one.opening), first: of((one) => one.first) }
  const added = of(({ opening, later }) => opening - later)
  return {
    figures: [
      {
        session: name,
        'opens ms': figure.opening,
        'first call ms': figure.first,
        'over a call ms': added,
      },
    ],
    budgets: hasSpare
      ? [judge(`${name}: opens, over a call`, added, { atMost: MOST_MS }, 'ms')]
      : [],
  }
}

export const measureOpenings = async (
  start: (hasSpare: boolean) => Promise<Sidecar>,
  isQuick: boolean,
): Promise<Pick<Report, 'figures' | 'budgets'>> => {
  const openings = isQuick ? 5 : OPENINGS
  const own = await measureWay(
    start,
    { name: 'whose process is started', hasSpare: false },
    openings,
  )
  const spare = await measureWay(start, { name: 'on a spare process', hasSpare: true }, openings)
  return {
    figures: [...own.figures, ...spare.figures],
    budgets: [...own.budgets, ...spare.budgets],
  }
}
