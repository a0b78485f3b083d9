// The auth bench: what it costs that a sidecar verifies its callers, decides by a policy of 20 rules and counts limits,
// beside the same one that lets everybody in; then a token that it has not seen, and a policy of 200 rules.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Bench, BenchContext } from '../bench.ts'
import {
  cellName,
  cellsNamed,
  CROWD_CELL,
  FULL_PACE,
  MAIN_CELL,
  MODERN_CELL,
  QUICK_PACE,
  type Cell,
} from '../bridge/cells.ts'
import { buildEchoServer, buildSidecar, startSidecar } from '../bridge/contenders.ts'
import { coresApart, describeCores } from '../bridge/cores.ts'
import { play, type Match, type Result } from '../bridge/matches.ts'
import { planOf, type RoundPlan } from '../bridge/rounds.ts'
import { toFigures } from '../bridge/summary.ts'
import { inFolder } from '../in-folder.ts'
import { judge, type Budget, type Report } from '../report.ts'
import { measureDecisions } from './decisions.ts'
import { measureFirstCalls } from './first-calls.ts'
import { policyText } from './policy-text.ts'
import { startTokens, type Tokens } from './tokens.ts'
import { SIDECAR, startVerifying } from './verifying.ts'

const CELLS = [MAIN_CELL, MODERN_CELL, CROWD_CELL]
const RIVAL = 'anonymous'
const PLAN: RoundPlan = { least: 4, most: 12, withinMs: 180_000 }
const RULES = 20
const budgetsOf = (results: readonly Result[], cells: readonly Cell[]): Budget[] =>
  cells.flatMap((cell) => {
    const result = results.find((one) => one.cell === cell)
    const name = cellName(cell)
    const unit = 'of the anonymous call'
    return [
      judge(`${name}: calls/s`, result?.calls.median, { atLeast: 0.92 }, unit),
      judge(`${name}: CPU per call`, result?.cpu.median, { atMost: 1.1 }, unit),
      judge(`${name}: p99 added`, result?.p99AddedMs, { atMost: 1 }, 'ms'),
    ]
  })

const measure = async (context: BenchContext, tokens: Tokens, policy: string): Promise<Report> => {
  const started = { echo: buildEchoServer(), cores: coresApart() }
  const cells = cellsNamed(CELLS, context.cells)
  const match: Match = {
    cells,
    rival: RIVAL,
    plan: planOf(context, PLAN),
    ours: () => startVerifying(started, { tokens, toolPolicy: policy }),
    theirs: () => startSidecar({ ...started, ...SIDECAR, settings: {} }),
  }
  const pace = context.quick ? QUICK_PACE : FULL_PACE
  const { results, faults } = await play(match, { pace, cores: started.cores }, context)
  const sidecar = await startVerifying(started, { tokens, toolPolicy: policy })
  const first = await measureFirstCalls(sidecar, tokens, context.quick).finally(sidecar.stop)
  const decisions = measureDecisions()
  return {
    figures: [...toFigures(results), ...first.figures, ...decisions.figures],
    budgets: [...budgetsOf(results, cells), ...first.budgets, ...decisions.budgets],
    faults,
  }
}

const run = inFolder(async (context, folder) => {
  buildSidecar()
  const tokens = await startTokens()
  try {
    const policy = join(folder, 'policy.yaml')
    writeFileSync(policy, policyText(RULES, tokens.issuer))
    return await measure(context, tokens, policy)
  } finally {
    await tokens.close()
  }
})

export const authBench: Bench = {
  name: 'auth',
  summary:
    'verified callers, a policy of 20 rules and limits, beside a sidecar that lets everybody in',
  conditions: () => describeCores(coresApart()),
  run,
}
