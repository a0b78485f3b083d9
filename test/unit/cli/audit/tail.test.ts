// `outrigger audit tail` on real files: what it shows of them, and what it follows.

import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { audit } from '../../../../cli/audit/command.ts'
import { Chain, membersOf } from '../../../../shared/audit/chain.ts'
import type { AuditEvent } from '../../../../shared/audit/record.ts'
import { until } from '../../../support/waiting.ts'

const README = new URL('../../../../shared/audit/README.md', import.meta.url)
const EXAMPLES = [...readFileSync(README, 'utf8').matchAll(/^(\{"v":1,.*\})$/gm)].map(
  ([, line = '']) => line,
)

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tail-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

const path = (name = 'audit.jsonl'): string => join(dir, name)

/** What stands in the README of one event. */
const exampleOf = (event: string): string =>
  EXAMPLES.find((line) => JSON.parse(line).event === event) ?? ''

class Run {
  out = ''
  err = ''
  /** Whoever reads has left. */
  hasLeft = false
  readonly done: Promise<number>

  constructor(...args: string[]) {
    this.done = audit.run(['tail', ...args], {
      stdout: (text) => void (this.out += String(text)),
      stderr: (text) => void (this.err += text.replaceAll(dir, '')),
      written: () => Promise.resolve(!this.hasLeft),
      log: () => undefined,
      isTerminal: () => false,
      environment: {},
      signal: new AbortController().signal,
    })
  }

  /** Leaves when the next text comes. */
  async leave(file: string): Promise<void> {
    this.hasLeft = true
    appendFileSync(file, `${lines([denial])}\n`)
    await this.done
  }
}

const caller = (subject: string) =>
  ({ by: 'token', issuer: 'https://id.example', subject }) as const

const call = (
  subject: string,
  tool: string,
  is: 'ok' | 'tool_error' | 'timeout' = 'ok',
): AuditEvent => ({
  event: 'call',
  call: 1,
  caller: caller(subject),
  message: { id: '12345678901234567890', method: 'tools/call', tool, bytes: 10 },
  outcome: { is },
  durationMs: 1.5,
})
const denial: AuditEvent = { event: 'denial', fault: 'unauthenticated', status: 401 }
const nobodys: AuditEvent = {
  event: 'notification',
  caller: { by: 'nobody' },
  message: { method: 'notifications/initialized', bytes: 2 },
}

/** Records, a minute apart. */
const lines = (events: readonly AuditEvent[], at = Date.UTC(2026, 0, 1)): string => {
  const chain = new Chain({ instance: 'one', server: 'deployment-notes', prev: '' })
  return events
    .map((event, index) => chain.line(membersOf(event), at + index * 60_000).trimEnd())
    .join('\n')
}

const EVENTS = [
  call('alice', 'search'),
  call('bob', 'search', 'tool_error'),
  call('alice', 'delete', 'timeout'),
  denial,
  nobodys,
]

describe('what is chosen', () => {
  test.each([
    ['all', [], [0, 1, 2, 3, 4]],
    ['a principal', ['--principal', 'alice'], [0, 2]],
    ['two principals', ['--principal', 'alice', '--principal', 'bob'], [0, 1, 2]],
    ['nobody', ['--principal', 'nobody'], [4]],
    ['a tool', ['--tool', 'search'], [0, 1]],
    ['an outcome', ['--outcome', 'timeout'], [2]],
    ['several outcomes in one word', ['--outcome', 'ok,denied'], [0, 3]],
    ['whatever failed', ['--outcome', 'failed'], [1, 2, 3]],
    ['a time', ['--since', '2026-01-01T00:02:00Z'], [2, 3, 4]],
    ['a time elsewhere', ['--since', '2026-01-01T01:03:00+01:00'], [3, 4]],
    ['so long ago', ['--since', '1ms'], []],
    ['all of it at once', ['--principal', 'alice', '--tool', 'search', '--outcome', 'ok'], [0]],
  ])('%s', async (_what, flags, numbers) => {
    const all = lines(EVENTS)
    writeFileSync(path(), all)
    const run = new Run(path(), '-o', 'json', ...flags)
    expect([await run.done, run.err]).toEqual([0, ''])
    const chosen = all.split('\n').filter((_line, index) => numbers.includes(index))
    expect(run.out).toBe(chosen.map((line) => `${line}\n`).join(''))
  })
})

