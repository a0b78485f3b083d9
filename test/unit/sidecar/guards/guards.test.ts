// What callers may ask for at once and in a time, and what each refusal says. Whoever is refused has taken nothing.

import { describe, expect, test } from '@jest/globals'
import { parseSettings, type Settings } from '../../../../shared/settings.ts'
import { Guards, guardsOf } from '../../../../sidecar/guards/guards.ts'
import type { Ticket } from '../../../../sidecar/conversation/ticket.ts'
import type { Fault, FaultCode } from '../../../../sidecar/mcp/faults.ts'
import { keptLog } from '../../../support/kept-log.ts'
import { aRequest } from '../../../support/messages.ts'

const settingsOf = (texts: Readonly<Record<string, string>>): Settings => {
  const settings = parseSettings({ auth: 'none', ...texts })
  if (!settings.ok) throw new Error(settings.error.join())
  return settings.value
}

const PING = aRequest('{"jsonrpc":"2.0","id":1,"method":"ping"}')
const LISTEN = aRequest('{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen"}')
const callOf = (tool: string) =>
  aRequest(
    `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":${JSON.stringify(tool)}}}`,
  )

const start = (texts: Readonly<Record<string, string>>) => {
  const clock = { nowMs: 0 }
  const { log, lines } = keptLog()
  const guards = new Guards(settingsOf(texts), { now: () => clock.nowMs, log })
  // Each request by a principal of its own, as each token has one: what they are counted by is the key.
  const admit = (key: string, ...requests: (typeof PING)[]): readonly Ticket[] | Fault => {
    const caller = { key }
    const [first = PING, ...others] = requests
    if (others.length === 0) {
      const alone = guards.admit(caller, first)
      return alone.ok ? [alone.value] : alone.error
    }
    const admitted = guards.admitAll(caller, requests)
    return admitted.ok ? admitted.value : admitted.error
  }
  return {
    guards,
    lines,
    admit,
    wait: (ms: number): void => void (clock.nowMs += ms),
    /** Goes through; its ticket. */
    ticket: (caller: string, request = PING): Ticket => {
      const admitted = admit(caller, request)
      if ('code' in admitted || admitted[0] === undefined) throw new Error(JSON.stringify(admitted))
      return admitted[0]
    },
    code: (caller: string, ...requests: (typeof PING)[]): FaultCode | undefined => {
      const admitted = admit(caller, ...requests)
      return 'code' in admitted ? admitted.code : undefined
    },
  }
}

test('where nothing is limited there are no guards', () => {
  const { log } = keptLog()
  expect(guardsOf(settingsOf({}), { now: () => 0, log })).toBeUndefined()
})

describe('rate-limit', () => {
  test('is one for each caller, and says when and which', () => {
    const { admit, code, wait, guards } = start({ 'rate-limit': '2/m' })
    expect([code('a'), code('a'), code('b'), code('b')]).toEqual(Array(4).fill(undefined))
    expect(admit('a')).toEqual({
      code: 'rate-limited',
      message:
        "a caller's limit for requests is 2 a minute (outrigger.dev/rate-limit; each replica counts by itself); try again in 30 s",
      headers: { 'retry-after': '30' },
      data: { limit: 'rate-limit' },
    })
    wait(29_001)
    expect(admit('a')).toMatchObject({ headers: { 'retry-after': '1' } })
    wait(999)
    expect(code('a')).toBeUndefined()
    expect(guards.refusals.get('rate-limit')).toBe(2)
  })

  test('a batch is refused whole, and takes nothing', () => {
    const { code, admit } = start({ 'rate-limit': '3/m' })
    expect(code('a', PING, PING)).toBeUndefined()
    expect(code('a', PING, PING)).toBe('rate-limited')
    expect(code('a')).toBeUndefined()
    const never = admit('b', PING, PING, PING, PING)
    expect(never).toMatchObject({ message: expect.stringContaining('never fits') })
    expect(never).not.toHaveProperty('headers')
  })

  test('what was answered is not given back', () => {
    const { ticket, code } = start({ 'rate-limit': '1/h' })
    ticket('a').end()
    expect(code('a')).toBe('rate-limited')
  })

  test('a crowd of callers does not grow it, nor take the place of who waits for an answer', () => {
    const { ticket, code } = start({ 'rate-limit': '1/h', 'concurrency-limit': '1' })
    const held = ticket('first')
    for (let caller = 0; caller < 10_000; caller++) ticket(`${caller}`).end()
    expect(code('first')).toBe('too-many-requests')
    held.end()
    expect(code('first')).toBe('rate-limited')
  })
})

