// What one decision by a policy of 200 rules takes, by itself.

import { readArguments } from '../../../shared/policy/arguments.ts'
import { readPolicy } from '../../../shared/policy/policy.ts'
import { judge, type Report } from '../report.ts'
import { median } from '../statistics.ts'
import { policyText } from './policy-text.ts'

const RULES = 200
const ISSUER = 'https://issuer.example'
const CALLS = 20_000
const SAMPLES = 9
const LIMIT_US = 20

export const measureDecisions = (): Report => {
  const read = readPolicy(policyText(RULES, ISSUER))
  if (!read.ok) throw new Error(`the bench's policy: ${JSON.stringify(read.error)}`)
  const { policy } = read.value
  const caller = { issuer: ISSUER, subject: 'user', client: 'bench', scopes: ['mcp'] }
  const decide = (): boolean =>
    policy.decide({
      caller,
      method: 'tools/call',
      target: { kind: 'tools', name: 'echo' },
      argumentsOf: () => readArguments('{"text":"hello"}'),
    }).isAllowed
  if (!decide()) throw new Error('the bench’s policy does not allow what it should')
  const sample = (): number => {
    const startedAt = performance.now()
    for (let call = 0; call < CALLS; call++) decide()
    return ((performance.now() - startedAt) * 1000) / CALLS
  }
  sample()
  const us = median(Array.from({ length: SAMPLES }, sample))
  const name = `decision by ${RULES} rules`
  return {
    figures: [{ figure: name, value: us ?? 0, unit: 'us' }],
    budgets: [judge(name, us, { atMost: LIMIT_US }, 'us')],
    faults: [],
  }
}
