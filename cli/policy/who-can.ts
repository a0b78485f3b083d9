// `outrigger policy who-can`: which rules are about a target, those that deny first. Pure.

import { globOf } from '../../shared/policy/glob.ts'
import type { CheckedPolicy } from '../../shared/policy/policy.ts'
import type { Target } from '../../shared/policy/rules.ts'
import { KINDS, type RoleDocument, type RuleDocument } from '../../shared/policy/schema.ts'
import { isPlainUri } from '../../shared/policy/uri.ts'
import { whoWords } from './words.ts'

const isAbout = (owner: RuleDocument | RoleDocument, { kind, name }: Target): boolean => {
  if (KINDS.every((one) => owner[one] === undefined)) return true
  const isJudged = kind !== 'resources' || isPlainUri(name)
  return (owner[kind] ?? []).some(
    (pattern) => pattern === name || (isJudged && globOf(pattern).matches(name)),
  )
}

const line = (name: string, { who, when }: Pick<RuleDocument, 'who' | 'when'>): string =>
  `  ${name}: ${whoWords(who)}${when === undefined ? '' : `, when ${when}`}`

export const whoCan = ({ document }: CheckedPolicy, target: Target): string => {
  const rules = document.rules.filter((rule) => isAbout(rule, target))
  const roles = Object.entries(document.roles).filter(([, role]) => isAbout(role, target))
  const named = (effect: RuleDocument['effect']): readonly string[] =>
    rules.filter((rule) => rule.effect === effect).map((rule) => line(rule.name, rule))
  const allowing = [
    ...roles.map(([name, { who }]) => line(`role:${name}`, { who })),
    ...named('allow'),
  ]
  const denying = named('deny')
  return [
    ...(denying.length === 0 ? [] : ['denied by', ...denying]),
    ...(allowing.length === 0 ? ['no rule allows it'] : ['allowed by', ...allowing]),
    '',
  ].join('\n')
}

/** The same with the base policy's rules before the policy's own: both have to allow it. */
export const whoCanWithin = (base: CheckedPolicy, own: CheckedPolicy, target: Target): string =>
  ['by the base policy', whoCan(base, target), 'and by the policy', whoCan(own, target)].join('\n')
