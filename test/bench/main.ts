// `npm run bench -- NAME`: runs one bench, prints its figures and budgets, writes them as JSON. Exit
// code 1 when a budget is missed or something failed; a quick run judges no budget.

import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { admissionBench } from './admission/bench.ts'
import { authBench } from './auth/bench.ts'
import type { Bench, BenchContext } from './bench.ts'
import { bridgeBench } from './bridge/bench.ts'
import { cellsBench } from './cells/bench.ts'
import { telemetryBench } from './telemetry/bench.ts'
import { egressBench } from './egress/bench.ts'
import { heldBench } from './held/bench.ts'
import { machine } from './machine.ts'
import { pressureBench } from './pressure/bench.ts'
import { wholeBench } from './whole/bench.ts'
import { scanBench } from './scan/bench.ts'
import { renderBudgets, renderFigures, type Report } from './report.ts'
import { runProgram } from '../support/program.ts'

/** Every bench there is. */
const BENCHES: readonly Bench[] = [
  bridgeBench,
  authBench,
  telemetryBench,
  wholeBench,
  cellsBench,
  heldBench,
  scanBench,
  pressureBench,
  admissionBench,
  egressBench,
]

const MAX_ROUNDS = 10_000

const USAGE = `usage: npm run bench -- NAME [--rounds N] [--cell PART]... [--against DIR] [--quick] [--json FILE]
${BENCHES.map(({ name, summary }) => `  ${name.padEnd(10)} ${summary}`).join('\n')}
  --rounds   how often everything is measured; medians are reported
  --cell     only cells whose names contain PART: 'modern', '8 x 100 B, legacy'
  --against  bridge: beside another build of ours, a built checkout or its dist/, instead of others' programs
  --quick    one brief round that judges no budget
  --json     also write conditions, figures and budgets to FILE`

type Options = {
  readonly bench: Bench
  readonly rounds: number | undefined
  readonly cells: readonly string[]
  readonly against: string | undefined
  readonly quick: boolean
  readonly json: string | undefined
}

const roundsOf = (text: string | undefined): number | undefined => {
  if (text === undefined) return undefined
  const rounds = Number(text)
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > MAX_ROUNDS) {
    throw new Error(`--rounds ${text}: must be a number from 1 to ${MAX_ROUNDS}`)
  }
  return rounds
}

const readOptions = (args: string[]): Options => {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      rounds: { type: 'string' },
      cell: { type: 'string', multiple: true, default: [] },
      against: { type: 'string' },
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
    },
  })
  const [name, ...extra] = positionals
  const bench = BENCHES.find((one) => one.name === name)
  if (bench === undefined || extra.length > 0) {
    throw new Error(`${positionals.join(' ') || 'no name'}: not the name of a bench`)
  }
  const { cell: cells, against, quick, json } = values
  return { bench, rounds: roundsOf(values.rounds), cells, against, quick, json }
}

const print = (conditions: string, { figures, budgets, faults }: Report): void => {
  process.stdout.write(`${conditions}\n\n${renderFigures(figures)}\n\n`)
  if (budgets.length > 0) process.stdout.write(`${renderBudgets(budgets)}\n`)
  for (const fault of faults) process.stdout.write(`failed: ${fault}\n`)
}

const run = async (options: Options, signal: AbortSignal): Promise<number> => {
  const context: BenchContext = {
    ...options,
    signal,
    progress: (line) => void process.stderr.write(`${line}\n`),
  }
  const conditions = [machine(), options.bench.conditions?.()].filter(Boolean).join('; ')
  context.progress(conditions)
  const report = await options.bench.run(context)
  print(conditions, options.quick ? { ...report, budgets: [] } : report)
  if (options.json !== undefined) {
    const content = { conditions, ...report }
    writeFileSync(options.json, `${JSON.stringify(content, null, 2)}\n`)
  }
  const missed = !options.quick && budgetsMissed(report)
  return missed || report.faults.length > 0 ? 1 : 0
}

const budgetsMissed = ({ budgets }: Report): boolean => budgets.some(({ ok }) => !ok)

process.exitCode = await runProgram({ name: 'bench', usage: USAGE, read: readOptions, run })
