// Who called what, with what result, as `outrigger run --audit-file` has it on record: every end of a call, what was
// refused, and what is left by a process that ends, in order or not.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { recordSchema, type AuditRecord } from '../../../shared/audit/record.ts'
import { verifyFiles, readCheckpoints } from '../../../cli/audit/verify.ts'
import { openStream } from '../../support/event-stream.ts'
import { CHECKOUT_CLI } from '../../support/outrigger-run.ts'
import {
  askModern,
  modernCall,
  note,
  openLegacy,
  PUPPET,
  rpc,
  startPuppetWith,
  toolCall,
  type LegacySession,
  type PuppetBridge,
} from '../../support/puppet.ts'
import { JSON_HEADERS, send } from '../../support/raw-http.ts'

let dir = ''
let file = ''
let bridge: PuppetBridge | undefined
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'outrigger-audit-'))
  file = join(dir, 'audit.jsonl')
})
afterEach(async () => {
  await bridge?.stop()
  bridge = undefined
  rmSync(dir, { recursive: true, force: true, maxRetries: 10 })
})

const start = async (...flags: readonly string[]): Promise<PuppetBridge> => {
  bridge = await startPuppetWith({ TMPDIR: dir }, '--audit-file', file, ...flags)
  return bridge
}

const stop = async (): Promise<void> => {
  await bridge?.stop()
  bridge = undefined
}

const config = (audit: Readonly<Record<string, unknown>>): readonly string[] => {
  const path = join(dir, 'config.yaml')
  writeFileSync(path, JSON.stringify({ audit }))
  return ['--config', path]
}

/** Every line is a record by the schema. */
const records = (): readonly AuditRecord[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => recordSchema.parse(JSON.parse(line)))

/** Waits for a record: it is written when the outcome is known, which may be after the answer. */
const recordOf = async (isIt: (record: AuditRecord) => boolean): Promise<AuditRecord> => {
  for (;;) {
    const found = records().find(isIt)
    if (found) return found
    await sleep(20)
  }
}

const lastCall = (): Promise<AuditRecord> =>
  recordOf((record) => record.event === 'call' && record.message.method !== 'initialize')

const RESULT = (rest: string): string => `{"jsonrpc":"2.0","id":$ID,${rest}}`
const say = (...lines: readonly string[]): string => toolCall('say', { lines, isSilent: true }, 't')

type End = (session: LegacySession, url: string) => Promise<unknown>

const inFlight = async (): Promise<void> => {
  await bridge?.admin.reaches('outrigger_requests_in_flight', 1)
}

/** Calls, and hangs up when the server has it, which answers when that is known. */
const leave: End = async ({ headers, call }, url) => {
  const { request } = await import('node:http')
  const leaving = request(url, { method: 'POST', headers: { ...JSON_HEADERS, ...headers } })
  leaving.on('error', () => undefined)
  leaving.end(say())
  await inFlight()
  const [, id] = /"id":(\d+),"method":"tools\/call"/.exec(await call('seen')) ?? []
  const closed = new Promise((resolve) => leaving.once('close', resolve))
  leaving.destroy()
  await closed
  // What comes behind that is read behind it.
  await call('echo')
  await call('say', { lines: [`{"jsonrpc":"2.0","id":${id},"result":{"content":[]}}`] })
}

/** Its number among all. */
const SECOND = 2

describe('a call is on record with what became of it', () => {
  test.each<[string, End, object, flags?: readonly string[]]>([
    [
      'answered',
      ({ post }) => post(toolCall('echo', { text: 'hi' })),
      { message: { tool: 'echo', method: 'tools/call' }, outcome: { is: 'ok' } },
    ],
    [
      'answered with a tool error',
      ({ post }) => post(say(RESULT('"result":{"content":[],"isError":true}'))),
      { outcome: { is: 'tool_error' } },
    ],
    [
      'answered with a tool error behind progress, in a stream',
      async ({ headers }, url) => {
        const lines = [
          '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":$TOKEN,"progress":1}}',
          RESULT('"result":{"content":[],"isError":true}'),
        ]
        await openStream(url, { headers, body: say(...lines) })
      },
      { outcome: { is: 'tool_error' } },
    ],
    [
      'answered with an error',
      ({ post }) => post(say(RESULT('"error":{"code":-32602,"message":"no"}'))),
      { outcome: { is: 'error', code: '-32602' } },
    ],
    [
      'whose server crashes',
      ({ post }) => post(toolCall('exit', { code: 3 })),
      { outcome: { is: 'fault', fault: 'server-exited' } },
    ],
    [
      'that takes too long',
      ({ post }) => post(say()),
      { outcome: { is: 'timeout', fault: 'request-timeout' } },
      ['--request-timeout', '1s'],
    ],
    [
      'that its client cancels',
      async ({ post }) => {
        void post(say()).catch(() => undefined)
        await inFlight()
        await post(note('notifications/cancelled', { requestId: 1 }))
      },
      { outcome: { is: 'cancelled' } },
    ],
    ['whose client has gone', leave, { outcome: { is: 'ok', clientGone: true } }],
    [
      'of a session that there is not',
      (_session, url) =>
        send(url, toolCall('echo'), { ...JSON_HEADERS, 'mcp-session-id': 'elsewhere' }),
      { outcome: { is: 'fault', fault: 'session-unknown' }, session: 'elsewher' },
    ],
  ])('%s', async (...[, act, expected, flags = []]) => {
    const { url } = await start(...flags)
    const session = await openLegacy(url)
    await act(session, url)
    const record = await recordOf((one) => one.event === 'call' && one.call === SECOND)
    expect(record).toMatchObject({ caller: { by: 'nobody' }, ...expected })
  })

  test('of the newer protocol too, and its trace is the client’s word', async () => {
    const { url } = await start()
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    await askModern(url, modernCall('echo', { text: 'hi' }, { traceparent, baggage: 'flow=a' }))
    expect(await lastCall()).toMatchObject({
      message: { tool: 'echo' },
      outcome: { is: 'ok' },
      asserted: { traceId: traceparent.slice(3, 35), baggage: 'flow=a' },
    })
  })
})

