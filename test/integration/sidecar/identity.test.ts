// `outrigger run --oidc-issuers`: who brings a token for this server is served, everybody else is refused with a challenge
// (hostile-callers.test.ts) and reaches neither the server nor another's session.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import {
  signed,
  signingKey,
  startIssuer,
  type Claims,
  type FakeIssuer,
  type SigningKey,
} from '../../support/issuer.ts'
import { JSON_HEADERS, messageIn, send, type RawReply } from '../../support/raw-http.ts'
import { startProgram, type Running } from '../../support/running.ts'
import { CHECKOUT_CLI } from '../../support/outrigger-run.ts'
import { PUPPET, rpc } from '../../support/puppet.ts'

const READY = /^outrigger: listening on (http:\/\/\S+)$/m

let issuer: FakeIssuer
let key: SigningKey
let rsa: SigningKey
let bridge: Running
let url: string

const INITIALIZE = rpc('initialize', {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'test', version: '1' },
})

const seconds = (): number => Math.floor(Date.now() / 1000)

const claims = (more: Claims = {}): Claims => ({
  iss: issuer.url,
  sub: 'ada',
  aud: url,
  client_id: 'agent',
  scope: 'mcp other',
  iat: seconds(),
  exp: seconds() + 300,
  ...more,
})

const call = (
  authorization: string | readonly string[] | undefined,
  body = INITIALIZE,
  more = {},
) =>
  send(url, body, {
    ...JSON_HEADERS,
    ...more,
    ...(authorization === undefined ? {} : { authorization }),
  })

const bearer = async (more: Claims = {}): Promise<string> =>
  `Bearer ${await signed(claims(more), key)}`

const challengeOf = ({ headers }: RawReply): string => String(headers['www-authenticate'])

beforeAll(async () => {
  key = await signingKey('one')
  rsa = await signingKey('two', 'RS256')
  issuer = await startIssuer([key.publicJwk, rsa.publicJwk])
  const flags = ['--oidc-issuers', issuer.url, '--required-scopes', 'mcp', '--log-level', 'debug']
  bridge = await startProgram({
    command: process.execPath,
    args: [CHECKOUT_CLI, 'run', '--port', '0', ...flags, '--', ...PUPPET],
    ready: READY,
  })
  url = bridge.ready
})

afterAll(async () => {
  await bridge.stop()
  await issuer.close()
})

describe('is served', () => {
  test.each<[string, () => Promise<string>]>([
    ['an access token of RFC 9068', () => signed(claims(), key)],
    ['a plain JWT', () => signed(claims(), key, { typ: 'JWT' })],
    ['a JWT without a type', () => signed(claims(), key, { typ: undefined })],
    ['another algorithm of the issuer', () => signed(claims(), rsa)],
    ['several audiences', () => signed(claims({ aud: ['https://other.example', url] }), key)],
    ['the audience with a slash', () => signed(claims({ aud: `${url}/` }), key)],
    ['a clock that is behind', () => signed(claims({ nbf: seconds() + 10 }), key)],
    ['scopes as a list', () => signed(claims({ scope: undefined, scp: ['mcp'] }), key)],
  ])('%s', async (_name, token) => {
    const reply = await call(`Bearer ${await token()}`)
    expect([reply.status, messageIn(reply)]).toEqual([200, expect.stringContaining('"result"')])
  })

  test('the scheme in small letters', async () => {
    expect((await call((await bearer()).replace('Bearer', 'bearer'))).status).toBe(200)
  })
})

test('who lacks a scope hears all that are needed', async () => {
  const reply = await call(await bearer({ scope: 'other' }))
  expect(reply.status).toBe(403)
  expect(challengeOf(reply)).toMatch(/^Bearer error="insufficient_scope", .*scope="mcp", /)
})

describe('a session is its principal’s alone', () => {
  const ping = rpc('ping', {}, 2)

  test('through a new token of the same, and nobody else', async () => {
    const opened = await call(await bearer())
    const session = { 'mcp-session-id': String(opened.headers['mcp-session-id']) }
    const again = await call(await bearer({ jti: 'another', client_id: 'other' }), ping, session)
    expect(again.status).toBe(200)
    const rows: readonly Claims[] = [{ sub: 'eve' }, { client_id: 'ada' }, { sub: 'Ada' }]
    for (const row of rows) {
      // oxlint-disable-next-line no-await-in-loop
      expect((await call(await bearer(row), ping, session)).status).toBe(404)
    }
    expect((await call(undefined, ping, session)).status).toBe(401)
    expect((await call(await bearer({ exp: seconds() - 60 }), ping, session)).status).toBe(401)
  })
})

