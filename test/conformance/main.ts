// `npm run conformance`: the official MCP conformance suite through `outrigger run` around our
// stdio fixture, which speaks both eras, and for clients of each era around one that speaks the other alone. Exit code 0 only
// when every scored scenario of every chosen cell passed, but for those that no translation can pass.

import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { startOutrigger, type Bridge } from '../support/outrigger-run.ts'
import { renderSet, toDocument, unexpected } from './report.ts'
import type { Era } from './requirements.ts'
import { runSuite, type SuiteResult } from './suite.ts'
import { runProgram } from '../support/program.ts'
import { modern } from '../support/puppet.ts'
import { send } from '../support/raw-http.ts'

const USAGE = `usage: npm run conformance -- [--era legacy|modern|translated|emulated|all] [--json FILE] [--url URL]
  --era   which client era to test; translated: modern clients before a legacy server, emulated: legacy ones before a modern server (default all)
  --json  also write the results to FILE
  --url   test the server at URL instead of starting outrigger around the fixture`

const FIXTURE = fileURLToPath(new URL('../fixtures/conformance-server.ts', import.meta.url))

type Cell = Era | 'translated' | 'emulated'

type Options = {
  readonly cells: readonly Cell[]
  readonly json: string | undefined
  readonly url: string | undefined
}

/** Which era the clients and the server of a cell are of. */
const CELLS: Readonly<Record<Cell, readonly [client: Era, server: Era]>> = {
  legacy: ['legacy', 'legacy'],
  modern: ['modern', 'modern'],
  translated: ['modern', 'legacy'],
  emulated: ['legacy', 'modern'],
}
const ALL: readonly Cell[] = ['legacy', 'modern', 'translated', 'emulated']

const isCell = (word: string): word is Cell => Object.hasOwn(CELLS, word)

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
  // One server is of one kind.
  if (era === 'all') return { cells: url === undefined ? ALL : ['legacy', 'modern'], json, url }
  if (isCell(era)) return { cells: [era], json, url }
  throw new Error(
    `--era ${JSON.stringify(era)}: must be legacy, modern, translated, emulated or all`,
  )
}

/**
 * Around a server of the legacy era, with a process for clients that can be asked by a form: one scenario, which is about
 * streams, waits less for its answer than a process takes to start on a busy machine.
 */
const startTranslated = async (): Promise<Bridge> => {
  const flags = ['--translate-eras', 'true']
  const bridge = await startOutrigger([process.execPath, FIXTURE, '--legacy'], { flags })
  const capabilities = { 'io.modelcontextprotocol/clientCapabilities': { elicitation: {} } }
  const { body, headers } = modern('server/discover', {}, capabilities)
  await send(bridge.url, body, headers)
  return bridge
}

/** Around a server of the modern era alone. */
const startEmulated = (): Promise<Bridge> =>
  startOutrigger([process.execPath, FIXTURE, '--modern'], { flags: ['--translate-eras', 'true'] })

const startCell = (cell: Cell): Promise<Bridge> => {
  if (cell === 'translated') return startTranslated()
  return cell === 'emulated' ? startEmulated() : startOutrigger([process.execPath, FIXTURE])
}

const testCell = async (cell: Cell, url: string, signal: AbortSignal): Promise<SuiteResult> => {
  const [client, server] = CELLS[cell]
  const result = await runSuite(url, client, signal, server)
  process.stdout.write(`${renderSet(result)}\n`)
  return result
}

const run = async ({ cells, json, url }: Options, signal: AbortSignal): Promise<number> => {
  const results: SuiteResult[] = []
  for (const cell of cells) {
    const bridge = url === undefined ? await startCell(cell) : undefined
    try {
      results.push(await testCell(cell, url ?? bridge?.url ?? '', signal))
    } finally {
      await bridge?.stop()
    }
  }
  if (json !== undefined) {
    writeFileSync(json, `${JSON.stringify(toDocument(results), null, 2)}\n`)
  }
  return results.every((result) => unexpected(result).length === 0) ? 0 : 1
}

process.exitCode = await runProgram({ name: 'conformance', usage: USAGE, read: readOptions, run })
