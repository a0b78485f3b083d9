// A policy as one grows: most rules are about other tools, by name or pattern, one in five looks at the arguments and the
// caller of the tool that is called and does not hold, and the last lets that tool's users in. Pure.

import { stringify } from 'yaml'

const CONDITIONS = [
  "principal.subject == 'nobody'",
  "'admins' in principal.groups",
  "has(arguments.text) && arguments.text.startsWith('/secret/')",
  'has(arguments.rows) && size(arguments.rows) > 1000000',
] as const

const ruleAt = (index: number): object => {
  const name = `rule-${index}`
  if (index % 5 === 0) {
    const when = CONDITIONS[(index / 5) % CONDITIONS.length]
    return { name, effect: 'deny', tools: ['echo'], when }
  }
  const tools = index % 2 === 0 ? [`tool_${index}`, `other_${index}`] : [`team${index}_*`]
  return { name, effect: index % 3 === 0 ? 'deny' : 'allow', who: { roles: ['user'] }, tools }
}

/** The text of one with so many rules; callers of `issuer` may use `echo`. */
export const policyText = (rules: number, issuer: string): string =>
  stringify({
    version: 1,
    roles: { user: { who: { issuers: [issuer] }, tools: ['status'] } },
    rules: [
      ...Array.from({ length: rules - 1 }, (_, index) => ruleAt(index)),
      { name: 'echo-for-users', effect: 'allow', who: { roles: ['user'] }, tools: ['echo'] },
    ],
  })
