// What each caller's processes have of it in their environment, in both eras and where one is translated: its own values, from
// the start and no longer than it may call, and whoever's token says nothing of them, or something hostile, has no process.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  signed,
  signingKey,
  startIssuer,
  type Claims,
  type FakeIssuer,
  type SigningKey,
} from '../../support/issuer.ts'
import { adminOf } from '../../support/admin.ts'
import { freePort } from '../../support/free-port.ts'
import { CHECKOUT_CLI } from '../../support/outrigger-run.ts'
import { modernCall, note, PUPPET, rpc, textOf, toolCall } from '../../support/puppet.ts'
import { JSON_HEADERS, messageIn, send, type RawReply } from '../../support/raw-http.ts'
import { startProgram, type Running } from '../../support/running.ts'
import { until } from '../../support/waiting.ts'

let folder: string
let issuer: FakeIssuer
let stranger: FakeIssuer
let key: SigningKey

const seconds = (): number => Math.floor(Date.now() / 1000)

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'caller-environment-'))
  key = await signingKey('one')
  issuer = await startIssuer([key.publicJwk])
  stranger = await startIssuer([key.publicJwk])
})

afterAll(async () => {
  await issuer.close()
  await stranger.close()
  rmSync(folder, { recursive: true })
})

/** On loopback. */
const here = ({ url }: FakeIssuer) => ({
  url,
  hosts: [{ host: new URL(url).host, reach: 'loopback' }],
})

const start = (
  settings: Readonly<Record<string, string>>,
  command: readonly string[] = PUPPET,
  flags: readonly string[] = [],
): Promise<Running> => {
  const file = join(mkdtempSync(join(folder, 'one-')), 'config.json')
  const issuers = [
    { ...here(issuer), verifiedClaims: ['email', 'tid'] },
    { ...here(stranger), verifiedClaims: ['email'] },
  ]
  const texts = {
    'caller-environment': 'USER_EMAIL={{claims.email}},TENANT=t-{{claims.tid}}',
    ...settings,
  }
  writeFileSync(file, JSON.stringify({ issuers, settings: texts }))
  return startProgram({
    command: process.execPath,
    args: [CHECKOUT_CLI, 'run', '--port=0', `--config=${file}`, ...flags, '--', ...command],
    // What the container has of the name, callers' own stands above.
    env: { USER_EMAIL: 'nobody@example.com' },
    ready: /^outrigger: listening on (http:\/\/\S+)$/m,
  })
}

const ADA = { sub: 'ada', email: 'ada@example.com', tid: 'red' }
const EVE = { sub: 'eve', email: 'eve@example.com', tid: 'blue' }

const INITIALIZE = rpc('initialize', {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'test', version: '1' },
})

const bearer = async (url: string, claims: Claims): Promise<string> => {
  const usual = { iss: issuer.url, aud: url, iat: seconds(), exp: seconds() + 300 }
  return `Bearer ${await signed({ ...usual, ...claims }, key)}`
}

/** Asks a process of this caller's for one of its variables. */
type Ask = (url: string, claims: Claims, name: string) => Promise<string>

const open = async (url: string, claims: Claims): Promise<RawReply> =>
  send(url, INITIALIZE, { ...JSON_HEADERS, authorization: await bearer(url, claims) })

const askLegacy: Ask = async (url, claims, name) => {
  const authorization = await bearer(url, claims)
  const opened = await open(url, claims)
  const session = { 'mcp-session-id': String(opened.headers['mcp-session-id']) }
  const headers = { ...JSON_HEADERS, ...session, authorization }
  await send(url, note('notifications/initialized'), headers)
  return textOf(messageIn(await send(url, toolCall('variable', { name }), headers)))
}

const askModern: Ask = async (url, claims, name) => {
  const { body, headers } = modernCall('variable', { name })
  const authorization = await bearer(url, claims)
  return textOf(messageIn(await send(url, body, { ...headers, authorization })))
}

describe.each<[string, Ask, Readonly<Record<string, string>>, readonly string[]]>([
  ['a session', askLegacy, {}, PUPPET],
  ['a process that sessions share', askLegacy, { 'process-model': 'principal' }, PUPPET],
  ['a modern process', askModern, {}, PUPPET],
  ['a translated process', askModern, { 'translate-eras': 'true' }, [...PUPPET, '--legacy']],
])('%s', (_name, ask, settings, command) => {
  let bridge: Running
  let url: string

  beforeAll(async () => {
    bridge = await start(settings, command)
    url = bridge.ready
  })

  afterAll(() => bridge.stop())

  test('has its caller’s own values, and no other’s', async () => {
    const asked = [ADA, EVE, ADA].map(async (claims) => [
      await ask(url, claims, 'USER_EMAIL'),
      await ask(url, claims, 'TENANT'),
    ])
    expect(await Promise.all(asked)).toEqual([
      ['ada@example.com', 't-red'],
      ['eve@example.com', 't-blue'],
      ['ada@example.com', 't-red'],
    ])
  })

  test('has the values of now, whatever they were before', async () => {
    expect(await ask(url, ADA, 'USER_EMAIL')).toBe('ada@example.com')
    expect(await ask(url, { ...ADA, email: 'ada@other.example' }, 'USER_EMAIL')).toBe(
      'ada@other.example',
    )
    expect(await ask(url, ADA, 'USER_EMAIL')).toBe('ada@example.com')
  })
})