describe('what is shown', () => {
  test('a line of text for each example of the reference, whatever the event', async () => {
    writeFileSync(path(), EXAMPLES.join('\n'))
    const run = new Run(path())
    expect([await run.done, run.err]).toEqual([0, ''])
    const events = EXAMPLES.map((line) => JSON.parse(line).event)
    expect(run.out.split('\n').map((line) => line.split('  ')[2])).toEqual([...events, undefined])
  })

  test('who, what, how it ended and why', async () => {
    writeFileSync(path(), lines(EVENTS))
    const run = new Run(path())
    await run.done
    expect(run.out.split('\n').slice(1, 4)).toEqual([
      '2026-01-01T00:01:00.000Z  deployment-notes  call  bob  tools/call search  tool_error  1.5 ms',
      '2026-01-01T00:02:00.000Z  deployment-notes  call  alice  tools/call delete  timeout  1.5 ms',
      '2026-01-01T00:03:00.000Z  deployment-notes  denial  denied (unauthenticated, 401)',
    ])
  })

  test('records in a log, behind what its collector puts before them', async () => {
    const log = lines(EVENTS).replaceAll(/^/gm, '[pod/notes] 2026-01-01T00:00:00Z ')
    writeFileSync(path(), `{"level":"info","msg":"listening"}\n${log}\n`)
    const run = new Run(path(), '-o', 'json')
    expect(await run.done).toBe(0)
    expect(run.out).toBe(`${lines(EVENTS)}\n`)
  })

  test.each(['text', 'json', 'ocsf'])(
    'a line that steers a terminal steers none, as %s',
    async (format) => {
      const steering = lines([call('a\u001B[2Jb\u202E\u009B', 'x')])
      const others = steering.replaceAll('\\u202e', '\u202E').replaceAll('\\u009b', '\u009B')
      expect(others).toContain('\u202E\u009B')
      writeFileSync(path(), `${steering}\n${others.replaceAll('","', '",\t"')}\n`)
      const run = new Run(path(), '-o', format)
      expect(await run.done).toBe(0)
      const [own = '', foreign = '', ...more] = run.out.split('\n')
      expect([own !== '', foreign !== '', more]).toEqual([true, true, ['']])
      // oxlint-disable-next-line no-control-regex
      expect(own + foreign).not.toMatch(/[\u0000-\u001F\u007F-\u009F\u202E]/)
      if (format === 'json') expect([own, JSON.parse(foreign)]).toEqual([steering, JSON.parse(own)])
    },
  )

  test('a folder: full files first, whatever their names sort like', async () => {
    writeFileSync(path('audit.jsonl.2'), `${lines([call('first', 'x')])}\n`)
    writeFileSync(path('audit.jsonl.10'), `${lines([call('second', 'x')])}\n`)
    writeFileSync(path(), `${lines([call('third', 'x')])}\n`)
    writeFileSync(path('.audit.jsonl.lock'), 'x')
    const run = new Run(dir)
    expect(await run.done).toBe(0)
    expect(run.out.match(/first|second|third/g)).toEqual(['first', 'second', 'third'])
  })

  test.each([
    ['a file without records', 'no record\n', ': no line is a record', 1],
    [
      'a record that was cut',
      `${lines([denial])}\n{"v":1,"instance":"on`,
      '1 line was passed over',
      0,
    ],
  ])('%s is told', async (_what, text, words, code) => {
    writeFileSync(path(), text)
    const run = new Run(path())
    expect(await run.done).toBe(code)
    expect(run.err).toContain(words)
  })

  test('a line longer than any record is passed over, and told', async () => {
    writeFileSync(path(), Buffer.alloc(17 * 1024 * 1024, 'x'))
    appendFileSync(path(), `\n${lines([denial])}\n`)
    const run = new Run(path(), '-o', 'json')
    expect(await run.done).toBe(0)
    expect(run.out).toBe(`${lines([denial])}\n`)
    expect(run.err).toContain('1 line was passed over')
  })

  test('nothing more is read when whoever reads has left', async () => {
    writeFileSync(path(), `${lines([denial])}\n`.repeat(2000))
    const run = new Run(path(), '-o', 'json')
    run.hasLeft = true
    expect([await run.done, run.err]).toEqual([0, ''])
    expect(run.out.length).toBeLessThan(200_000)
  })
})

describe('OCSF', () => {
  const events = async (...all: AuditEvent[]) => {
    writeFileSync(path(), lines(all))
    const run = new Run(path(), '--format', 'ocsf')
    expect(await run.done).toBe(0)
    return run.out
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line))
  }

  test('a caller by certificate is told from one by token', async () => {
    const own: AuditEvent = {
      event: 'notification',
      caller: { by: 'certificate', issuer: 'spiffe://x.example', subject: 'spiffe://x.example/a' },
      message: { method: 'notifications/initialized', bytes: 10 },
    }
    expect(await events(own)).toEqual([
      expect.objectContaining({ unmapped: expect.objectContaining({ caller_by: 'certificate' }) }),
    ])
  })

  test('a call is an API activity with everything that its class requires', async () => {
    expect(await events(call('alice', 'search', 'tool_error'))).toEqual([
      expect.objectContaining({
        class_uid: 6003,
        category_uid: 6,
        activity_id: 99,
        activity_name: 'tools/call',
        type_uid: 600_399,
        severity_id: 2,
        status_id: 2,
        time: Date.UTC(2026, 0, 1),
        duration: 2,
        actor: {
          user: { uid: 'alice', name: 'alice' },
          idp: { uid: 'https://id.example', name: 'https://id.example' },
        },
        api: {
          operation: 'tools/call',
          service: { name: 'deployment-notes' },
          request: { uid: '12345678901234567890' },
          response: { error: 'tool_error' },
        },
        resources: [{ type: 'tool', name: 'search' }],
        src_endpoint: { name: 'unknown' },
        metadata: expect.objectContaining({ version: '1.3.0', sequence: 1, uid: 'one-1' }),
      }),
    ])
  })

  test.each([
    ['tools/list', 2, 'Read'],
    ['resources/read', 2, 'Read'],
    ['logging/setLevel', 99, 'logging/setLevel'],
  ])('%s: activity %i', async (method, id, name) => {
    const [event] = await events({
      event: 'call',
      call: 1,
      caller: { by: 'nobody' },
      message: { id: '1', method, bytes: 1 },
      outcome: { is: 'ok' },
      durationMs: 1,
    })
    expect(event).toMatchObject({ activity_id: id, activity_name: name, type_uid: 600_300 + id })
    expect(event).toMatchObject({ status_id: 1, actor: { user: { name: 'nobody' } } })
  })

  test('what is no activity of a caller is left out', async () => {
    expect(await events({ event: 'process-start', process: 1 }, denial)).toHaveLength(1)
  })
})

