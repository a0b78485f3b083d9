// A tool policy from its file, and what decides by it. A bundle of its own, with CEL and YAML.

import { ok, fail } from '../../shared/result.ts'
import type { Log } from '../../shared/log.ts'
import { placedWords } from '../../shared/placed-fault.ts'
import { readPolicy } from '../../shared/policy/policy.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { PolicyFile, type ReadPolicyText } from './file.ts'
import { Gate } from './gate.ts'

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
  const read: ReadPolicyText = (text) => {
    const found = readPolicy(text)
    return found.ok ? ok(found.value.policy) : fail(found.error.map(placedWords))
  }
  const file = await PolicyFile.open({ path, read, log, onReload: metrics.policyReload, onChange })
  if (file.policy.isDryRun)
    log.warn('the tool policy is a dry run: what it denies goes on', { path })
  const gate = new Gate({ policy: () => file.policy, onDecision: metrics.policyDecision })
  return { gate, close: () => file.close() }
}
