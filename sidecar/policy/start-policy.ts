// A tool policy from its file, and what decides by it. A bundle of its own, with CEL and YAML. Fails closed: without a
// good policy nothing starts, and one that cannot be used leaves the last good one in force.

import { setImmediate } from 'node:timers/promises'
import { KeptFile, needed } from '../../shared/kept-file.ts'
import { fail, ok } from '../../shared/result.ts'
import type { Log } from '../../shared/log.ts'
import { placedWords } from '../../shared/placed-fault.ts'
import { Policy } from '../../shared/policy/decide.ts'
import { BASE_PREFIX, Narrowed, type Decider } from '../../shared/policy/narrowed.ts'
import { checkPolicy, readPolicySliced } from '../../shared/policy/policy.ts'
import { faultWords } from '../../shared/schema-words.ts'
import { inSlices } from '../../shared/slices.ts'
import { textFile } from '../../shared/text-source.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { Gate } from './gate.ts'

const MAX_BYTES = 1024 * 1024
/** How often it is looked at: a change has to count within seconds. */
const LOOK_MS = 1000

export interface PolicyParts {
  readonly log: Log
  readonly metrics: Pick<Metrics, 'policyDecision' | 'policyReload'>
  /** Monotonic milliseconds. */
  readonly now: () => number
}

export interface StartedPolicy {
  readonly gate: Gate
  readonly close: () => void
}

export interface PolicySources {
  /** The file of the workload's own. */
  readonly path?: string | undefined
  /** The base policy, as it came with the configuration. */
  readonly base?: unknown
}

const readBase = (value: unknown): Policy => {
  const read = checkPolicy(value, BASE_PREFIX)
  if (read.ok) return read.value.policy
  throw new Error(`the base policy cannot be used: ${read.error.map(faultWords).join('; ')}`)
}

const warnOfDryRun = (what: string, { isDryRun }: Policy, log: Log): void => {
  if (isDryRun) log.warn(`${what} is a dry run: what it denies goes on`)
}

const openFile = async (
  path: string,
  { log, now }: Pick<PolicyParts, 'log' | 'now'>,
): Promise<KeptFile<Policy>> => {
  const opened = await KeptFile.open<Policy>({
    what: 'the tool policy',
    source: textFile(path, MAX_BYTES),
    parse: needed(async (text) => {
      const found = await inSlices(readPolicySliced(text), now, setImmediate)
      return found.ok ? ok(found.value.policy) : fail(found.error.map(placedWords))
    }),
    log,
    fields: ({ isDryRun }) => ({ mode: isDryRun ? 'dry-run' : 'enforce' }),
  })
  if (!opened.ok)
    throw new Error(`the tool policy ${path} cannot be used: ${opened.error.join('; ')}`)
  return opened.value
}

// Nobody starts without either; then nothing is allowed.
const NOTHING = new Policy({ isDryRun: false, roles: [], rules: [] })

const together = (base: Policy | undefined, own: Policy | undefined): Decider =>
  base && own ? new Narrowed(base, own) : (own ?? base ?? NOTHING)

/** Rejects with everything that is wrong with a policy. `onChange`: another one holds. */
export const startPolicy = async (
  sources: PolicySources,
  parts: PolicyParts,
  onChange: () => void,
): Promise<StartedPolicy> => {
  const { log, metrics } = parts
  const base = sources.base === undefined ? undefined : readBase(sources.base)
  const file = sources.path === undefined ? undefined : await openFile(sources.path, parts)
  if (base) warnOfDryRun('the base policy', base, log)
  if (file) warnOfDryRun('the tool policy', file.current(), log)
  let policy = together(base, file?.current())
  file?.follow(LOOK_MS, (outcome) => {
    metrics.policyReload(outcome)
    if (outcome !== 'taken') return
    policy = together(base, file.current())
    onChange()
  })
  const gate = new Gate({ policy: () => policy, onDecision: metrics.policyDecision })
  return { gate, close: () => file?.close() }
}