describe('concurrency-limit', () => {
  test('is over all requests of a caller, until each is over', () => {
    const { admit, ticket, code } = start({ 'concurrency-limit': '2' })
    const [one] = [ticket('a'), ticket('a'), ticket('b')]
    expect(admit('a')).toEqual({
      code: 'too-many-requests',
      message:
        "a caller's limit for requests is 2 at once (outrigger.dev/concurrency-limit; each replica counts by itself), and 2 are under way; try again in 1 s",
      headers: { 'retry-after': '1' },
      data: { limit: 'concurrency-limit' },
    })
    one?.end()
    expect(code('a')).toBeUndefined()
    expect(code('a')).toBe('too-many-requests')
  })

  test('an end counts once', () => {
    const { ticket, code } = start({ 'concurrency-limit': '1' })
    const first = ticket('a')
    first.end()
    ticket('a')
    first.end('request-cancelled')
    expect(code('a')).toBe('too-many-requests')
  })

  test('what lives as long as its client likes takes no place', () => {
    const { code } = start({ 'concurrency-limit': '1' })
    expect([code('a', LISTEN), code('a', LISTEN), code('a')]).toEqual(Array(3).fill(undefined))
  })

  test('a batch needs a place for each, and each is given back by itself', () => {
    const { admit, code } = start({ 'concurrency-limit': '2' })
    expect(code('a', PING, PING, PING)).toBe('too-many-requests')
    const tickets = admit('a', PING, PING)
    if ('code' in tickets) throw new Error('refused')
    tickets[1]?.end()
    expect([code('a'), code('a')]).toEqual([undefined, 'too-many-requests'])
  })

  test('who is refused by the rate holds no place', () => {
    const { ticket, code, wait } = start({ 'concurrency-limit': '1', 'rate-limit': '1/s' })
    ticket('a').end()
    expect(code('a')).toBe('rate-limited')
    wait(1000)
    expect(code('a')).toBeUndefined()
  })
})