test('what is refused is on record, also before its body was read, and a session from begin to end', async () => {
  const { url } = await start()
  await send(url, 'x'.repeat(10_000), { 'content-type': 'text/plain' })
  await send(url, '{', JSON_HEADERS)
  const session = await openLegacy(url)
  await session.call('echo', { text: 'secret words' })
  await session.end()
  await stop()
  // A process may end before or after something else has happened.
  const all = records().filter(({ event }) => !event.startsWith('process-'))
  expect(all.map(({ event }) => event)).toEqual([
    'begin',
    'denial',
    'denial',
    'call',
    'session-begin',
    'notification',
    'call',
    'session-end',
    'end',
  ])
  expect(all.filter(({ event }) => event === 'denial')).toMatchObject([
    { fault: 'media-type', status: 415 },
    { fault: 'parse-error', status: 400, caller: { by: 'nobody' } },
  ])
  expect(readFileSync(file, 'utf8')).not.toContain('secret words')
  expect(await verifyFiles([file], [])).toMatchObject({ value: { isWhole: true } })
})

test('a crash is on record with the end of what the server wrote, without what looks like a secret', async () => {
  const { url } = await start()
  const session = await openLegacy(url)
  await session.post(toolCall('exit', { code: 3 }))
  const end = await recordOf((record) => record.event === 'process-end' && record.cause === 'code')
  expect(end).toMatchObject({ code: 3, tail: ['last words'], session: session.id.slice(0, 8) })
})

test('with attempts, a call is on record before the server sees it', async () => {
  const { url, kill } = await start(...config({ attempts: true }))
  const session = await openLegacy(url)
  void session.post(toolCall('later', { text: 'late', ms: 60_000 })).catch(() => undefined)
  await recordOf((record) => record.event === 'attempt' && record.message.tool === 'later')
  kill()
  await stop().catch(() => undefined)
  expect(records().some(({ event }) => event === 'end')).toBe(false)
})

test('a process that was killed leaves a file that is whole, and the next one names it', async () => {
  const { url, kill } = await start()
  const session = await openLegacy(url)
  const calls = Array.from({ length: 200 }, () => session.post(toolCall('echo', { text: 'x' })))
  await Promise.race(calls)
  kill()
  await Promise.allSettled(calls)
  await stop().catch(() => undefined)
  const { instance } = records()[0] ?? {}
  await start()
  await stop()
  expect(records().findLast(({ event }) => event === 'begin')).toMatchObject({
    before: { instance },
  })
  expect(await verifyFiles([file], [])).toMatchObject({ value: { isWhole: true } })
})

test('a second sidecar on the same file does not start, nor touches it', async () => {
  await start()
  const before = readFileSync(file, 'utf8')
  await expect(
    startPuppetWith({ TMPDIR: dir }, '--audit-file', join(dir, '.', 'audit.jsonl')),
  ).rejects.toThrow('another sidecar writes it')
  expect(readFileSync(file, 'utf8').startsWith(before)).toBe(true)
  await stop()
  expect(await verifyFiles([file], [])).toMatchObject({ value: { isWhole: true } })
})

test('files rotate, and the last checkpoint on standard output is of the last record', async () => {
  const path = join(dir, 'config.yaml')
  writeFileSync(path, JSON.stringify({ audit: { maxFileBytes: 65_536 } }))
  const args = ['run', '--allow-anonymous', '--port', '0', '--config', path, '--audit-file', file]
  const child = spawn(process.execPath, [CHECKOUT_CLI, ...args, '--', ...PUPPET])
  const log = join(dir, 'stdout.log')
  let out = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (out += chunk))
  while (!out.includes('listening on')) await sleep(20)
  const session = await openLegacy(/http:\S+/.exec(out)?.[0] ?? '')
  for (let count = 0; count < 200; count++) await session.call('echo', { text: 'x' })
  child.kill('SIGTERM')
  await once(child, 'close')
  writeFileSync(log, out)
  const checkpoints = await readCheckpoints(log, undefined)
  expect(checkpoints).toMatchObject({ ok: true, value: [{ seq: records().at(-1)?.seq }] })
  const own = checkpoints.ok ? checkpoints.value : []
  expect(await verifyFiles([file], own)).toMatchObject({ value: { isWhole: false } })
  expect(await verifyFiles([file, `${file}.1`], own)).toMatchObject({
    value: { isWhole: true, verified: { checkpoints: 1, open: [] } },
  })
})

