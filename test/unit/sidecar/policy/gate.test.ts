import { describe, expect, test } from '@jest/globals'
import { Narrowed, type Decider } from '../../../../shared/policy/narrowed.ts'
import { readPolicy } from '../../../../shared/policy/policy.ts'
import {
  verifiedPrincipal,
  ANONYMOUS,
  type Principal,
} from '../../../../sidecar/access/principal.ts'
import { Gate } from '../../../../sidecar/policy/gate.ts'
import { aMessage } from '../../../support/messages.ts'

const identity = { client: undefined, scopes: [], groups: ['staff'], actors: [] }
const ALICE = verifiedPrincipal({ ...identity, issuer: 'i', subject: 'alice' })
const MALLORY = verifiedPrincipal({ ...identity, issuer: 'i', subject: 'mallory' })

const gateOf = (rules: string, mode = 'enforce', base?: string) => {
  const decisions: string[] = []
  const own = policyOf(rules, mode)
  let policy: Decider = base === undefined ? own : new Narrowed(policyOf(base, 'enforce'), own)
  const gate = new Gate({
    policy: () => policy,
    onDecision: ({ isAllowed, rule }) => decisions.push(`${isAllowed ? '+' : '-'}${rule ?? ''}`),
  })
  return {
    gate,
    decisions,
    change: (more: string) => {
      policy = policyOf(more, mode)
    },
  }
}

const policyOf = (rules: string, mode: string) => {
  const read = readPolicy(`version: 1\nmode: ${mode}\nrules:\n${rules}`)
  if (!read.ok) throw new Error(read.error.map(({ message }) => message).join())
  return read.value.policy
}

const RULES = `
- { name: staff, effect: allow, who: { groups: [staff] }, tools: [read], when: arguments.path == "a" }
- { name: anybody, effect: allow, resources: ['f://h/*'] }
- { name: gone, effect: deny, who: { principals: [{ issuer: i, subject: mallory }] } }
`

const request = (method: string, params: object = {}) =>
  aMessage(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }))

const call = (path: unknown) => request('tools/call', { name: 'read', arguments: { path } })
const note = aMessage('{"jsonrpc":"2.0","method":"notifications/initialized"}')
const answer = aMessage('{"jsonrpc":"2.0","id":1,"result":{}}')