describe('tool-limits', () => {
  test('hold for the calls of that tool, each for one caller', () => {
    const { admit, code } = start({ 'tool-limits': 'slow=1/m,heavy=1' })
    const rows = [
      code('a', callOf('slow')),
      code('a', callOf('slow')),
      code('b', callOf('slow')),
      code('a', callOf('heavy')),
      code('a', callOf('heavy')),
      code('a', callOf('other')),
      code('a'),
    ]
    expect(rows).toEqual([
      undefined,
      'rate-limited',
      undefined,
      undefined,
      'too-many-requests',
      undefined,
      undefined,
    ])
    expect(admit('a', callOf('slow'))).toMatchObject({
      message: expect.stringMatching(
        /^a caller's limit for calls of slow is 1 a minute \(outrigger.dev\/tool-limits;/,
      ),
      data: { limit: 'tool-limits' },
    })
  })

  test.each([
    ['in escapes', '{"name":"sl\\u006fw"}'],
    ['behind other members', '{"_meta":{"name":"x"},"arguments":{"name":"y"},"name":"slow"}'],
  ])('hold however the name is written: %s', (_name, params) => {
    const { code } = start({ 'tool-limits': 'slow=1/m' })
    const call = aRequest(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`)
    expect([code('a', call), code('a', call)]).toEqual([undefined, 'rate-limited'])
  })

  test('a call that its caller may not make leaves the tool its own', () => {
    const { code, wait } = start({ 'tool-limits': 'slow=1/h', 'rate-limit': '1/s' })
    expect([code('a'), code('a', callOf('slow'))]).toEqual([undefined, 'rate-limited'])
    wait(1000)
    expect(code('a', callOf('slow'))).toBeUndefined()
  })

  test('a tool may have a time of its own', () => {
    const { ticket } = start({ 'tool-limits': 'report=5m,quick=1s' })
    expect(ticket('a', callOf('report')).timeoutMs).toBe(300_000)
    expect(ticket('a', callOf('quick')).timeoutMs).toBe(1000)
    expect(ticket('a', callOf('other')).timeoutMs).toBeUndefined()
  })
})

describe('circuit-breaker', () => {
  const RULE = { 'circuit-breaker': '2/10s' }
  const fail = ({ ticket }: Pick<ReturnType<typeof start>, 'ticket'>, caller: string): void => {
    for (let count = 0; count < 2; count++) ticket(caller).end('server-exited')
  }

  test('opens after failures in a row, says so, and lets one try after the pause', () => {
    const { ticket, admit, code, wait, guards, lines } = start(RULE)
    fail({ ticket }, 'a')
    expect(admit('a')).toEqual({
      code: 'circuit-open',
      message:
        'the server has failed 2 times in a row or more, the last time with server-exited: it is tried again in 10 s (outrigger.dev/circuit-breaker; each replica has its own)',
      headers: { 'retry-after': '10' },
      data: { limit: 'circuit-breaker', state: 'open', last: 'server-exited' },
    })
    wait(10_000)
    const trial = ticket('a')
    expect(admit('a')).toMatchObject({ data: { state: 'half-open' } })
    expect(guards.breakers()).toEqual({ closed: 0, open: 0, 'half-open': 1 })
    trial.end()
    expect([code('a'), code('a')]).toEqual([undefined, undefined])
    expect(guards.breakers()).toEqual({ closed: 1, open: 0, 'half-open': 0 })
    expect(lines).toHaveLength(2)
    expect(lines.join()).toMatch(/has opened[^]*has closed/)
  })

  test('failures with an answer between them are not in a row', () => {
    const { ticket, code } = start(RULE)
    ticket('a').end('request-timeout')
    ticket('a').end()
    ticket('a').end('request-timeout')
    expect(code('a')).toBeUndefined()
  })

  test('what is not the server’s fault does not count, nor counts as an answer', () => {
    const { ticket, code } = start(RULE)
    for (const fault of ['request-timeout', 'request-cancelled', 'no-memory'] as const) {
      ticket('a').end(fault)
    }
    expect(code('a')).toBeUndefined()
    ticket('a').end('request-timeout')
    expect(code('a')).toBe('circuit-open')
  })

  test.each([
    ['session', {}, undefined],
    ['principal', { 'process-model': 'principal' }, undefined],
    ['shared', { 'process-model': 'shared' }, 'circuit-open'],
    ['a server over HTTP', { transport: 'http', port: '80' }, 'circuit-open'],
  ])("another caller's: %s", (_name, texts, code) => {
    const started = start({ ...RULE, ...texts })
    fail(started, 'a')
    expect([started.code('a'), started.code('b')]).toEqual(['circuit-open', code])
  })

  test('who tries and goes lets the next one try', () => {
    const { ticket, code, wait } = start(RULE)
    fail({ ticket }, 'a')
    wait(10_000)
    ticket('a').end('request-cancelled')
    expect(code('a')).toBeUndefined()
  })

  test('who tries and never ends keeps nobody away for good', () => {
    const { ticket, code, wait } = start(RULE)
    fail({ ticket }, 'a')
    wait(10_000)
    ticket('a')
    expect(code('a')).toBe('circuit-open')
    wait(10_000)
    expect(code('a')).toBeUndefined()
  })

  test('refuses before anything is taken', () => {
    const { ticket, code, wait, guards } = start({ ...RULE, 'rate-limit': '3/h' })
    fail({ ticket }, 'a')
    expect([code('a'), code('a')]).toEqual(['circuit-open', 'circuit-open'])
    wait(10_000)
    ticket('a').end()
    expect(code('a')).toBe('rate-limited')
    expect([...guards.refusals]).toEqual([
      ['rate-limit', 1],
      ['concurrency-limit', 0],
      ['tool-limits', 0],
      ['circuit-breaker', 2],
    ])
  })
})
