// `npm run dashboard`: the dashboard's panels under a real load, drawn from what Prometheus answers to their queries.

import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { runProgram } from '../support/program.ts'
import { removeFolder } from '../support/remove-folder.ts'
import { asked, FOLDER, readPanels, type Panel } from './dashboard.ts'
import { draw, type Drawn, type Line } from './draw.ts'
import { startPrometheus, type Prometheus, type Series, type Window } from './prometheus.ts'
import { startScenario, type Scenario } from './scenario.ts'

const USAGE = `usage: npm run dashboard -- [--seconds N] [--out FILE]
  --seconds  how long the load lasts (default 240)
  --out      where the picture goes (default manifests/observability/dashboard.svg)
Prometheus (Debian's package prometheus) is needed.`

interface Options {
  readonly seconds: number
  readonly out: string
}

const readOptions = (args: string[]): Options => {
  const { values } = parseArgs({
    args,
    options: {
      seconds: { type: 'string', default: '240' },
      out: { type: 'string', default: `${FOLDER}dashboard.svg` },
    },
  })
  const seconds = Number(values.seconds)
  if (!(seconds >= 30)) throw new Error(`--seconds ${values.seconds}: must be 30 or more`)
  return { seconds, out: values.out }
}

/** The load comes and goes, as people do. */
const load = async (scenario: Scenario, untilMs: number, signal: AbortSignal): Promise<void> => {
  for (let round = 0; Date.now() < untilMs; round++) {
    signal.throwIfAborted()
    await scenario.round(Math.round(10 + 8 * Math.sin(round / 12)))
    await sleep(150)
  }
}

const nameOf = (legend: string, { metric }: Series): string =>
  legend === ''
    ? Object.values(metric).join('   ')
    : legend.replaceAll(/\{\{(\w+)\}\}/g, (_all, label: string) => metric[label] ?? '')

const linesOf = async (
  { targets }: Panel,
  prometheus: Prometheus,
  window: Window,
): Promise<readonly Line[]> => {
  const answers = await Promise.all(
    targets.map(async ({ expr, legendFormat }) => {
      const found = await prometheus.query(asked(expr, '15s'), window)
      return found.map((one) => ({
        name: nameOf(legendFormat, one),
        points: one.values.filter(([, value]) => Number.isFinite(value)),
      }))
    }),
  )
  return answers.flat()
}

const run = async ({ seconds, out }: Options, signal: AbortSignal): Promise<number> => {
  const folder = mkdtempSync(join(tmpdir(), 'outrigger-dashboard-'))
  const scenario = await startScenario(join(folder, 'scenario'))
  const prometheus = await startPrometheus(folder, scenario.targets)
  try {
    const from = Math.ceil(Date.now() / 1000)
    await load(scenario, (from + seconds) * 1000, signal)
    const window = {
      from: from + 5,
      to: from + seconds,
      step: Math.max(Math.round(seconds / 60), 1),
    }
    const drawn: Drawn[] = []
    for (const panel of readPanels()) {
      drawn.push({ panel, lines: await linesOf(panel, prometheus, window) })
    }
    writeFileSync(out, draw(drawn, window))
    process.stdout.write(`${out}\n`)
    return 0
  } finally {
    await prometheus.stop()
    await scenario.stop()
    await removeFolder(folder)
  }
}

process.exitCode = await runProgram({ name: 'dashboard', usage: USAGE, read: readOptions, run })