describe('a caller', () => {
  let bridge: Running
  let url: string

  beforeAll(async () => {
    bridge = await start({ 'log-level': 'debug' })
    url = bridge.ready
  })

  afterAll(() => bridge.stop())

  test('who comes with other values has not the session of before', async () => {
    const opened = await open(url, ADA)
    const session = { ...JSON_HEADERS, 'mcp-session-id': String(opened.headers['mcp-session-id']) }
    const ping = async (claims: Claims): Promise<number> => {
      const authorization = await bearer(url, claims)
      return (await send(url, rpc('ping', {}, 2), { ...session, authorization })).status
    }
    expect(await ping({ ...ADA, tid: 'blue' })).toBe(404)
    expect(await ping({ ...EVE, email: ADA.email, tid: ADA.tid })).toBe(404)
    expect(await ping(ADA)).toBe(200)
  })

  test.each<[string, Claims, string]>([
    ['nothing of it', { email: undefined }, 'claim email is missing'],
    ['nothing of one of them', { tid: undefined }, 'claim tid is missing'],
    ['an empty text', { email: '' }, 'claim email is empty'],
    ['a list', { email: ['ada@example.com'] }, 'claim email is no text'],
    ['an object', { email: { a: 'b' } }, 'claim email is no text'],
    ['another line', { email: 'a\nLD_PRELOAD=/tmp/evil.so' }, 'claim email holds control'],
    ['a NUL', { email: 'a\0LD_PRELOAD=/tmp/evil.so' }, 'claim email holds control'],
    ['a template', { email: '{{claims.tid}}' }, 'claim email holds {{ or }}'],
    ['a huge text', { tid: 'x'.repeat(4000) }, 'TENANT is longer than 1024 bytes'],
    ['that it is not verified', { email_verified: false }, 'claim email is not verified'],
  ])('whose token says %s is refused, and told which', async (_name, more, why) => {
    const { status, text, headers } = await open(url, { ...ADA, ...more })
    expect([status, headers['mcp-session-id']]).toEqual([403, undefined])
    expect(text).toContain('"code":"forbidden"')
    expect(text).toContain(why)
    expect(text).not.toMatch(/evil|xxxx/)
  })

  test('of an issuer that is not believed in it is refused', async () => {
    const { status, text } = await open(url, { ...ADA, iss: stranger.url })
    expect([status, text]).toEqual([403, expect.stringContaining('claim tid is none that')])
  })

  test('leaves nothing of its values and tokens in the log', () => {
    expect(bridge.stderr()).not.toMatch(/ada@|t-red|eyJ/)
  })
})

test('a session ends with the last token of its caller that came, and nobody else’s', async () => {
  const adminPort = await freePort()
  const admin = adminOf(adminPort)
  const bridge = await start({ 'log-level': 'info' }, PUPPET, [`--admin-port=${adminPort}`])
  const url = bridge.ready
  /** A token is good for half a minute beyond its end: this one for so many seconds more. */
  const openFor = (left: number): Promise<RawReply> =>
    open(url, { ...ADA, exp: seconds() - 30 + left })
  let opened = await openFor(4)
  // oxlint-disable-next-line no-await-in-loop
  for (let left = 8; opened.status === 401; left *= 2) opened = await openFor(left)
  const other = await open(url, EVE)
  expect([opened.status, other.status]).toEqual([200, 200])
  await until(async () => {
    const { text } = await admin.get('/metrics')
    return text.includes('outrigger_ends_total{what="session",reason="expired"} 1')
  }, 'its session ends')
  const ping = async (of: RawReply, claims: Claims): Promise<RawReply> =>
    send(url, rpc('ping', {}, 2), {
      ...JSON_HEADERS,
      'mcp-session-id': String(of.headers['mcp-session-id']),
      authorization: await bearer(url, claims),
    })
  const gone = await ping(opened, ADA)
  expect([gone.status, gone.text]).toEqual([404, expect.stringContaining('have expired')])
  expect((await ping(other, EVE)).status).toBe(200)
  await bridge.stop()
})
