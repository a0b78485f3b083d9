// Decisions and rules of a tool policy as sentences. Pure.

import type { Decision } from '../../shared/policy/decide.ts'
import type { RuleDocument } from '../../shared/policy/schema.ts'

/** `allowed by role:reader` */
export const verdictWords = ({ isAllowed, rule, isOfBase }: Decision): string => {
  const verdict = isAllowed ? 'allowed' : 'denied'
  const none = isAllowed ? '' : `: no rule ${isOfBase ? 'of the base policy ' : ''}allows it`
  return `${verdict}${rule === undefined ? none : ` by ${rule}`}`
}

/** What became of a call, and why, a line each. */
export const decisionWords = (decision: Decision): string => {
  const { isAllowed, roles, isDryRun, failed } = decision
  return [
    verdictWords(decision),
    ...(isDryRun && !isAllowed ? ['mode: dry-run, so it is let through'] : []),
    `roles: ${roles.length === 0 ? 'none' : roles.join(', ')}`,
    ...failed.map((one) => `the condition of ${one.rule} failed: ${one.why}`),
    '',
  ].join('\n')
}

type Who = RuleDocument['who']

const CLAIMS = ['issuers', 'clients', 'groups', 'scopes', 'roles'] as const

export const whoWords = (who: Who): string => {
  if (who === undefined) return 'everybody'
  const principals = who.principals?.map(({ issuer, subject }) => `${subject} of ${issuer}`)
  return [
    ...(principals ? [principals.join(' or ')] : []),
    ...CLAIMS.flatMap((claim) => {
      const words = who[claim]
      return words === undefined ? [] : [`${claim} ${words.join(' or ')}`]
    }),
  ].join(', ')
}
