// The bridge bench: our sidecar beside the bare node:http floor and the npm bridges, then what its
// sessions and its start cost. Starts every contender, and stops it whatever happens.

import { setTimeout as after } from 'node:timers/promises'
import type { Bench, BenchContext } from '../bench.ts'
import { residentKib } from '../process-cost.ts'
import { judge, median, type Figure, type Report } from '../report.ts'
import { FULL, FULL_PACE, MAIN_CELL, QUICK, QUICK_PACE, type Group } from './cells.ts'
import {
  buildEchoServer,
  buildSidecar,
  startFloor,
  startMcpProxy,
  startSidecar,
  startSupergateway,
  type Contender,
  type Sidecar,
} from './contenders.ts'
import { runRounds } from './rounds.ts'
import { measureSessions } from './sessions.ts'
import { toBudgets, toFigures } from './summary.ts'

const MIB = 1024

type Start = readonly [group: Group, name: string, start: () => Promise<Contender>]

const startable = (echo: string): readonly Start[] => [
  ['bridges', 'outrigger', () => startSidecar(echo, {})],
  ['bridges', 'floor', () => startFloor(echo, [])],
  ['bridges', 'supergateway', () => startSupergateway(echo)],
  ['bridges', 'mcp-proxy', () => startMcpProxy(echo)],
  ['shared', 'outrigger', () => startSidecar(echo, { 'process-model': 'shared' })],
  ['shared', 'floor', () => startFloor(echo, ['--shared'])],
]

const NAMES = ['outrigger', 'floor', 'supergateway', 'mcp-proxy']

const isSidecar = (contender: Contender): contender is Sidecar => 'start' in contender

const startAll = async (
  echo: string,
  { only, progress }: BenchContext,
): Promise<Record<Group, Contender[]>> => {
  const groups: Record<Group, Contender[]> = { bridges: [], shared: [] }
  try {
    for (const [group, name, start] of startable(echo)) {
      if (only.length === 0 || only.includes(name)) groups[group].push(await start())
    }
  } catch (error) {
    await stopAll(groups)
    throw error
  }
  progress(`started ${groups.bridges.map(({ name }) => name).join(', ')}`)
  return groups
}

const stopAll = async (groups: Readonly<Record<Group, readonly Contender[]>>): Promise<void> => {
  await Promise.all([...groups.bridges, ...groups.shared].map((one) => one.stop()))
}

const REST_MS = 5000

const memoryAfterLoad = (contenders: readonly Contender[]): Figure[] =>
  contenders.map(({ name, pids }) => ({
    bridge: name,
    'RSS after the load, MiB': Math.round(residentKib(pids) / MIB),
  }))

const measureStart = async (echo: string, rounds: number): Promise<Report> => {
  const starts = []
  for (let round = 0; round < rounds; round += 1) {
    const sidecar = await startSidecar(echo, {})
    starts.push(sidecar.start)
    await sidecar.stop()
  }
  const listening = median(starts.map(({ listeningMs }) => listeningMs)) ?? 0
  const ready = median(starts.map(({ readyMs }) => readyMs))
  return {
    figures: [
      { figure: 'sidecar start to listening', value: listening, unit: 'ms' },
      { figure: 'sidecar start to ready, first child included', value: ready ?? 0, unit: 'ms' },
    ],
    budgets: [judge('sidecar start to ready', ready, { atMost: 300 }, 'ms')],
    faults: [],
  }
}

const measureLoad = async (
  groups: Readonly<Record<Group, readonly Contender[]>>,
  context: BenchContext,
): Promise<Report> => {
  const cells = context.quick ? QUICK : FULL
  const pace = context.quick ? QUICK_PACE : FULL_PACE
  const { samples, faults } = await runRounds(groups, cells, pace, context)
  // Everybody has the same moment to give memory back.
  await after(REST_MS)
  const ours = groups.bridges.find(isSidecar)
  return {
    figures: [...toFigures(samples), ...memoryAfterLoad(groups.bridges)],
    budgets:
      ours === undefined
        ? []
        : [
            ...toBudgets(samples),
            judge('RSS after the load', residentKib(ours.pids) / MIB, { atMost: 96 }, 'MiB'),
          ],
    faults,
  }
}

/** On a sidecar of its own that has only seen small calls, as most have. */
const measureFresh = async (echo: string, context: BenchContext): Promise<Report> => {
  const sidecar = await startSidecar(echo, {})
  try {
    const pace = context.quick ? QUICK_PACE : FULL_PACE
    const once = { ...context, rounds: 1 }
    await runRounds({ bridges: [sidecar], shared: [] }, [MAIN_CELL], pace, once)
    return await measureSessions(sidecar, context)
  } finally {
    await sidecar.stop()
  }
}

const checkNames = (only: readonly string[]): void => {
  const unknown = only.filter((name) => !NAMES.includes(name))
  if (unknown.length > 0) {
    throw new Error(`--only ${unknown.join(' ')}: the contenders are ${NAMES.join(', ')}`)
  }
}

const run = async (context: BenchContext): Promise<Report> => {
  checkNames(context.only)
  const withOurs = context.only.length === 0 || context.only.includes('outrigger')
  const echo = buildEchoServer()
  if (withOurs) buildSidecar()
  const parts: Report[] = withOurs ? [await measureStart(echo, context.rounds)] : []
  const groups = await startAll(echo, context)
  try {
    parts.push(await measureLoad(groups, context))
  } finally {
    await stopAll(groups)
  }
  if (withOurs) parts.push(await measureFresh(echo, context))
  return {
    figures: parts.flatMap(({ figures }) => figures),
    budgets: parts.flatMap(({ budgets }) => budgets),
    faults: parts.flatMap(({ faults }) => faults),
  }
}

/** Calls per second, latency, CPU and memory of the bridge against the floor and its peers. */
export const bridgeBench: Bench = {
  name: 'bridge',
  summary: 'our sidecar beside a bare node:http bridge, supergateway and mcp-proxy',
  run,
}
