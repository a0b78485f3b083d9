// What records, calls, figures and the log say of what servers reach: by a clock, calls and a proxy of the test's.

import { beforeEach, describe, expect, test } from '@jest/globals'
import type { WorksFor } from '../../../../../sidecar/audit/egress-records.ts'
import { EgressRecords } from '../../../../../sidecar/audit/egress-records.ts'
import { Account } from '../../../../../sidecar/egress/ledger/account.ts'
import { EgressCounts } from '../../../../../sidecar/egress/ledger/figures.ts'
import { Ledger } from '../../../../../sidecar/egress/ledger/ledger.ts'
import type { Settled } from '../../../../../sidecar/egress/ledger/attempt.ts'
import type { OnRecord, Underway } from '../../../../../sidecar/server/underway.ts'
import { keptLog } from '../../../../support/kept-log.ts'

const ALICE = { key: 'alice' }

type Reached = Readonly<Record<string, unknown>>

let nowMs: number
let records: Record<string, unknown>[]
let unwritten: number
let held: number
let calls: Underway[]
let lines: string[]
let counts: EgressCounts
let ledger: Ledger
let isFailing: boolean

const aCall = (
  number: number,
  caller = 'alice',
  tool = 'fetch',
): Underway & { record: OnRecord } => ({
  id: number,
  method: 'tools/call',
  operation: { kind: { method: 'tools/call', tool } },
  record: {
    number,
    caller: `,"caller":{"by":"token","issuer":"i","subject":"${caller}"}`,
    reached: undefined,
  },
})

const reachedIn = ({ record }: Underway): Reached | undefined =>
  record?.reached && JSON.parse(`{${record.reached.members().slice(1)}}`).egress

const account = (more: Partial<ConstructorParameters<typeof Account>[0]> = {}): Account =>
  new Account({ child: 3, session: 'Zm9v', caller: ALICE, calls: () => calls, ...more })

const recordsWith = (onFailure: 'refuse' | 'drop'): EgressRecords =>
  new EgressRecords({
    writer: {
      get isFailing() {
        return isFailing
      },
      roomBytes: 64 * 1024,
      reserve: (bytes) => {
        held += bytes
        return true
      },
      giveBack: (bytes) => {
        held -= bytes
      },
      add: (members, reserved) => {
        held -= reserved ?? 0
        records.push(JSON.parse(`{${members}}`))
        return members.length
      },
    },
    described: { caller: () => ',"caller":{"by":"token","issuer":"i","subject":"alice"}' },
    now: () => nowMs,
    onFailure,
    onUnwritten: (many) => {
      unwritten += many
    },
  })

const ledgerWith = (onFailure: 'refuse' | 'drop'): Ledger => {
  const log = keptLog()
  lines = log.lines
  return new Ledger({
    records: recordsWith(onFailure),
    log: log.log,
    now: () => nowMs,
    counts,
    enforcement: () => 'enforced',
  })
}

beforeEach(() => {
  nowMs = 1000
  records = []
  unwritten = 0
  held = 0
  calls = [aCall(7)]
  isFailing = false
  counts = new EgressCounts(['api.example.com:443'])
  ledger = ledgerWith('refuse')
})

const ALLOWED: Settled = {
  how: 'connect',
  verdict: 'allowed',
  host: 'api.example.com',
  port: 443,
  address: '203.0.113.80',
  rule: 'api.example.com:443',
}
const DENIED: Settled = {
  how: 'connect',
  verdict: 'denied',
  host: 'evil.example',
  port: 443,
  why: 'undeclared',
  words: 'not declared in outrigger.dev/egress',
}

const attempt = (settled: Settled, of = account()) => {
  const begun = ledger.attempt(of)
  if (!begun) throw new Error('it may not begin')
  begun.settled(settled)
  return begun
}

