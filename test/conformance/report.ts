// What the conformance command prints and writes. Pure: results in, text or plain values out.

import type { Scenario, SuiteResult } from './suite.ts'

type Score = {
  readonly passed: number
  readonly of: number
  readonly failed: readonly string[]
}

/** The scored scenarios, counted. */
export const score = ({ scenarios }: SuiteResult): Score => {
  const scored = scenarios.filter(({ notScored }) => notScored === undefined)
  const failed = scored.filter(({ passed }) => !passed).map(({ name }) => name)
  return { passed: scored.length - failed.length, of: scored.length, failed }
}

/** What no translation can pass, and why: the legacy wire has no names for questions, which the scenario goes by. */
export const UNTRANSLATABLE: readonly string[] = ['input-required-result-basic-elicitation']

/** The scored scenarios that failed and that could have passed. */
export const unexpected = (result: SuiteResult): readonly string[] => {
  const known = result.era === result.server ? [] : UNTRANSLATABLE
  return score(result).failed.filter((name) => !known.includes(name))
}

const row = ({ name, passed, notScored, faults }: Scenario): string[] => {
  const verdict = passed ? 'pass' : notScored === undefined ? 'FAIL' : 'miss'
  const remark = notScored === undefined ? '' : `  (not scored: ${notScored})`
  const told = notScored === undefined ? faults : []
  return [`  ${verdict}  ${name}${remark}`, ...told.map((fault) => `          ${fault}`)]
}

/** A table of one set's scenarios, the score last. */
export const renderSet = (result: SuiteResult): string => {
  const { passed, of } = score(result)
  return [
    `${result.revision} (${result.era} client, ${result.server} server)`,
    ...result.scenarios.flatMap(row),
    `  ${passed} of ${of}`,
    '',
  ].join('\n')
}

/** The document that `--json` writes. */
export const toDocument = (results: readonly SuiteResult[]) => ({
  sets: results.map((result) => ({
    name: result.revision,
    client: result.era,
    server: result.server,
    ...score(result),
    notScored: result.scenarios
      .filter(({ notScored }) => notScored !== undefined)
      .map(({ name, passed, notScored }) => ({ name, passed, reason: notScored })),
  })),
})
