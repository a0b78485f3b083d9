// `npm run conformance`: the official MCP conformance suite through `outrigger run` around our
// stdio fixture. Exit code 0 only when every scored scenario of every chosen era passed.

import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { startOutrigger } from '../support/outrigger-run.ts'
import { renderSet, score, toDocument } from './report.ts'
import { ERAS, type Era } from './requirements.ts'
import { runSuite, type SuiteResult } from './suite.ts'
import { runProgram } from '../support/program.ts'

const USAGE = `usage: npm run conformance -- [--era legacy|modern|all] [--json FILE] [--url URL]
  --era   which client era to test (default all)
  --json  also write the results to FILE
  --url   test the server at URL instead of starting outrigger around the fixture`

const FIXTURE = fileURLToPath(new URL('../fixtures/conformance-server.ts', import.meta.url))

type Options = {
  readonly eras: readonly Era[]
  readonly json: string | undefined
  readonly url: string | undefined
}

const isEra = (word: string): word is Era => Object.hasOwn(ERAS, word)

const readOptions = (args: string[]): Options => {
  const { values } = parseArgs({
    args,
    options: {
      era: { type: 'string', default: 'all' },
      json: { type: 'string' },
      url: { type: 'string' },
    },
  })
  const { era, json, url } = values
  if (era === 'all') return { eras: ['legacy', 'modern'], json, url }
  if (isEra(era)) return { eras: [era], json, url }
  throw new Error(`--era ${JSON.stringify(era)}: must be legacy, modern or all`)
}

const testEras = async (
  eras: readonly Era[],
  url: string,
  signal: AbortSignal,
): Promise<SuiteResult[]> => {
  const results: SuiteResult[] = []
  for (const era of eras) {
    const result = await runSuite(url, era, signal)
    process.stdout.write(`${renderSet(result)}\n`)
    results.push(result)
  }
  return results
}

const run = async ({ eras, json, url }: Options, signal: AbortSignal): Promise<number> => {
  const bridge = url === undefined ? await startOutrigger([process.execPath, FIXTURE]) : undefined
  try {
    const results = await testEras(eras, url ?? bridge?.url ?? '', signal)
    if (json !== undefined) {
      writeFileSync(json, `${JSON.stringify(toDocument(results), null, 2)}\n`)
    }
    return results.every((result) => score(result).failed.length === 0) ? 0 : 1
  } finally {
    await bridge?.stop()
  }
}

process.exitCode = await runProgram({ name: 'conformance', usage: USAGE, read: readOptions, run })