describe('a record', () => {
  test('says who reached what during which call, and how much', () => {
    const begun = attempt(ALLOWED)
    begun.bytes(100, 2000)
    begun.bytes(0, 48)
    nowMs += 250
    begun.ended()
    expect(records).toEqual([
      {
        event: 'egress',
        caller: { by: 'token', issuer: 'i', subject: 'alice' },
        attempt: 1,
        session: 'Zm9v',
        process: 3,
        calls: [7],
        destination: {
          host: 'api.example.com',
          address: '203.0.113.80',
          port: 443,
          protocol: 'tcp',
        },
        how: 'connect',
        verdict: 'allowed',
        rule: 'api.example.com:443',
        sentBytes: 100,
        receivedBytes: 2048,
        durationMs: 250,
        enforcement: 'enforced',
      },
    ])
    expect(reachedIn(calls[0] ?? aCall(0))).toEqual({
      allowed: 1,
      sentBytes: 100,
      receivedBytes: 2048,
      to: [{ host: 'api.example.com', port: 443, verdict: 'allowed' }],
    })
    expect(held).toBe(0)
  })

  test('names all calls that it may be of, also those that came later, and says so in theirs', () => {
    const [first, second] = [aCall(7), aCall(8)]
    calls = [first]
    const begun = attempt(ALLOWED)
    begun.bytes(10, 0)
    calls = [first, second]
    begun.bytes(5, 0)
    calls = [second]
    begun.bytes(1, 0)
    begun.ended()
    expect(records).toMatchObject([{ calls: [7, 8], sentBytes: 16 }])
    expect(reachedIn(first)).toMatchObject({ sentBytes: 15, shared: true })
    expect(reachedIn(second)).toEqual({ sentBytes: 6, receivedBytes: 0, to: [], shared: true })
  })

  test('of a process between calls names none', () => {
    calls = []
    attempt(ALLOWED).ended()
    expect(records).toMatchObject([{ calls: [], caller: { subject: 'alice' } }])
  })

  test('names no more than 16 calls', () => {
    calls = Array.from({ length: 40 }, (_, index) => aCall(index))
    attempt(ALLOWED).ended()
    expect(records[0]?.['calls']).toHaveLength(16)
    expect(records).toMatchObject([{ moreCalls: 24 }])
  })

  test.each([
    ['one caller alone has calls', ['bob', 'bob'], 'bob'],
    ['several have', ['bob', 'eve'], undefined],
    ['nobody has', [], undefined],
  ])('of a process that is everybody’s, where %s', (_what, callers, subject) => {
    calls = callers.map((caller, index) => aCall(index, caller))
    attempt(ALLOWED, account({ caller: undefined, session: undefined })).ended()
    expect(records).toMatchObject([{ process: 3 }])
    expect(Object(records[0]?.['caller']).subject).toBe(subject)
  })

  test('of one that is refused says why, and so does the log, by the call', () => {
    attempt(DENIED).ended()
    expect(records).toMatchObject([{ verdict: 'denied', why: 'undeclared', sentBytes: 0 }])
    expect(lines).toEqual([
      expect.stringContaining(
        'tools/call fetch: egress to evil.example:443 was refused: not declared in outrigger.dev/egress',
      ),
    ])
  })

  test('of one that was let through and would be refused', () => {
    attempt({ ...DENIED, verdict: 'observed' }).ended()
    expect(records).toMatchObject([{ verdict: 'observed', why: 'undeclared' }])
    expect(lines[0]).toContain('would be refused by egress-mode: enforce')
  })

  test('of one that could not be reached says why, and so does the log', () => {
    const words = 'evil.example:443: no such host is known here'
    attempt({ ...DENIED, verdict: 'failed', why: 'unresolved', words }).ended()
    expect(records).toMatchObject([{ verdict: 'failed', why: 'unresolved' }])
    expect(lines).toEqual([
      expect.stringContaining(`tools/call fetch: egress to evil.example:443 failed: ${words}`),
    ])
  })

  test('of one that the proxy has ended says why', () => {
    attempt(ALLOWED).ended('idle')
    expect(records).toMatchObject([{ verdict: 'allowed', why: 'idle' }])
  })

  test('of one that ended before anything was asked for', () => {
    ledger.attempt(account())?.ended('late')
    expect(records).toMatchObject([
      { how: 'unknown', verdict: 'failed', why: 'late', destination: { protocol: 'tcp' } },
    ])
  })

  test('of one that lasts comes after half a minute, once, and again at its end', () => {
    const begun = attempt(ALLOWED)
    begun.bytes(1, 1)
    for (const ms of [29_000, 31_000, 60_000]) ledger.sweep(1000 + ms)
    nowMs += 90_000
    begun.bytes(1, 1)
    begun.ended()
    expect(
      records.map(({ attempt: number, open, sentBytes }) => [number, open, sentBytes]),
    ).toEqual([
      [1, true, 1],
      [1, undefined, 2],
    ])
    expect(ledger.openCount).toBe(0)
  })

  test('of what goes around the proxy', () => {
    const direct = {
      address: '203.0.113.80',
      port: 25,
      verdict: 'denied',
      protocol: 'tcp',
    } as const
    ledger.direct(account(), direct)
    ledger.direct(
      account({ child: 0, caller: undefined }),
      { ...direct, verdict: 'observed' },
      10_001,
    )
    expect(records).toMatchObject([
      { how: 'direct', process: 3, destination: { address: '203.0.113.80', port: 25 } },
      { how: 'direct', verdict: 'observed', uid: 10_001 },
    ])
    expect(records[0]).not.toHaveProperty('sentBytes')
    expect(records[1]).not.toHaveProperty('process')
    expect(lines[0]).toContain('egress to 203.0.113.80:25 past the proxy was refused')
  })

  test('of somebody whom the proxy does not know', () => {
    ledger.stranger(account({ child: 0, caller: undefined }), 'no-credential')
    expect(records).toMatchObject([
      { how: 'unknown', verdict: 'denied', why: 'no-credential', calls: [7] },
    ])
  })

  test('holds nothing that steers a terminal, and no secret', () => {
    attempt({ ...DENIED, host: `a\u001b[31mb.ghp_${'a'.repeat(36)}` }).ended()
    expect(JSON.stringify(records)).not.toMatch(/\u001b|ghp_/)
    expect(lines.join('')).not.toMatch(/\u001b|ghp_/)
  })
})

