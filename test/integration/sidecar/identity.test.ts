// `outrigger run --oidc-issuers`: who brings a token for this server is served, everybody else is refused with a challenge
// and reaches neither the server nor another's session, and no token is found again in what the program says.

import { createHmac } from 'node:crypto'
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
import { encoded, rawSigned } from '../../support/raw-token.ts'
import { startProgram, type Running } from '../../support/running.ts'
import { CHECKOUT_CLI } from '../../support/outrigger-run.ts'
import { PUPPET, rpc } from '../../support/puppet.ts'

const LIMIT_MS = 60_000
const READY = /^outrigger: listening on (http:\/\/\S+)$/m

let issuer: FakeIssuer
let key: SigningKey
let rsa: SigningKey
let stranger: SigningKey
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
  stranger = await signingKey('one')
  issuer = await startIssuer([key.publicJwk, rsa.publicJwk])
  const flags = ['--oidc-issuers', issuer.url, '--required-scopes', 'mcp', '--log-level', 'debug']
  bridge = await startProgram({
    command: process.execPath,
    args: [CHECKOUT_CLI, 'run', '--port', '0', ...flags, '--', ...PUPPET],
    ready: READY,
  })
  url = bridge.ready
}, LIMIT_MS)

afterAll(async () => {
  await bridge.stop()
  await issuer.close()
}, LIMIT_MS)

/** A token with this header and these claims, texts or values, signed as HMAC by the public key's text. */
const forged = (header: unknown, body: unknown = claims()): string => {
  const text = `${encoded(header)}.${encoded(body)}`
  const secret = JSON.stringify(key.publicJwk)
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
}

/** Signed as it should be, whatever it says. */
const raw = (header: unknown, body: unknown = claims()): string => rawSigned(header, body, key)

const ES = { alg: 'ES256', kid: 'one', typ: 'at+jwt' }

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

type Hostile = readonly [name: string, token: () => string | Promise<string>, says: RegExp]

const HOSTILE: readonly Hostile[] = [
  ['alg none', () => `${encoded({ ...ES, alg: 'none' })}.${encoded(claims())}.`, /no signed JWT/],
  ['alg none with a signature', () => raw({ ...ES, alg: 'none' }), /algorithm/],
  ['alg in other letters', () => raw({ ...ES, alg: 'nOnE' }), /algorithm/],
  ['HMAC with the public key', () => forged({ ...ES, alg: 'HS256' }), /algorithm/],
  ['no alg', () => raw({ kid: 'one' }), /algorithm/],
  ['alg that is a list', () => raw({ ...ES, alg: ['ES256'] }), /algorithm/],
  ['a signature of something else', () => forged(ES), /signature/],
  ["a stranger's key under a known kid", () => signed(claims(), stranger), /signature is wrong/],
  ['a kid that nobody has', () => signed(claims(), key, { kid: 'zero' }), /no key/],
  ['a kid that is no text', () => raw({ ...ES, kid: 7 }), /kid/],
  ['a kid without end', () => raw({ ...ES, kid: 'k'.repeat(257) }), /kid/],
  ['an embedded jwk', () => raw({ ...ES, jwk: stranger.publicJwk }), /bears jwk/],
  ['jku', () => raw({ ...ES, jku: 'https://evil.example/keys' }), /bears jku/],
  ['x5u', () => raw({ ...ES, x5u: 'https://evil.example/cert' }), /bears x5u/],
  ['x5c', () => raw({ ...ES, x5c: ['MII='] }), /bears x5c/],
  ['crit', () => raw({ ...ES, crit: ['exp'] }), /bears crit/],
  ['b64', () => raw({ ...ES, b64: false }), /bears b64/],
  ['nested', () => raw({ ...ES, cty: 'JWT' }), /bears cty/],
  ['an ID-JAG', () => raw({ ...ES, typ: 'oauth-id-jag+jwt' }), /typ/],
  ['a logout token', () => raw({ ...ES, typ: 'logout+jwt' }), /typ/],
  ['a DPoP proof', () => raw({ ...ES, typ: 'dpop+jwt' }), /typ/],
  ['encrypted', () => 'a.b.c.d.e', /no signed JWT/],
  ['opaque', () => '2YotnFZFEjr1zCsicMWpAA', /no signed JWT/],
  ['two parts', () => 'a.b', /no signed JWT/],
  ['huge', () => `a.${'b'.repeat(9000)}.c`, /longer than 8192/],
  ['deep', () => raw(ES, `${'{"a":'.repeat(200)}1${'}'.repeat(200)}`), /everybody reads alike/],
  ['a header that is a list', () => raw('[]'), /everybody reads alike/],
  ['no JSON', () => raw('{'), /everybody reads alike/],
  ['something behind the JSON', () => raw(ES, `${JSON.stringify(claims())} {}`), /reads alike/],
  ['alg twice', () => raw('{"alg":"none","alg":"ES256"}'), /reads alike/],
  ['aud twice', () => raw(ES, '{"iss":"a","aud":"b","\\u0061ud":"c"}'), /reads alike/],
  ['base64url with stray bits', () => forged(ES).replace(/^(.*?)\..*?\./, '$1.e31.'), /alike/],
  ['no iss', () => signed(claims({ iss: undefined }), key), /who issued/],
  ['an iss that is a list', () => signed(claims({ iss: [issuer.url] }), key), /who issued/],
  ['another issuer', () => signed(claims({ iss: 'https://evil.example' }), key), /not among/],
  ['the issuer with a slash', () => signed(claims({ iss: `${issuer.url}/` }), key), /not among/],
  ['no aud', () => signed(claims({ aud: undefined }), key), /\(aud\)/],
  ["another server's aud", () => signed(claims({ aud: 'https://a.example/mcp' }), key), /\(aud\)/],
  ['the aud of a longer path', () => signed(claims({ aud: `${url}/admin` }), key), /\(aud\)/],
  [
    'an aud of the origin alone',
    () => signed(claims({ aud: new URL(url).origin }), key),
    /\(aud\)/,
  ],
  ['an empty aud', () => signed(claims({ aud: [] }), key), /\(aud\)/],
  ['no exp', () => signed(claims({ exp: undefined }), key), /until when/],
  ['an exp that is text', () => signed(claims({ exp: '9999999999' }), key), /until when/],
  ['expired', () => signed(claims({ exp: seconds() - 60 }), key), /expired/],
  ['not yet valid', () => signed(claims({ nbf: seconds() + 120 }), key), /not valid yet/],
  ['issued in the future', () => signed(claims({ iat: seconds() + 120 }), key), /\(iat\)/],
  [
    'an iat that is text',
    () => signed(claims({ iat: 'now' }), key),
    /iat|cannot be verified|claim/,
  ],
  ['no sub', () => signed(claims({ sub: undefined }), key), /\(sub\)/],
  ['an empty sub', () => signed(claims({ sub: '' }), key), /sub/],
  ['a sub without end', () => signed(claims({ sub: 's'.repeat(1025) }), key), /sub/],
  ['a sub that is no text', () => signed(claims({ sub: { admin: true } }), key), /sub|claim/],
  ['bound to a key', () => signed(claims({ cnf: { jkt: 'x' } }), key), /\(cnf\)/],
  ['a cnf of nothing', () => signed(claims({ cnf: null }), key), /\(cnf\)/],
]

