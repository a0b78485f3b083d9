// How a sidecar with the image's flags and limit bears a crowd and hostile peers: what memory it takes, what it gives
// back, and whether another caller notices.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { constants, setPriority } from 'node:os'
import { setTimeout as after } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import {
  buildSidecar,
  compile,
  OUR_DIST,
  startSidecar,
  type Sidecar,
} from '../bridge/contenders.ts'
import type { Bench, BenchContext } from '../bench.ts'
import { fileKib, residentKib, takePeakKib } from '../process-cost.ts'
import { judge, type Budget, type Figure, type Report } from '../report.ts'
import { quantile } from '../statistics.ts'
import { makeMemoryGroup, type MemoryGroup } from '../../support/memory-group.ts'
import { FLOODS, fullLogs, type Target } from './floods.ts'
import type { Seen } from './probe.ts'

const MIB = 1024
const LIMIT_BYTES = 256 * 1024 * 1024
const CALM_MS = 10_000
const POLL_MS = 100
const LOGS = '4,000 sessions with full event logs'
const wants = ({ cells }: BenchContext, name: string): boolean =>
  cells.length === 0 || cells.some((part) => name.includes(part))
const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url))

/** How much is left within the time that a sidecar has to become small again. */
const calmMib = async (pid: number, target: number): Promise<number> => {
  let mib = Infinity
  for (let waited = 0; waited < CALM_MS && mib > target; waited += POLL_MS) {
    await after(POLL_MS)
    mib = residentKib([pid]) / MIB
  }
  return mib
}

const probed = async (
  url: string,
  work: () => Promise<string>,
): Promise<readonly [string, Seen]> => {
  const probe = spawn(process.execPath, [here('./probe.ts'), url], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let text = ''
  probe.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  const exited = once(probe, 'exit')
  try {
    await once(probe.stdout, 'data')
    const told = await work()
    probe.stdin.end()
    await exited
    return [told, JSON.parse(text.slice(text.indexOf('\n')))]
  } finally {
    probe.kill()
  }
}

/**
 * The floods' clients wait for the sidecar and for the probe, where the system lets them come back from that: who gets
 * which core is not what is measured.
 */
const givingWay = async <T>(work: () => Promise<T>): Promise<T> => {
  if (process.getuid?.() !== 0) return work()
  setPriority(constants.priority.PRIORITY_LOW)
  try {
    return await work()
  } finally {
    setPriority(constants.priority.PRIORITY_NORMAL)
  }
}

type Outcome = {
  readonly figure: Figure
  readonly peak: number
  readonly calm: number
  readonly p99: number | undefined
  readonly faults: readonly string[]
}

const MOST_CALM_MIB = 96

const measure = async (
  name: string,
  { url, pids }: Sidecar,
  work: () => Promise<string>,
): Promise<Outcome> => {
  const [pid = 0] = pids
  takePeakKib(pid)
  const [told, { calls, failures, milliseconds }] = await probed(url, () => givingWay(work))
  if (!existsSync(`/proc/${pid}`)) throw new Error(`the sidecar did not survive ${name}`)
  const calm = await calmMib(pid, MOST_CALM_MIB)
  const peak = takePeakKib(pid) / MIB
  const p99 = quantile(milliseconds, 0.99)
  const figure = {
    flood: name,
    'peak MiB': peak,
    'later MiB': calm,
    'of it files': fileKib(pid) / MIB,
    'small calls': calls,
    failed: failures.length,
    'p50 ms': quantile(milliseconds, 0.5) ?? 0,
    'p99 ms': p99 ?? 0,
    outcome: told,
  }
  const faults =
    failures.length > 0
      ? [`${name}: ${failures.length} small calls failed, the first: ${failures[0]}`]
      : []
  return { figure, peak, calm, p99, faults }
}

const heldIn = async (metricsUrl: string, kind: string): Promise<number> => {
  const text = await (await fetch(metricsUrl)).text()
  return Number(
    new RegExp(`outrigger_memory_held_bytes\\{kind="${kind}"\\} (\\d+)`).exec(text)?.[1],
  )
}

/** The floods of one process model, each in a sidecar that has borne those before it. */
const runModel = async (
  model: 'session' | 'principal',
  context: BenchContext,
  group: MemoryGroup | undefined,
): Promise<{ readonly outcomes: readonly Outcome[]; readonly sessionKib: number | undefined }> => {
  const floods = FLOODS.filter((flood) => flood.model === model && wants(context, flood.name))
  const hasLogs = model === 'principal' && wants(context, LOGS)
  if (floods.length === 0 && !hasLogs) return { outcomes: [], sessionKib: undefined }
  const server = compile(here('./flood-server.c'))
  const sidecar = await startSidecar({
    echo: server,
    dist: OUR_DIST,
    settings: { 'process-model': model },
    memoryBytes: LIMIT_BYTES,
    group: group?.procs,
  })
  const [pid = 0] = sidecar.pids
  const target: Target = {
    url: sidecar.url,
    signal: context.signal,
    share: context.quick ? 0.1 : 1,
  }
  const outcomes: Outcome[] = []
  let sessionKib: number | undefined
  try {
    for (const { name, run } of floods) {
      context.progress(name)
      outcomes.push(await measure(name, sidecar, () => run(target)))
    }
    if (hasLogs) {
      context.progress(LOGS)
      const before = residentKib([pid])
      const settled = async (count: number): Promise<void> => {
        const logsKib = (await heldIn(sidecar.metrics, 'events')) / 1024
        sessionKib = (residentKib([pid]) - before - logsKib) / count
      }
      outcomes.push(await measure(LOGS, sidecar, () => fullLogs(target, settled)))
    }
  } finally {
    await sidecar.stop()
  }
  return { outcomes, sessionKib }
}

const worst = (values: readonly (number | undefined)[]): number | undefined =>
  values.length === 0 ? undefined : Math.max(...values.map((value) => value ?? Infinity))

const run = async (context: BenchContext): Promise<Report> => {
  buildSidecar()
  const group = makeMemoryGroup(LIMIT_BYTES)
  context.progress(
    group ? 'in a memory cgroup of 256 MiB' : 'without a memory cgroup: by resident memory alone',
  )
  try {
    const first = await runModel('session', context, group)
    const second = await runModel('principal', context, group)
    const outcomes = [...first.outcomes, ...second.outcomes]
    const budgets: Budget[] = [
      judge('peak', worst(outcomes.map(({ peak }) => peak)), { atMost: 200 }, 'MiB'),
      judge(
        '10 s after',
        worst(outcomes.map(({ calm }) => calm)),
        { atMost: MOST_CALM_MIB },
        'MiB',
      ),
      judge('small calls, p99', worst(outcomes.map(({ p99 }) => p99)), { atMost: 100 }, 'ms'),
      ...(group ? [judge('kills for memory', group.kills(), { atMost: 0 }, '')] : []),
      ...(second.sessionKib === undefined
        ? []
        : [judge('one more session', second.sessionKib, { atMost: 20 }, 'KiB')]),
    ]
    return {
      figures: outcomes.map(({ figure }) => figure),
      budgets,
      faults: outcomes.flatMap(({ faults }) => faults),
    }
  } finally {
    group?.remove()
  }
}

export const pressureBench: Bench = {
  name: 'pressure',
  summary: 'memory and another caller under floods, with the image’s flags and limit',
  run,
}