/** Made up, each of a kind that is known by its shape or its name. */
const SECRETS = [
  'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl',
  'ghp_0123456789abcdefghijABCDEFGHIJ012345',
  'AKIAABCDEFGHIJKLMNOP',
  '4111 1111 1111 1111',
  '-----BEGIN PRIVATE KEY-----\nMIIEvQIBADAN\n-----END PRIVATE KEY-----',
] as const
const NAMED_SECRET = 'correct horse battery staple'
const SAID = {
  note: 'plain words',
  amount: '@12345678901234567890.10@',
  password: NAMED_SECRET,
  nested: [{ apiKey: NAMED_SECRET, text: `before ${SECRETS.join(' and ')} behind` }],
  json: JSON.stringify({ password: NAMED_SECRET, cards: [SECRETS[3]] }),
}
/** With a number that no double holds. */
const SAID_TEXT = JSON.stringify(SAID).replace(/"@(.*?)@"/, '$1')

describe('no secret is in any record, at any level', () => {
  const RESULT_TEXT = `{"content":[{"type":"text","text":${JSON.stringify(SAID_TEXT)}}],"structuredContent":${SAID_TEXT},"isError":true}`

  test.each(['metadata', 'request', 'response'])('%s', async (level) => {
    const { url } = await start(...config({ level, attempts: true }))
    const session = await openLegacy(url)
    await session.post(rpc('tools/list', {}))
    const lines = [
      '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":$TOKEN,"progress":1}}',
      RESULT(`"result":${RESULT_TEXT}`),
    ]
    const args = `{"isSilent":true,"lines":${JSON.stringify(lines)},"own":${SAID_TEXT}}`
    const body = (name: string, token: string): string =>
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${name}","arguments":${args}${token}}}`
    await session.post(body('say', ''))
    await openStream(url, {
      headers: session.headers,
      body: body('say', ',"_meta":{"progressToken":"t"}'),
    })
    await session.post(
      `{"jsonrpc":"2.0","id":"q","result":{"action":"accept","content":${SAID_TEXT}}}`,
    )
    await session.post(note('notifications/x', { password: NAMED_SECRET }))
    const hasSaid = (record: AuditRecord): boolean =>
      record.event === 'call' && record.message.tool === 'say'
    while (records().filter(hasSaid).length < 2) await sleep(20)
    await stop()
    const text = readFileSync(file, 'utf8')
    for (const secret of [...SECRETS, NAMED_SECRET, 'MIIEvQIBADAN']) {
      expect([secret, text.includes(JSON.stringify(secret).slice(1, -1))]).toEqual([secret, false])
    }
    const asked = records().flatMap((record) =>
      record.event === 'attempt' && record.message.tool === 'say' ? [record.message.params] : [],
    )
    const answers = records().flatMap((record) =>
      record.event === 'call' && record.message.tool === 'say' ? [record.outcome] : [],
    )
    const told = records().flatMap((record) =>
      record.event === 'notification' && record.message.method === 'response'
        ? [record.message.result]
        : [],
    )
    const isShown = level !== 'metadata'
    const plain = expect.stringMatching(/"note":"plain words","amount":12345678901234567890\.10,/)
    expect(asked).toEqual(isShown ? [plain, plain] : [undefined, undefined])
    expect(told).toEqual([isShown ? plain : undefined])
    const result = level === 'response' ? { result: plain } : {}
    expect(answers).toMatchObject([
      { is: 'tool_error', ...result },
      { is: 'tool_error', ...result },
    ])
    expect(answers.some((outcome) => outcome.result !== undefined)).toBe(level === 'response')
    expect(await verifyFiles([file], [])).toMatchObject({ value: { isWhole: true } })
  })
})

describe('where nothing can be written', () => {
  const run = async (audit: Readonly<Record<string, unknown>>) => {
    file = '/dev/full'
    return start(...config(audit))
  }

  test('it does not start, and says why', async () => {
    await expect(run({})).rejects.toThrow('audit: the first record cannot be written')
  })

  test('by the configuration’s leave it serves, and counts what is lost', async () => {
    const { url, admin } = await run({ onFailure: 'drop' })
    const session = await openLegacy(url)
    expect(await session.call('echo', { text: 'hi' })).toBe('hi')
    expect(await admin.metric('outrigger_audit_failing')).toBe(1)
  })
})

test('an unknown method is no reason to leave it out', async () => {
  const { url } = await start()
  const session = await openLegacy(url)
  await session.post(rpc('x/y', {}))
  expect(await lastCall()).toMatchObject({ message: { method: 'x/y' } })
})