describe('what is followed', () => {
  const shows = (run: Run, name: string): Promise<unknown> =>
    until(() => run.out.includes(name), `${name} is shown`)

  test('what is written later, also a line that comes in two parts', async () => {
    writeFileSync(path(), `${lines([call('before', 'x')])}\n`)
    const run = new Run(path(), '-f')
    await shows(run, 'before')
    const next = `${lines([call('later', 'x')])}\n`
    appendFileSync(path(), next.slice(0, 40))
    appendFileSync(path(), next.slice(40))
    await shows(run, 'later')
    await run.leave(path())
    expect(run.err).toBe('')
  })

  test('through files that get full, also several between two looks', async () => {
    writeFileSync(path(), `${lines([call('one', 'x')])}\n`)
    const run = new Run(path(), '-f')
    await shows(run, 'one')
    for (const [index, name] of ['two', 'three', 'four'].entries()) {
      renameSync(path(), path(`audit.jsonl.${index + 1}`))
      writeFileSync(path(), `${lines([call(name, 'x')])}\n`)
    }
    await shows(run, 'four')
    await run.leave(path())
    expect(run.out.match(/\b(?:one|two|three|four)\b/g)).toEqual(['one', 'two', 'three', 'four'])
  })

  test('a file that is cut is shown from its beginning', async () => {
    writeFileSync(path(), `${lines([call('long-gone', 'x'), call('long-gone', 'x')])}\n`)
    const run = new Run(path(), '-f')
    await shows(run, 'long-gone')
    truncateSync(path())
    await until(() => run.err.includes('it was cut'), 'it is noticed')
    appendFileSync(path(), `${lines([call('anew', 'x')])}\n`)
    await shows(run, 'anew')
    await run.leave(path())
  })
})

describe('what servers reach', () => {
  const DENIED = (): string =>
    exampleOf('egress')
      .replace('"verdict":"allowed"', '"verdict":"denied"')
      .replace('"rule":"*.example.com:443"', '"why":"undeclared"')

  test('stands there as where, how much, and in which call', async () => {
    writeFileSync(path(), `${exampleOf('egress')}\n${DENIED()}\n`)
    const run = new Run(path())
    expect(await run.done).toBe(0)
    const [first, second] = run.out.split('\n')
    expect(first).toContain(
      'egress  alice by planner  api.example.com:443 by connect, 1841 bytes out, 20480 bytes in, call 2  allowed  process 3  612.7 ms',
    )
    expect(second).toContain('denied (undeclared)')
  })

  test.each([
    ['denied', 1],
    ['failed', 1],
    ['allowed', 1],
    ['observed', 0],
  ])('is chosen by %s', async (outcome, count) => {
    writeFileSync(path(), `${exampleOf('egress')}\n${DENIED()}\n`)
    const run = new Run(path(), '--outcome', outcome)
    await run.done
    expect(run.out.split('\n').length - 1).toBe(count)
  })

  test('is network activity in OCSF', async () => {
    const ended = exampleOf('egress')
    writeFileSync(
      path(),
      `${ended}\n${ended.replace(',"enforcement"', ',"open":true,"enforcement"')}\n${DENIED()}\n`,
    )
    const run = new Run(path(), '--format', 'ocsf')
    await run.done
    const events = run.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(events.map(({ type_uid: type, status_id: status }) => [type, status])).toEqual([
      [400_102, 1],
      [400_101, 1],
      [400_105, 2],
    ])
    expect(events[0]).toMatchObject({
      class_uid: 4001,
      category_uid: 4,
      dst_endpoint: { hostname: 'api.example.com', ip: '203.0.113.80', port: 443 },
      traffic: { bytes_out: 1841, bytes_in: 20_480, bytes: 22_321 },
      connection_info: { direction_id: 2, protocol_name: 'tcp' },
      actor: { user: { uid: 'alice' }, session: { uid: 'Zm9vYmFy' } },
      metadata: { event_code: 'egress' },
    })
  })
})
