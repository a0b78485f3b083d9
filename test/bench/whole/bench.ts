// The whole bench: everything on (verified callers, a policy of 20 rules, limits, every call on record in a chained file,
// traces at 5 %, metrics) beside the bare node:http bridge, and beside npm's, which verify and record nothing.

import { mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { policyText } from '../auth/policy-text.ts'
import { startTokens, type Tokens } from '../auth/tokens.ts'
import { startVerifying } from '../auth/verifying.ts'
import type { Bench, BenchContext } from '../bench.ts'
import { cellName, FULL_PACE, MAIN_CELL, QUICK_PACE } from '../bridge/cells.ts'
import {
  buildEchoServer,
  buildSidecar,
  startFloor,
  startMcpProxy,
  startSupergateway,
} from '../bridge/contenders.ts'
import { coresApart, describeCores } from '../bridge/cores.ts'
import { play, type Match, type Result } from '../bridge/matches.ts'
import { exactly, planOf, type RoundPlan } from '../bridge/rounds.ts'
import { toFigures } from '../bridge/summary.ts'
import { inFolder } from '../in-folder.ts'
import { judge, type Budget, type Report } from '../report.ts'
import { startDrain } from '../telemetry/drain.ts'

const PLAN: RoundPlan = { least: 4, most: 12, withinMs: 120_000 }
const RULES = 20
const SAMPLE_RATIO = 0.05
const PEERS = ['supergateway', 'mcp-proxy'] as const

interface Place {
  readonly folder: string
  readonly endpoint: string
  readonly tokens: Tokens
}

const budgetsOf = (results: readonly Result[]): readonly Budget[] => {
  const beside = (rival: string): Result | undefined => results.find((one) => one.rival === rival)
  const peers = PEERS.flatMap((peer) => beside(peer)?.calls.median ?? [])
  // The better one is the one that we are least ahead of.
  const better = peers.length === PEERS.length ? Math.min(...peers) : undefined
  const name = cellName(MAIN_CELL)
  return [
    judge(
      `${name}, beside floor: calls/s`,
      beside('floor')?.calls.median,
      { atLeast: 0.7 },
      'times',
    ),
    judge(
      `${name}, beside floor: CPU per call`,
      beside('floor')?.cpu.median,
      { atMost: 1.65 },
      'times',
    ),
    judge(`${name}, beside the better npm bridge: calls/s`, better, { atLeast: 3 }, 'times'),
  ]
}

const measure = async (
  context: BenchContext,
  { folder, endpoint, tokens }: Place,
): Promise<Report> => {
  const started = { echo: buildEchoServer(), cores: coresApart() }
  const toolPolicy = join(folder, 'policy.yaml')
  writeFileSync(toolPolicy, policyText(RULES, tokens.issuer))
  const ours = () => {
    const file = join(mkdtempSync(join(folder, 'audit-')), 'audit.jsonl')
    const traces = { endpoint, sampleRatio: SAMPLE_RATIO }
    return startVerifying(started, { tokens, toolPolicy, document: { audit: { file }, traces } })
  }
  const match = { cells: [MAIN_CELL], plan: planOf(context, PLAN), ours }
  const matches: readonly Match[] = [
    { ...match, rival: 'floor', theirs: () => startFloor(started, []) },
    // Far from their limit.
    { ...match, plan: exactly(1), rival: PEERS[0], theirs: () => startSupergateway(started) },
    { ...match, plan: exactly(1), rival: PEERS[1], theirs: () => startMcpProxy(started) },
  ]
  const manner = { pace: context.quick ? QUICK_PACE : FULL_PACE, cores: started.cores }
  const played = []
  for (const one of matches) played.push(await play(one, manner, context))
  const results = played.flatMap((one) => one.results)
  return {
    figures: toFigures(results),
    budgets: budgetsOf(results),
    faults: played.flatMap(({ faults }) => faults),
  }
}

const run = inFolder(async (context, folder) => {
  buildSidecar()
  const drain = await startDrain()
  const tokens = await startTokens()
  try {
    return await measure(context, { folder, endpoint: drain.endpoint, tokens })
  } finally {
    await tokens.close()
    drain.close()
  }
})

export const wholeBench: Bench = {
  name: 'whole',
  summary: 'everything on, beside a bare node:http bridge and npm’s bridges',
  conditions: () => describeCores(coresApart()),
  run,
}