describe("a call's summary", () => {
  test('names eight places, each once, and counts the rest', () => {
    for (let index = 0; index < 10; index++) {
      for (const _twice of [1, 2]) attempt({ ...DENIED, host: `h${index}.example` }).ended()
    }
    expect(reachedIn(calls[0] ?? aCall(0))).toMatchObject({
      denied: 20,
      to: { length: 8 },
      unnamed: 4,
    })
  })

  test('has all that records count: what is longer than any room', () => {
    const host = 'x'.repeat(253)
    for (let index = 0; index < 10; index++) attempt({ ...DENIED, host: `${index}${host}` }).ended()
    expect(calls[0]?.record?.reached?.members().length).toBeLessThan(4096)
  })
})

describe('whoever tries without end', () => {
  const FLOOD = 10_000

  test('fills no disk: what is refused beyond an allowance is counted', () => {
    for (let index = 0; index < FLOOD; index++) attempt(DENIED).ended()
    expect(records.length).toBeLessThan(5000)
    expect(records.length + unwritten).toBe(FLOOD)
    expect(held).toBe(0)
    expect(counts.attempts).toEqual(new Map([['denied connect', FLOOD]]))
  })

  test('hides nothing that is let out behind it, nor anything of others', () => {
    for (let index = 0; index < FLOOD; index++) attempt(DENIED).ended()
    const before = records.length
    attempt(ALLOWED).ended()
    attempt(DENIED, account({ caller: { key: 'bob' } })).ended()
    expect(records.slice(before)).toMatchObject([{ verdict: 'allowed' }, { verdict: 'denied' }])
  })

  test('is let out no more where the records of what is open would take all the room', () => {
    const begun = [1, 2, 3, 4].map(() => attempt(ALLOWED))
    expect(ledger.attempt(account())).toBeUndefined()
    begun[0]?.ended()
    expect(ledger.attempt(account())).toBeDefined()
  })
})

describe('where records cannot be written', () => {
  test('nothing is let out', () => {
    isFailing = true
    expect(ledger.attempt(account())).toBeUndefined()
  })

  test('and may be lost, all goes on', () => {
    isFailing = true
    ledger = ledgerWith('drop')
    for (let index = 0; index < 100; index++) attempt(ALLOWED)
    expect(held).toBe(0)
  })
})

test('bytes count by what was declared, and against the budget', () => {
  const small = account({ mostBytes: 1000 })
  attempt(ALLOWED, small).bytes(10, 500)
  expect(small.overBudget()).toBe(false)
  attempt({ ...ALLOWED, rule: 'made-up.example:1' }, small).bytes(1, 489)
  expect(small.overBudget()).toBe(true)
  expect(Object.fromEntries(counts.passed)).toEqual({
    'api.example.com:443': { sentBytes: 10, receivedBytes: 500 },
    _OTHER: { sentBytes: 1, receivedBytes: 489 },
  })
})

test('a process works for whom its key says', () => {
  const of = (more: Parameters<typeof account>[0]): WorksFor => account(more).worksFor([])
  expect(of({}).key).toBe('alice')
  expect(of({ caller: { key: 'alice and values', person: 'alice' } }).key).toBe('alice')
  expect(of({ caller: undefined }).key).toBe('shared')
})
