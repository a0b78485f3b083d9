// How long a session takes to open, its server process included, and its first call, beside a later call of the same.

import { initialize, initialized, legacyCall, terminate } from '../bridge/requests.ts'
import { sessionOf, Wire, type Answer } from '../bridge/wire.ts'
import type { Contender } from '../bridge/contenders.ts'
import type { Figure } from '../report.ts'
import { median } from '../statistics.ts'

const WARMUP = 20
const OPENINGS = 100

const fail = (error: Error): never => {
  throw error
}

type Opening = { readonly opening: number; readonly first: number; readonly later: number }

const openedBefore = async ({ url }: Contender, openings: number): Promise<readonly Opening[]> => {
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

export const measureOpenings = async (
  start: () => Promise<Contender>,
  isQuick: boolean,
): Promise<readonly Figure[]> => {
  const contender = await start()
  const opened = openedBefore(contender, isQuick ? 5 : OPENINGS)
  const all = await opened.finally(() => contender.stop())
  const of = (figure: string, value: (one: Opening) => number): Figure => ({
    figure,
    value: median(all.map(value)) ?? 0,
    unit: 'ms',
  })
  return [
    of('a session opens, its process started', ({ opening }) => opening),
    of('its first call', ({ first }) => first),
    of('its second call', ({ later }) => later),
  ]
}