describe('a message', () => {
  test.each([
    ['is allowed by a rule', ALICE, call('a'), undefined],
    ['is denied', ALICE, call('b'), 'the tool policy denies this: no rule allows it'],
    [
      'is denied where a condition fails',
      ALICE,
      call(1),
      'the tool policy denies this: no rule allows it',
    ],
    ['of nobody in particular', ANONYMOUS, call('a'), /no rule allows it/],
    ['of the protocol', ANONYMOUS, note, undefined],
    ['that answers', ALICE, answer, undefined],
    [
      'that answers, of somebody who may nothing',
      MALLORY,
      answer,
      /denies this caller everything, by the rule gone/,
    ],
    ['of somebody who may nothing', MALLORY, request('ping'), /by the rule gone/],
    [
      'that asks for two things, one of them denied',
      ALICE,
      request('subscriptions/listen', {
        notifications: { resourceSubscriptions: ['f://h/a', 'f://g/a'] },
      }),
      /no rule allows it/,
    ],
    [
      'that could be read in two ways',
      ALICE,
      request('completion/complete'),
      /could be read in two ways/,
    ],
  ])('%s', (_what, principal: Principal, message, why) => {
    const { fault } = gateOf(RULES).gate.judge(principal, message)
    if (why === undefined) expect(fault).toBeUndefined()
    else expect(fault?.message).toMatch(why)
  })

  test.each([
    ['a request', request('a/b'), 'denied'],
    ['a notification', aMessage('{"jsonrpc":"2.0","method":"a/b"}'), 'forbidden'],
  ])('%s that is denied has its own fault', (_what, message, code) => {
    expect(gateOf(RULES).gate.judge(ALICE, message).fault?.code).toBe(code)
  })

  test('is told which condition could not be decided, and nothing of its arguments', () => {
    const { gate } = gateOf(RULES)
    const { fault } = gate.judge(
      ALICE,
      request('tools/call', { name: 'read', arguments: { Path: 'secret' } }),
    )
    expect(fault?.message).toBe(
      'the tool policy denies this: no rule allows it; the condition of staff could not be decided',
    )
  })

  test('of a batch has what conditions may take together with the others', () => {
    const loops = `
- { name: loops, effect: allow, tools: [read], when: 'arguments.path.all(x, arguments.path.all(y, x == y))' }
`
    const { gate } = gateOf(loops)
    const wide = call(Array(8).fill(1))
    const effort = { spent: 0 }
    const faults = Array.from({ length: 50 }, () => gate.judge(ALICE, wide, effort).fault)
    expect([faults[0], faults.at(-1)?.code]).toEqual([undefined, 'denied'])
    expect(gate.judge(ALICE, wide).fault).toBeUndefined()
  })

  test('carries its decision, which is counted', () => {
    const { gate, decisions } = gateOf(RULES)
    expect(gate.judge(ALICE, call('a')).decision).toMatchObject({ rule: 'staff', roles: [] })
    gate.judge(ALICE, call('b'))
    expect(decisions).toEqual(['+staff', '-'])
  })

  const base = `
- { name: known, effect: allow, resources: ['f://h/*'] }
- { name: secret, effect: deny, resources: ['f://h/secret'] }
`
  const own = `
- { name: some, effect: allow, resources: ['f://h/a', 'f://h/secret'] }
`
  test.each([
    ['the last', ['f://h/b', 'f://h/secret'], /by the rule secret$/, '-secret'],
    ['the first', ['f://h/secret', 'f://h/b'], /by the rule secret$/, '-secret'],
    ['what no rule allows', ['f://h/b', 'f://g/a'], /no rule of the base policy allows/, '-'],
    ['nothing', ['f://h/b', 'f://h/a'], undefined, '-'],
    ['nothing, and own rules allow all', ['f://h/a'], undefined, '+some'],
  ])(
    'that asks for many things is held to the base policy beside a dry run: it denies %s',
    (_what, resourceSubscriptions, why, counted) => {
      const { gate, decisions } = gateOf(own, 'dry-run', base)
      const message = request('subscriptions/listen', { notifications: { resourceSubscriptions } })
      const { fault } = gate.judge(ALICE, message)
      expect(fault?.message).toEqual(why && expect.stringMatching(why))
      expect(decisions).toEqual([counted])
    },
  )

  test('goes on in a dry run, and is counted', () => {
    const { gate, decisions } = gateOf(RULES, 'dry-run')
    expect(gate.judge(ALICE, call('b')).fault).toBeUndefined()
    expect(gate.judge(MALLORY, call('a')).fault).toBeUndefined()
    expect(gate.admit(MALLORY)).toBeUndefined()
    expect(gate.judge(ALICE, request('completion/complete')).fault).toBeUndefined()
    expect(decisions).toEqual(['-', '-gone', '-'])
  })
})

describe('what a caller may', () => {
  test('is as the policy is that holds now', () => {
    const { gate, change } = gateOf(RULES)
    const rights = gate.rightsOf(ALICE)
    expect(rights.mayBeAsked('elicitation/create')).toBe(false)
    expect(rights.blockedBy()).toBeUndefined()
    change('- { name: a, effect: allow, methods: ["elicitation/*"] }')
    expect(rights.mayBeAsked('elicitation/create')).toBe(true)
    change('- { name: out, effect: deny, who: { groups: [staff] } }')
    expect(rights.blockedBy()).toBe('out')
    expect(gate.rightsOf(ALICE)).toBe(rights)
  })

  test('leaves out of lists what it may not use', () => {
    const rights = gateOf(RULES).gate.rightsOf(ALICE)
    const list = '{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"read"},{"name":"x"}]}}'
    expect(rights.filterOf('tools/list')?.(list)).toEqual({
      ok: true,
      value: '{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"read"}]}}',
    })
    expect(rights.filterOf('tools/call')).toBeUndefined()
  })

  test.each([
    ['tools/list', '{"tools":[{"name":"x"},{"title":"no name"}],"cacheScope":"public"}'],
    ['tools/list', '{"tools":"none"}'],
    ['initialize', '{"capabilities":{"tools":{}}}'],
  ])('hides nothing in a dry run: %s %s', (method, result) => {
    const rights = gateOf(RULES, 'dry-run').gate.rightsOf(ALICE)
    const answer = `{"jsonrpc":"2.0","id":1,"result":${result}}`
    expect(rights.filterOf(method)?.(answer)).toEqual({ ok: true, value: answer })
  })
})