describe('is refused as invalid_token', () => {
  test.each(HOSTILE)('%s', async (_name, token, says) => {
    const reply = await call(`Bearer ${await token()}`)
    expect(reply.status).toBe(401)
    expect(challengeOf(reply)).toMatch(
      /^Bearer error="invalid_token", error_description="the token/,
    )
    expect(challengeOf(reply)).toMatch(says)
    expect(challengeOf(reply)).toContain('resource_metadata="http://127.0.0.1')
    expect(reply.text).toContain('"unauthenticated"')
  })
})

describe('is refused before anybody looks at a token', () => {
  type Row = readonly [string, string | readonly string[] | undefined, string, number, RegExp]
  const rows: readonly Row[] = [
    ['no credentials', undefined, '', 401, /^Bearer scope="mcp", resource_metadata="[^"]+"$/],
    ['another scheme', 'Basic YTpi', '', 401, /^Bearer scope=/],
    ['a scheme that begins like it', 'Bearertoken abc', '', 401, /^Bearer scope=/],
    ['DPoP', 'DPoP abc', '', 401, /^Bearer scope=/],
    ['no token', 'Bearer', '', 400, /error="invalid_request"/],
    ['two tokens', 'Bearer a b', '', 400, /error="invalid_request"/],
    ['tokens in a list', 'Bearer a.b.c, Bearer d.e.f', '', 400, /error="invalid_request"/],
    ['a quoted token', 'Bearer "a.b.c"', '', 400, /error="invalid_request"/],
    ['a token in the query', undefined, '?access_token=a.b.c', 400, /error="invalid_request"/],
    ['Authorization twice', ['Bearer a.b.c', 'Bearer d.e.f'], '', 400, /undefined/],
  ]

  test.each(rows)('%s', async (...[, authorization, query, status, says]) => {
    const headers = authorization === undefined ? {} : { authorization }
    const reply = await send(`${url}${query}`, INITIALIZE, { ...JSON_HEADERS, ...headers })
    expect([reply.status, challengeOf(reply)]).toEqual([status, expect.stringMatching(says)])
  })

  test('GET and DELETE without credentials', async () => {
    const accept = { accept: 'text/event-stream' }
    for (const method of ['GET', 'DELETE']) {
      // oxlint-disable-next-line no-await-in-loop
      expect((await send(url, undefined, accept, { method })).status).toBe(401)
    }
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

test('no token stands in what it writes, nor in the environment and answers of its server', async () => {
  const token = await signed(claims({ jti: 'secret' }), key)
  const opened = await call(`Bearer ${token}`)
  const session = { 'mcp-session-id': String(opened.headers['mcp-session-id']) }
  const seen = await call(`Bearer ${token}`, rpc('tools/call', { name: 'seen' }, 3), session)
  const [, body = '', signature = ''] = token.split('.')
  const said = [bridge.stderr(), seen.text, JSON.stringify(seen.headers), opened.text].join('\n')
  for (const part of [token, body, signature]) expect(said).not.toContain(part)
})
