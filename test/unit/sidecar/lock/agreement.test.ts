import { expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { stringify } from 'yaml'
import { definitionOf } from '../../../../shared/lock/digest.ts'
import { readPolicy } from '../../../../shared/policy/policy.ts'
import { ANONYMOUS } from '../../../../sidecar/access/principal.ts'
import { Gate } from '../../../../sidecar/policy/gate.ts'
import { lockedServer } from '../../../support/locked-server.ts'
import { aRequest } from '../../../support/messages.ts'

const NAMES = ['a', 'b', 'c', 'toString']
const toolOf = (name: string, variant: number) => ({ name, description: `${variant}` })

const tool = fc.record({ name: fc.constantFrom(...NAMES), variant: fc.nat(1) })

const gateOf = (allowed: readonly string[]): Gate => {
  const rules = allowed.length === 0 ? [] : [{ name: 'r', effect: 'allow', tools: allowed }]
  const read = readPolicy(stringify({ version: 1, rules }))
  if (!read.ok) throw new Error(read.error.map(({ message }) => message).join())
  const { policy } = read.value
  return new Gate({ policy: () => policy, onDecision: () => undefined })
}

test('with a lock and a policy, what is listed can be called, and nothing else', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(tool, { maxLength: 6 }),
      fc.uniqueArray(tool, { selector: ({ name }) => name }),
      fc.subarray(NAMES),
      async (listed, approved, allowed) => {
        const tools = listed.map(({ name, variant }) => toolOf(name, variant))
        const definitions = approved.map(({ name, variant }) => [
          name,
          Object.fromEntries(definitionOf('tools', toolOf(name, variant))),
        ])
        const locked = lockedServer(
          stringify({ version: 1, tools: Object.fromEntries(definitions) }),
          () => ({ tools }),
        )
        const gate = gateOf(allowed)
        const filter = gate.rightsOf(ANONYMOUS).filterOf('tools/list')
        const seen = filter?.(locked.hears('tools/list', { tools }))
        const callable = []
        for (const name of NAMES) {
          const text = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name } }
          const denied = gate.judge(ANONYMOUS, aRequest(JSON.stringify(text))).fault
          const refused = denied ?? (await locked.check('tools/call', { name }))
          if (refused === undefined) callable.push(name)
        }
        const names = [...(seen?.ok === true ? seen.value : '').matchAll(/"name":"(\w+)"/g)]
        expect(new Set(names.map(([, name]) => name))).toEqual(new Set(callable))
      },
    ),
    { numRuns: 300 },
  )
})
