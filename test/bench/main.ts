// `npm run bench -- NAME`: runs one bench, prints its figures and budgets, writes them as JSON. Exit
// code 1 when a budget is missed or something failed; a quick run judges no budget.

import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Bench, BenchContext } from './bench.ts'
import { bridgeBench } from './bridge/bench.ts'
import { scanBench } from './scan/bench.ts'
import { renderBudgets, renderFigures, type Report } from './report.ts'
import { runProgram } from '../support/program.ts'

/** Every bench there is. */
const BENCHES: readonly Bench[] = [bridgeBench, scanBench]

const DEFAULT_ROUNDS = 5
const MAX_ROUNDS = 100

const USAGE = `usage: npm run bench -- NAME [--rounds N] [--quick] [--only CONTENDER]... [--json FILE]
${BENCHES.map(({ name, summary }) => `  ${name.padEnd(10)} ${summary}`).join('\n')}
  --rounds  how often everything is measured; medians are reported (default ${DEFAULT_ROUNDS})
  --quick   one brief round that judges no budget
  --only    leave the other contenders out
  --json    also write figures and budgets to FILE`

type Options = {
  readonly bench: Bench
  readonly rounds: number
  readonly quick: boolean
  readonly only: readonly string[]
  readonly json: string | undefined
}

const readOptions = (args: string[]): Options => {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: String(DEFAULT_ROUNDS) },
      quick: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      json: { type: 'string' },
    },
  })
  const [name, ...extra] = positionals
  const bench = BENCHES.find((one) => one.name === name)
  if (bench === undefined || extra.length > 0) {
    throw new Error(`${positionals.join(' ') || 'no name'}: not the name of a bench`)
  }
  const rounds = Number(values.rounds)
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > MAX_ROUNDS) {
    throw new Error(`--rounds ${values.rounds}: must be a number from 1 to ${MAX_ROUNDS}`)
  }
  const { quick, only, json } = values
  return { bench, rounds: quick ? 1 : rounds, quick, only, json }
}

const print = ({ figures, budgets, faults }: Report): void => {
  process.stdout.write(`${renderFigures(figures)}\n\n`)
  if (budgets.length > 0) process.stdout.write(`${renderBudgets(budgets)}\n`)
  for (const fault of faults) process.stdout.write(`failed: ${fault}\n`)
}

const run = async (options: Options, signal: AbortSignal): Promise<number> => {
  const context: BenchContext = {
    ...options,
    signal,
    progress: (line) => void process.stderr.write(`${line}\n`),
  }
  const report = await options.bench.run(context)
  print(report)
  if (options.json !== undefined) {
    const { figures, budgets } = report
    writeFileSync(options.json, `${JSON.stringify({ figures, budgets }, null, 2)}\n`)
  }
  const missed = !options.quick && budgetsMissed(report)
  return missed || report.faults.length > 0 ? 1 : 0
}

const budgetsMissed = ({ budgets }: Report): boolean => budgets.some(({ ok }) => !ok)

process.exitCode = await runProgram({ name: 'bench', usage: USAGE, read: readOptions, run })