test('who listens does so until the token ends, and again with a new one', async () => {
  const opened = await call(await bearer())
  const session = { 'mcp-session-id': String(opened.headers['mcp-session-id']) }
  // Our clock may be behind by half a minute: ten seconds are left.
  const short = await bearer({ exp: seconds() - 20 })
  const headers = { ...session, accept: 'text/event-stream' }
  const listen = (authorization: string) =>
    send(url, undefined, { ...headers, authorization }, { method: 'GET' })
  expect((await listen(short)).status).toBe(200)
  expect((await listen(short)).status).toBe(401)
  expect((await call(await bearer(), rpc('ping', {}, 2), session)).status).toBe(200)
}, 60_000)

describe('where tokens are to be had', () => {
  test.each(['/.well-known/oauth-protected-resource', '/.well-known/oauth-protected-resource/mcp'])(
    '%s',
    async (path) => {
      const { origin } = new URL(url)
      const reply = await send(`${origin}${path}`, undefined, {}, { method: 'GET' })
      expect([reply.status, JSON.parse(reply.text)]).toEqual([
        200,
        {
          resource: url,
          authorization_servers: [issuer.url],
          bearer_methods_supported: ['header'],
          scopes_supported: ['mcp'],
        },
      ])
    },
  )

  test('that it is there, by HEAD', async () => {
    const { origin } = new URL(url)
    const place = `${origin}/.well-known/oauth-protected-resource`
    const whole = await send(place, undefined, {}, { method: 'GET' })
    const reply = await send(place, undefined, {}, { method: 'HEAD' })
    expect([reply.status, reply.text]).toEqual([200, ''])
    expect(reply.headers['content-length']).toBe(String(whole.text.length))
  })

  test('by the name by which it was asked', async () => {
    const { port } = new URL(url)
    const host = { host: `localhost:${port}` }
    const reply = await send(url, INITIALIZE, { ...JSON_HEADERS, ...host })
    expect(challengeOf(reply)).toContain(
      `resource_metadata="http://localhost:${port}/.well-known/oauth-protected-resource/mcp"`,
    )
  })

  test('a stranger’s Host is answered nothing', async () => {
    const { origin } = new URL(url)
    const path = '/.well-known/oauth-protected-resource'
    const headers = { host: 'evil.example' }
    const reply = await send(`${origin}${path}`, undefined, headers, { method: 'GET' })
    expect(reply.status).toBe(403)
  })
})

describe('keys', () => {
  test('a rotated key is taken at the first call, and one that is gone no more', async () => {
    const old = await bearer({ jti: 'old' })
    expect((await call(old)).status).toBe(200)
    const next = await signingKey('next')
    issuer.keys = [next.publicJwk]
    const fresh = `Bearer ${await signed(claims(), next)}`
    const replies = await Promise.all([1, 2, 3, 4].map(() => call(fresh)))
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    expect((await call(old)).status).toBe(401)
    issuer.keys = [key.publicJwk, rsa.publicJwk]
    expect((await call(await bearer())).status).toBe(200)
  })

  test.each([
    ['is broken', { status: 500 }],
    ['redirects', { status: 302, headers: { location: 'http://169.254.169.254/' } }],
  ])('an issuer that %s: known keys serve, others are 503', async (_name, answer) => {
    issuer.keysAnswer = answer
    const known = await call(await bearer({ jti: 'known' }))
    const unknown = await call(`Bearer ${await signed(claims(), key, { kid: 'unseen' })}`)
    issuer.keysAnswer = undefined
    expect([known.status, unknown.status]).toEqual([200, 503])
    expect(unknown.headers['retry-after']).toMatch(/^\d+$/)
  })

  test('unknown kids do not make the issuer answer each', async () => {
    const before = issuer.asked
    const token = (kid: number) => signed(claims(), key, { kid: `flood-${kid}` })
    const tokens = await Promise.all(Array.from({ length: 50 }, (_, index) => token(index)))
    const replies = await Promise.all(tokens.map((one) => call(`Bearer ${one}`)))
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([401]))
    expect(issuer.asked - before).toBeLessThan(5)
  })
})
