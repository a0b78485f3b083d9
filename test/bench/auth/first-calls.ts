// What a call by a token that the sidecar has not seen takes beyond one by a token that it knows: by turns, in one session.

import { initialize, initialized, legacyCall, terminate } from '../bridge/requests.ts'
import { sessionOf, Wire } from '../bridge/wire.ts'
import type { Contender } from '../bridge/contenders.ts'
import { judge, type Report } from '../report.ts'
import { median } from '../statistics.ts'
import type { Tokens } from './tokens.ts'

const WARMUP = 200
const CALLS = 600
const LIMIT_MS = 0.5

export const measureFirstCalls = async (
  { url }: Contender,
  tokens: Tokens,
  isQuick: boolean,
): Promise<Report> => {
  const { host, port, pathname: path } = new URL(url)
  const calls = isQuick ? 20 : CALLS
  const known = await tokens.bearer()
  const bearers = await Promise.all(Array.from({ length: WARMUP + calls }, tokens.bearer))
  const fail = (error: Error): never => {
    throw error
  }
  const wire = new Wire('127.0.0.1', Number(port), fail)
  const target = { host, path, headers: [known] }
  const session = sessionOf(await wire.ask(initialize(target))) ?? ''
  await wire.ask(initialized(target, session))
  const timed = async (bearer: string): Promise<number> => {
    const request = legacyCall({ host, path, headers: [bearer] }, session, '100 B')
    const startedAt = performance.now()
    const { status, body } = await wire.ask(request)
    const ms = performance.now() - startedAt
    if (status !== 200) throw new Error(`tools/call was answered ${status}: ${body}`)
    return ms
  }
  const added: number[] = []
  for (const [index, bearer] of bearers.entries()) {
    const ms = (await timed(bearer)) - (await timed(known))
    if (index >= WARMUP) added.push(ms)
  }
  await wire.ask(terminate(target, session))
  wire.close()
  const value = median(added)
  const name = 'first call by a token not seen before, added'
  return {
    figures: [{ figure: name, value: value ?? 0, unit: 'ms' }],
    budgets: [judge(name, value, { atMost: LIMIT_MS }, 'ms')],
    faults: [],
  }
}
