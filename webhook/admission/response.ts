// Decisions as AdmissionReview responses. Pure.

import type { JsonObject } from '../../shared/json.ts'
import { oneLine } from '../../shared/one-line.ts'
import type { Deny, Outcome } from '../inject/outcome.ts'
import type { Allow } from '../validation/verdict.ts'
import type { WorkloadOutcome } from '../workload/outcome.ts'
import { boundWarnings } from './warning-lines.ts'

// A denial is read by people, in an Event: so many reasons, and no more of each than tells it.
const MAX_REASONS = 50
const MAX_REASON_LENGTH = 2048
const MAX_MESSAGE_LENGTH = 32_768

const cut = (text: string, most: number): string =>
  text.length > most ? `${text.slice(0, most - 1)}…` : text

/** All violations as one message: a line each, as far as anybody reads. */
export const denialMessage = ({ violations }: Pick<Deny, 'violations'>): string => {
  const told = violations
    .slice(0, MAX_REASONS)
    .map(({ message }) => oneLine(cut(message, MAX_REASON_LENGTH)))
  if (violations.length === 1) return told.join('')
  const more = violations.length - told.length
  const lines = more === 0 ? told : [...told, `${more} more`]
  const text = `${violations.length} reasons:${lines.map((line) => `\n  - ${line}`).join('')}`
  return text.slice(0, MAX_MESSAGE_LENGTH)
}

const answer = (uid: string, response: JsonObject): JsonObject => ({
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  response: { uid, ...response },
})

/** A response that lets the object through untouched. */
export const allow = (uid: string): JsonObject => answer(uid, { allowed: true })

/** A response that refuses for a reason that is no violation of the pod's: 400, 503. */
export const refuse = (uid: string, code: number, message: string): JsonObject =>
  answer(uid, { allowed: false, status: { code, message } })

// As much as a line of the API server's audit log should grow.
const MAX_RECORD_LENGTH = 4096

/** The members that say something. */
const audit = (annotations: Readonly<Record<string, string>>): JsonObject => ({
  auditAnnotations: Object.fromEntries(
    Object.entries(annotations)
      .filter(([, text]) => text !== '')
      .map(([name, text]) => [name, cut(oneLine(text), MAX_RECORD_LENGTH)]),
  ),
})

const listed = (words: readonly string[]): string => [...new Set(words)].sort().join(',')

/** What was decided on a pod, on a workload, or on what is done to them. */
export type Decided = Outcome | WorkloadOutcome | Allow

/** The response for a decision; `recorded` is what the API server's audit log says besides. */
export const respond = (
  uid: string,
  outcome: Decided,
  recorded: readonly string[] = [],
): JsonObject => {
  const record = { decision: outcome.kind, recorded: listed(recorded.slice(0, MAX_REASONS)) }
  const warnings = boundWarnings(outcome.warnings)
  const warned = warnings.length > 0 ? { warnings } : {}
  if (outcome.kind === 'skip' || outcome.kind === 'allow') {
    return answer(uid, {
      allowed: true,
      ...warned,
      ...audit({ ...record, reason: outcome.reason }),
    })
  }
  if (outcome.kind === 'deny') {
    const status = { code: 403, reason: 'Forbidden', message: denialMessage(outcome) }
    const reason = listed(outcome.violations.map(({ code }) => code))
    const rules = listed(outcome.violations.flatMap(({ rule = [] }) => rule))
    return answer(uid, {
      allowed: false,
      status,
      ...warned,
      ...audit({ ...record, reason, rules }),
    })
  }
  const text = JSON.stringify(outcome.patch)
  const patch = { patchType: 'JSONPatch', patch: Buffer.from(text).toString('base64') }
  const patched = outcome.patch.length > 0 ? patch : {}
  return answer(uid, { allowed: true, ...patched, ...warned, ...audit(record) })
}

/** The one stable reason that a metric gives for a decision. */
export const reasonOf = (outcome: Decided): string => {
  if (outcome.kind === 'skip' || outcome.kind === 'allow') return outcome.reason
  return outcome.kind === 'deny' ? (outcome.violations[0]?.code ?? '') : ''
}
