// Runs the official suite against a URL as a process of its own, and reads the result files that it
// writes. A scored scenario that leaves no result has failed: silence never passes.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { readRequirements, type Era, type Requirements } from './requirements.ts'

const SUITE = createRequire(import.meta.url).resolve(
  '@modelcontextprotocol/conformance/dist/index.js',
)
const SCENARIO_LIMIT_MS = 12_000
const OUTPUT_TAIL_CHARS = 4000

export type Scenario = {
  readonly name: string
  readonly passed: boolean
  /** Why it does not count, for those that do not. */
  readonly notScored?: string
  /** What went wrong, a line each. */
  readonly faults: readonly string[]
}

export type SuiteResult = {
  readonly era: Era
  /** What the server speaks; the client's own era, or another that is translated. */
  readonly server: Era
  readonly revision: string
  readonly scenarios: readonly Scenario[]
}

const checks = z.array(
  z.object({ id: z.string(), status: z.string(), errorMessage: z.string().optional() }),
)

const readFaults = (file: string): string[] =>
  checks
    .parse(JSON.parse(readFileSync(file, 'utf8')))
    .filter(({ status }) => status === 'FAILURE')
    .map(({ id, errorMessage }) => `${id}: ${errorMessage ?? 'failed'}`)

const collect = (directory: string, requirements: Requirements): Scenario[] => {
  const results = new Map(
    readdirSync(directory).map((entry) => {
      const name = /^server-(.+)-\d{4}-\d\d-\d\dT[-\dZ]+$/.exec(entry)?.[1] ?? entry
      return [name, readFaults(join(directory, entry, 'checks.json'))]
    }),
  )
  const scenario = (name: string): Scenario => {
    const faults = results.get(name) ?? ['left no result']
    const notScored = requirements.notScored.get(name)
    return {
      name,
      passed: faults.length === 0,
      faults,
      ...(notScored !== undefined && { notScored }),
    }
  }
  const others = [...requirements.notScored.keys()].filter((name) => results.has(name))
  return [...requirements.scored, ...others].map(scenario)
}

const runProcess = async (
  args: readonly string[],
  signal: AbortSignal,
): Promise<{ code: number | null; output: string }> => {
  const child = spawn(process.execPath, [SUITE, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  })
  let output = ''
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-OUTPUT_TAIL_CHARS)
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  await once(child, 'close')
  return { code: child.exitCode, output }
}

const argumentsFor = (url: string, revision: string): string[] => {
  const limit = String(SCENARIO_LIMIT_MS)
  return ['server', '--url', url, '--requirements', revision, '--timeout', limit]
}

/** Runs one era's requirement set against the server at `url`. */
export const runSuite = async (
  url: string,
  era: Era,
  signal: AbortSignal,
  server: Era = era,
): Promise<SuiteResult> => {
  const requirements = readRequirements(era)
  const directory = mkdtempSync(join(tmpdir(), 'outrigger-conformance-'))
  try {
    const { code, output } = await runProcess(
      [...argumentsFor(url, requirements.revision), '-o', directory],
      signal,
    )
    const scenarios = collect(directory, requirements)
    const claims = scenarios.every(({ passed, notScored }) => passed || notScored !== undefined)
    if (claims !== (code === 0)) {
      throw new Error(
        `the suite's exit code ${code} contradicts its result files; its output ends: ${output}`,
      )
    }
    return { era, server, revision: requirements.revision, scenarios }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
