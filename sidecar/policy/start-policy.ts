// A tool policy from its file, and what decides by it. A bundle of its own, with CEL and YAML. Fails closed: without a
// good policy nothing starts, and one that cannot be used leaves the last good one in force.

import { KeptFile, needed } from '../../shared/kept-file.ts'
import { fail, ok } from '../../shared/result.ts'
import type { Log } from '../../shared/log.ts'
import { placedWords } from '../../shared/placed-fault.ts'
import type { Policy } from '../../shared/policy/decide.ts'
import { readPolicy } from '../../shared/policy/policy.ts'
import { textFile } from '../../shared/text-source.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { Gate } from './gate.ts'

const MAX_BYTES = 1024 * 1024
/** How often it is looked at: a change has to count within seconds. */
const LOOK_MS = 1000

export interface PolicyParts {
  readonly log: Log
  readonly metrics: Pick<Metrics, 'policyDecision' | 'policyReload'>
}

export interface StartedPolicy {
  readonly gate: Gate
  readonly close: () => void
}

/** Rejects with everything that is wrong with the policy. `onChange`: another one holds. */
export const startPolicy = async (
  path: string,
  { log, metrics }: PolicyParts,
  onChange: () => void,
): Promise<StartedPolicy> => {
  const opened = await KeptFile.open<Policy>({
    what: 'the tool policy',
    source: textFile(path, MAX_BYTES),
    parse: needed((text) => {
      const found = readPolicy(text)
      return found.ok ? ok(found.value.policy) : fail(found.error.map(placedWords))
    }),
    log,
    fields: ({ isDryRun }) => ({ mode: isDryRun ? 'dry-run' : 'enforce' }),
  })
  if (!opened.ok)
    throw new Error(`the tool policy ${path} cannot be used: ${opened.error.join('; ')}`)
  const file = opened.value
  if (file.current().isDryRun)
    log.warn('the tool policy is a dry run: what it denies goes on', { path })
  file.follow(LOOK_MS, (outcome) => {
    metrics.policyReload(outcome)
    if (outcome === 'taken') onChange()
  })
  const gate = new Gate({ policy: () => file.current(), onDecision: metrics.policyDecision })
  return { gate, close: () => file.close() }
}
