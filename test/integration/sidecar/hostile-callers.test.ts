// Whoever may not call: each refused by the head alone, with the right status, the right challenge and the reason. Tokens
// are signed by the right key unless the row says otherwise: what is wrong with them is what the row says.

import { createHmac, createPublicKey } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { ServerResponse } from 'node:http'
import { adminOf } from '../../support/admin.ts'
import { freePort } from '../../support/free-port.ts'
import { signed, signingKey, type Claims, type SigningKey } from '../../support/issuer.ts'
import { startIssuers, type Behaviour, type Issuers } from '../../support/issuers.ts'
import { knock, type Refusal } from '../../support/knock.ts'
import { CHECKOUT_CLI } from '../../support/outrigger-run.ts'
import { PUPPET, rpc, textOf } from '../../support/puppet.ts'
import {
  INITIALIZE,
  JSON_HEADERS,
  messageIn,
  send,
  type RawHeaders,
} from '../../support/raw-http.ts'
import { encoded, rawSigned } from '../../support/raw-token.ts'
import { startProgram, type Running } from '../../support/running.ts'
import { until } from '../../support/waiting.ts'

const json =
  (value: unknown, status = 200) =>
  (response: ServerResponse): void =>
    void response.writeHead(status).end(JSON.stringify(value))
const redirect = (location: string) => (response: ServerResponse) =>
  response.writeHead(302, { location }).end()
const keysAt = (place: string): Behaviour => ({
  metadata: (response, issuer) => json({ issuer, jwks_uri: place })(response),
})

/** Issuers that are trusted and answer as none should, and what the log says of each. */
const BAD: Readonly<Record<string, Behaviour & { readonly says: RegExp }>> = {
  silent: { metadata: () => undefined, says: /nothing whole has come in time/ },
  slow: {
    metadata: (response) => {
      response.writeHead(200).write('{')
    },
    says: /nothing whole has come in time/,
  },
  huge: {
    metadata: (response) => {
      response.end(`{"a":"${'x'.repeat(300_000)}"}`)
    },
    says: /longer than 262144 bytes/,
  },
  'huge-keys': {
    keys: (response) => {
      response.end(`{"keys":[${'{},'.repeat(200_000)}{}]}`)
    },
    says: /keys: its answer is longer than 262144 bytes/,
  },
  moved: { metadata: redirect('http://169.254.169.254/'), says: /redirects are not followed/ },
  'moved-keys': { keys: redirect('http://127.0.0.1:9/'), says: /redirects are not followed/ },
  impostor: { metadata: json({ issuer: 'https://evil.example' }), says: /names another issuer/ },
  'without-keys': {
    metadata: (response, issuer) => json({ issuer })(response),
    says: /no jwks_uri/,
  },
  'of-metadata': { ...keysAt('http://169.254.169.254/keys'), says: /not among the listed hosts/ },
  'of-a-neighbour': { ...keysAt('https://10.0.0.1/keys'), says: /not among the listed hosts/ },
  'of-another-port': { ...keysAt('http://127.0.0.1:1/keys'), says: /not among the listed hosts/ },
  'of-a-file': { ...keysAt('file:///etc/passwd'), says: /no http or https URL/ },
  'no-json': {
    keys: (response) => {
      response.end('<html>')
    },
    says: /no JSON object/,
  },
  'no-keys': { keys: json({ keys: [] }), says: /it holds no keys/ },
}

let issuers: Issuers
let key: SigningKey
let rsa: SigningKey
let stranger: SigningKey
let bridge: Running
let url: string
let admin: ReturnType<typeof adminOf>

const seconds = (): number => Math.floor(Date.now() / 1000)

const claims = (more: Claims = {}): Claims => ({
  iss: issuers.urlOf('good'),
  sub: 'ada',
  aud: url,
  client_id: 'agent',
  scope: 'mcp',
  iat: seconds(),
  exp: seconds() + 300,
  ...more,
})

beforeAll(async () => {
  key = await signingKey('one')
  rsa = await signingKey('two', 'RS256')
  stranger = await signingKey('one')
  issuers = await startIssuers(BAD, [key.publicJwk, rsa.publicJwk])
  const port = await freePort()
  admin = adminOf(port)
  const trusted = ['good', 'other', ...Object.keys(BAD)].map(issuers.urlOf).join(',')
  const flags = ['--oidc-issuers', trusted, '--required-scopes', 'mcp', '--admin-port', `${port}`]
  bridge = await startProgram({
    command: process.execPath,
    args: [CHECKOUT_CLI, 'run', '--port', '0', ...flags, '--log-level', 'debug', '--', ...PUPPET],
    ready: /^outrigger: listening on (http:\/\/\S+)$/m,
  })
  url = bridge.ready
})

afterAll(async () => {
  await bridge.stop()
  await issuers.close()
})

const ES = { alg: 'ES256', kid: 'one', typ: 'at+jwt' }

/** Signed as it should be, whatever it says. */
const raw = (header: unknown, body: unknown = claims()): string => rawSigned(header, body, key)
const withHeader = (more: Claims) => (): string => raw({ ...ES, ...more })
const withClaims = (more: Claims) => (): Promise<string> => signed(claims(more), key)
/** Claims as text, with something put behind their first brace. */
const withText = (text: string) => (): string =>
  raw(ES, JSON.stringify(claims()).replace('{', `{${text},`))

const hmac = (secret: string | Buffer, alg = 'HS256'): string => {
  const text = `${encoded({ ...ES, alg })}.${encoded(claims())}`
  return `${text}.${createHmac(alg.replace('HS', 'sha'), secret).update(text).digest('base64url')}`
}
const pem = (): string | Buffer =>
  createPublicKey({ key: { ...key.publicJwk }, format: 'jwk' }).export({
    type: 'spki',
    format: 'pem',
  })

/** The parts of a good token, made anew by somebody who has no key. */
const remade = async (remake: (parts: readonly [string, string, string]) => string) => {
  const [head = '', body = '', signature = ''] = (await signed(claims(), key)).split('.')
  return remake([head, body, signature])
}

type Row = readonly [name: string, token: () => string | Promise<string>, says: RegExp]

const HEADERS: readonly Row[] = [
  ['alg none', withHeader({ alg: 'none' }), /algorithm/],
  ['alg none in other letters', withHeader({ alg: 'nOnE' }), /algorithm/],
  [
    'alg none without a signature',
    () => `${encoded({ alg: 'none' })}.${encoded(claims())}.`,
    /no signed JWT/,
  ],
  ['an empty alg', withHeader({ alg: '' }), /algorithm/],
  ['no alg', () => raw({ kid: 'one' }), /algorithm/],
  ['alg that is null', withHeader({ alg: null }), /algorithm/],
  ['alg that is a list', withHeader({ alg: ['ES256'] }), /algorithm/],
  ['alg that every object has', withHeader({ alg: 'toString' }), /algorithm/],
  ['alg with a space', withHeader({ alg: 'ES256 ' }), /algorithm/],
  ['ES256K', withHeader({ alg: 'ES256K' }), /algorithm/],
  ['Ed448', withHeader({ alg: 'Ed448' }), /algorithm/],
  ['an algorithm to encrypt by', withHeader({ alg: 'RSA-OAEP' }), /algorithm/],
  ['a shared secret', withHeader({ alg: 'HS256' }), /algorithm/],
  ['HMAC with the public key as JSON', () => hmac(JSON.stringify(key.publicJwk)), /algorithm/],
  ['HMAC with the public key as PEM', () => hmac(pem()), /algorithm/],
  ['HMAC with nothing', () => hmac(''), /algorithm/],
  ['HMAC of 512 bits', () => hmac(pem(), 'HS512'), /algorithm/],
  ['a key of its own', withHeader({ jwk: { kty: 'EC' } }), /bears jwk/],
  ['a key of its own that is null', withHeader({ jwk: null }), /bears jwk/],
  ['keys elsewhere', withHeader({ jku: 'https://evil.example/keys' }), /bears jku/],
  [
    'keys of the issuer elsewhere',
    () => raw({ ...ES, jku: `${issuers.urlOf('good')}/keys` }),
    /bears jku/,
  ],
  ['a certificate elsewhere', withHeader({ x5u: 'https://evil.example/cert' }), /bears x5u/],
  ['a certificate', withHeader({ x5c: ['MII='] }), /bears x5c/],
  ['a demand', withHeader({ crit: ['exp'] }), /bears crit/],
  ['a demand of nothing', withHeader({ crit: [] }), /bears crit/],
  ['a payload that is not encoded', withHeader({ b64: false }), /bears b64/],
  ['a token in a token', withHeader({ cty: 'JWT' }), /bears cty/],
  ['compressed', withHeader({ zip: 'DEF' }), /bears zip/],
  ['encrypted by its header', withHeader({ enc: 'A128GCM' }), /bears enc/],
  ['an ID-JAG', withHeader({ typ: 'oauth-id-jag+jwt' }), /typ/],
  ['a logout token', withHeader({ typ: 'logout+jwt' }), /typ/],
  ['a DPoP proof', withHeader({ typ: 'dpop+jwt' }), /typ/],
  ['a security event', withHeader({ typ: 'secevent+jwt' }), /typ/],
  ['an answer of introspection', withHeader({ typ: 'token-introspection+jwt' }), /typ/],
  ['a typ that is a list', withHeader({ typ: ['at+jwt'] }), /typ/],
  ['a kid that is a number', withHeader({ kid: 1 }), /kid/],
  ['a kid that is null', withHeader({ kid: null }), /kid/],
  ['a kid without end', withHeader({ kid: 'k'.repeat(257) }), /kid/],
  ['alg twice', () => raw('{"alg":"none","alg":"ES256","kid":"one"}'), /reads alike/],
  [
    'alg twice, hidden',
    () => raw(String.raw`{"\u0061lg":"none","alg":"ES256","kid":"one"}`),
    /reads alike/,
  ],
  ['kid twice', () => raw('{"alg":"ES256","kid":"two","kid":"one"}'), /reads alike/],
  ['a header that is a list', () => raw('[]'), /reads alike/],
  ['a header that is a text', () => raw('"ES256"'), /reads alike/],
  ['a header that is nothing', () => raw('null'), /reads alike/],
  ['a header that breaks off', () => raw('{"alg":"ES256"'), /reads alike/],
  ['a header with a mark', () => raw(`\ufeff${JSON.stringify(ES)}`), /reads alike/],
  ['a header with a comment', () => raw('{"alg":"ES256"/**/}'), /reads alike/],
]

const CLAIMS: readonly Row[] = [
  ['no iss', withClaims({ iss: undefined }), /who issued/],
  [
    'an iss that is a list',
    () => signed(claims({ iss: [issuers.urlOf('good')] }), key),
    /who issued/,
  ],
  ['an iss that is null', withClaims({ iss: null }), /who issued/],
  ['an issuer that nobody trusts', withClaims({ iss: 'https://evil.example' }), /not among/],
  [
    'the issuer with a slash',
    () => signed(claims({ iss: `${issuers.urlOf('good')}/` }), key),
    /not among/,
  ],
  [
    'the issuer in large letters',
    () => signed(claims({ iss: issuers.urlOf('GOOD') }), key),
    /not among/,
  ],
  [
    'the issuer by another name',
    () => signed(claims({ iss: issuers.urlOf('good').replace('127.0.0.1', 'localhost') }), key),
    /not among/,
  ],
  ['an issuer that every object has', withClaims({ iss: '__proto__' }), /not among/],
  ['no aud', withClaims({ aud: undefined }), /\(aud\)/],
  ['an aud that is null', withClaims({ aud: null }), /\(aud\)/],
  ['an empty aud', withClaims({ aud: '' }), /\(aud\)/],
  ['an aud of none', withClaims({ aud: [] }), /\(aud\)/],
  ["another server's aud", withClaims({ aud: 'https://a.example/mcp' }), /\(aud\)/],
  ["the issuer's aud", () => signed(claims({ aud: issuers.urlOf('good') }), key), /\(aud\)/],
  ["the client's aud", withClaims({ aud: 'agent' }), /\(aud\)/],
  ['the aud of a longer path', () => signed(claims({ aud: `${url}/admin` }), key), /\(aud\)/],
  ['the aud of the origin', () => signed(claims({ aud: new URL(url).origin }), key), /\(aud\)/],
  [
    'the aud of another port',
    () => signed(claims({ aud: 'http://127.0.0.1:1/mcp' }), key),
    /\(aud\)/,
  ],
  ['the aud with a query', () => signed(claims({ aud: `${url}?a` }), key), /\(aud\)/],
  ['an aud that is an object', () => signed(claims({ aud: { 0: url } }), key), /\(aud\)|claim/],
  ['aud twice', () => withText('"aud":"https://a.example"')(), /reads alike/],
  ['sub twice, hidden', withText(String.raw`"\u0073ub":"eve"`), /reads alike/],
  ['no exp', withClaims({ exp: undefined }), /\(exp\)/],
  ['an exp that is text', withClaims({ exp: '9999999999' }), /\(exp\)/],
  ['an exp that is null', withClaims({ exp: null }), /\(exp\)/],
  [
    'an exp that never comes',
    () => raw(ES, JSON.stringify(claims()).replace(/"exp":\d+/, '"exp":1e400')),
    /\(exp\)/,
  ],
  ['an exp in milliseconds to the end of days', withClaims({ exp: 9e15 }), /\(exp\)/],
  ['expired', () => signed(claims({ exp: seconds() - 60 }), key), /expired/],
  ['expired before there were clocks', withClaims({ exp: -1 }), /expired/],
  ['not yet valid', () => signed(claims({ nbf: seconds() + 120 }), key), /not valid yet/],
  ['an nbf that is text', withClaims({ nbf: 'now' }), /nbf/],
  ['issued in the future', () => signed(claims({ iat: seconds() + 120 }), key), /\(iat\)/],
  ['an iat that is text', withClaims({ iat: 'now' }), /\(iat\)|claim/],
  ['no sub', withClaims({ sub: undefined }), /sub/],
  ['a sub that is empty', withClaims({ sub: '' }), /sub/],
  ['a sub that is null', withClaims({ sub: null }), /sub/],
  ['a sub that is an object', withClaims({ sub: { admin: true } }), /sub/],
  ['a sub without end', withClaims({ sub: 's'.repeat(1025) }), /sub/],
  ['a client that is a list', withClaims({ client_id: ['agent'] }), /client_id/],
  ['scopes that are an object', withClaims({ scope: { mcp: true } }), /scope/],
  ['bound to a key', withClaims({ cnf: { jkt: 'x' } }), /\(cnf\)/],
  ['bound to a certificate', withClaims({ cnf: { 'x5t#S256': 'x' } }), /\(cnf\)/],
  ['bound to nothing', withClaims({ cnf: null }), /\(cnf\)/],
  ['an ID token', withClaims({ at_hash: 'x', nonce: 'n' }), /no access token/],
  ['an ID token of a code', withClaims({ c_hash: 'x' }), /no access token/],
  [
    'a logout token by its claims',
    withClaims({ events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }),
    /no access token/,
  ],
  ["Keycloak's ID token", withClaims({ typ: 'ID' }), /no access token/],
  ["Keycloak's refresh token", withClaims({ typ: 'Refresh' }), /no access token/],
  ["Cognito's ID token", withClaims({ token_use: 'id' }), /no access token/],
  ['an actor without a name', withClaims({ act: {} }), /act/],
  ['claims that are a list', () => raw(ES, '[]'), /reads alike/],
  [
    'claims that are deep',
    () => raw(ES, `${'{"a":'.repeat(200)}1${'}'.repeat(200)}`),
    /reads alike/,
  ],
  ['claims with something behind', () => raw(ES, `${JSON.stringify(claims())} {}`), /reads alike/],
  ['claims with half a character', withText(String.raw`"\ud800":1`), /reads alike/],
]

const SIGNATURES: readonly Row[] = [
  ["a stranger's key under a known kid", () => signed(claims(), stranger), /signature is wrong/],
  ['a kid that nobody has', () => raw({ ...ES, kid: 'zero' }), /no key/],
  ['a kid that is a path', () => raw({ ...ES, kid: '../../etc/passwd' }), /no key/],
  ['a kid that is a query', () => raw({ ...ES, kid: "' OR 1=1 --" }), /no key/],
  [
    'other claims under the signature',
    () =>
      remade(([head, , signature]) => `${head}.${encoded(claims({ sub: 'root' }))}.${signature}`),
    /signature is wrong/,
  ],
  [
    'another header under the signature',
    () => remade(([, body, signature]) => `${encoded({ ...ES, typ: 'JWT' })}.${body}.${signature}`),
    /signature is wrong/,
  ],
  [
    'half a signature',
    () => remade(([head, body, signature]) => `${head}.${body}.${signature.slice(0, 43)}`),
    /signature/,
  ],
  [
    'zeros for a signature',
    () => remade(([head, body]) => `${head}.${body}.${'A'.repeat(86)}`),
    /signature is wrong/,
  ],
  [
    'a signature in DER',
    () =>
      remade(
        ([head, body]) =>
          `${head}.${body}.${Buffer.from(`30440220${'01'.repeat(32)}0220${'01'.repeat(32)}`, 'hex').toString('base64url')}`,
      ),
    /signature is wrong/,
  ],
  [
    'a signature of too much',
    () => remade(([head, body, signature]) => `${head}.${body}.${signature}AAAA`),
    /signature is wrong/,
  ],
  ['encrypted', () => 'a.b.c.d.e', /no signed JWT/],
  ['opaque', () => '2YotnFZFEjr1zCsicMWpAA', /no signed JWT/],
  ['two parts', () => 'a.b', /no signed JWT/],
  ['dots alone', () => '..', /no signed JWT/],
  [
    'padding',
    () => remade(([head, body, signature]) => `${head}.${body}.${signature}==`),
    /no signed JWT/,
  ],
  ['huge', () => `a.${'b'.repeat(12_288)}.c`, /longer than 12288/],
]

const refusedAs = (refusal: Refusal, says: RegExp): void => {
  expect(refusal.status).toBe(401)
  expect(refusal.challenge).toMatch(
    /^Bearer error="invalid_token", error_description="the token is/,
  )
  expect(refusal.challenge).toMatch(says)
  expect(refusal.challenge).toContain('scope="mcp", resource_metadata="http://127.0.0.1:')
  expect(refusal.body).toContain('"code":"unauthenticated"')
  expect(refusal.text).not.toContain('100 Continue')
}

describe.each([
  ['header', HEADERS],
  ['claims', CLAIMS],
  ['signature', SIGNATURES],
])('by its %s', (_name, rows) => {
  test.each(rows)('%s', async (_row, token, says) => {
    refusedAs(await knock(url, [`Authorization: Bearer ${await token()}`]), says)
  })
})

describe('by its form', () => {
  type Form = readonly [string, readonly string[], string, number, RegExp]
  const token = 'a.b.c'
  const none = /^Bearer scope="mcp", resource_metadata="[^"]+"$/
  const malformed = /^Bearer error="invalid_request", error_description="Authorization must be/
  const rows: readonly Form[] = [
    ['no credentials', [], '', 401, none],
    ['empty credentials', ['Authorization:'], '', 401, none],
    ['another scheme', ['Authorization: Basic YTpi'], '', 401, none],
    ['DPoP', [`Authorization: DPoP ${token}`], '', 401, none],
    ['Negotiate', ['Authorization: Negotiate YII='], '', 401, none],
    ['a token without a scheme', [`Authorization: ${token}`], '', 401, none],
    ['a scheme that begins like it', [`Authorization: Bearertoken ${token}`], '', 401, none],
    ['a scheme before it', [`Authorization: Basic Bearer ${token}`], '', 401, none],
    ['no token', ['Authorization: Bearer'], '', 400, malformed],
    ['two tokens', [`Authorization: Bearer ${token} ${token}`], '', 400, malformed],
    ['tokens in a list', [`Authorization: Bearer ${token}, Bearer ${token}`], '', 400, malformed],
    ['a quoted token', [`Authorization: Bearer "${token}"`], '', 400, malformed],
    ['a parameter', [`Authorization: Bearer token=${token}`], '', 400, malformed],
    ['a tab', [`Authorization: Bearer\t${token}`], '', 400, malformed],
    ['other letters', ['Authorization: Bearer \u00e9.b.c'], '', 400, malformed],
    ['a token in the query', [], `?access_token=${token}`, 400, /a token never stands in a URL/],
    [
      'a token there, too',
      [`Authorization: Bearer ${token}`],
      `?x&access_token=${token}`,
      400,
      /a token never/,
    ],
    ['a token there in large letters', [], `?ACCESS_TOKEN=${token}`, 400, /a token never/],
    [
      'credentials twice',
      [`Authorization: Bearer ${token}`, `Authorization: Bearer ${token}`],
      '',
      400,
      /^$/,
    ],
    [
      'credentials twice in other letters',
      [`Authorization: Bearer ${token}`, `AUTHORIZATION: Basic YTpi`],
      '',
      400,
      /^$/,
    ],
    ['for a proxy', [`Proxy-Authorization: Bearer ${token}`], '', 401, none],
    ['in a cookie', [`Cookie: access_token=${token}`], '', 401, none],
    [
      'from an identity that a proxy names',
      ['X-Forwarded-User: root', 'X-Remote-User: root'],
      '',
      401,
      none,
    ],
    ['from another Host', ['Host: evil.example'], '', 403, /^$/],
    ['from another Origin', ['Origin: https://evil.example'], '', 403, /^$/],
  ]

  test.each(rows)('%s', async (...[, lines, query, status, says]) => {
    const refusal = await knock(url, lines, query)
    expect([refusal.status, refusal.challenge]).toEqual([status, expect.stringMatching(says)])
    expect(refusal.text).not.toContain('100 Continue')
  })

  test('a head without end', async () => {
    const refusal = await knock(url, [`Authorization: Bearer ${'a'.repeat(20_000)}`])
    expect(refusal.status).toBe(431)
  })

  test('scopes of something else', async () => {
    const other = await signed(claims({ scope: 'mcp.read MCP mcpx' }), key)
    const refusal = await knock(url, [`Authorization: Bearer ${other}`])
    expect(refusal.status).toBe(403)
    expect(refusal.challenge).toMatch(/^Bearer error="insufficient_scope", .*, scope="mcp", /)
    expect(refusal.text).not.toContain('100 Continue')
  })
})

describe('by its issuer, which is trusted and', () => {
  const refusals = new Map<string, Refusal>()

  beforeAll(async () => {
    const ask = async (name: string): Promise<void> => {
      const token = await signed(claims({ iss: issuers.urlOf(name) }), key)
      refusals.set(name, await knock(url, [`Authorization: Bearer ${token}`]))
    }
    await Promise.all(Object.keys(BAD).map(ask))
  })

  test.each(Object.entries(BAD))('is %s', async (name, { says }) => {
    const refusal = refusals.get(name)
    expect([refusal?.status, refusal?.challenge]).toEqual([503, ''])
    expect(refusal?.text).toMatch(/^retry-after: \d+\r$/im)
    expect(refusal?.text).not.toContain('100 Continue')
    const lines = (): readonly string[] => bridge.stderr().split('\n').slice(0, -1)
    const told = await until(
      () => lines().find((line) => line.includes(`/${name}"`)),
      'the log tells it',
    )
    expect(told).toMatch(says)
  })
})

describe('in a session of another', () => {
  let session: RawHeaders
  const bearer = async (more: Claims = {}): Promise<RawHeaders> => ({
    ...JSON_HEADERS,
    ...session,
    authorization: `Bearer ${await signed(claims(more), key)}`,
  })

  beforeAll(async () => {
    session = {}
    const opened = await send(url, INITIALIZE, await bearer())
    session = { 'mcp-session-id': String(opened.headers['mcp-session-id']) }
  })

  test.each<[string, Claims | (() => Claims)]>([
    ['another user', { sub: 'eve' }],
    ['a user in other letters', { sub: 'Ada' }],
    ['a user with a space', { sub: 'ada ' }],
    ['a program of the same name', { sub: 'ada', client_id: 'ada' }],
    ['the same name at another issuer', () => ({ iss: issuers.urlOf('other') })],
    ['who acts for the user', { act: { sub: 'eve' } }],
  ])('%s', async (_name, more) => {
    const headers = await bearer(typeof more === 'function' ? more() : more)
    expect((await send(url, rpc('ping', {}), headers)).status).toBe(404)
    const { 'content-type': _, ...bodiless } = { ...headers }
    for (const method of ['GET', 'DELETE']) {
      expect((await send(url, undefined, bodiless, { method })).status).toBe(404)
    }
  })

  test.each<[string, Claims]>([
    ['whose token has ended', { exp: 1 }],
    ['whose token is for another server', { aud: 'https://a.example' }],
  ])('the same user, %s', async (_name, more) => {
    expect((await send(url, rpc('ping', {}), await bearer(more))).status).toBe(401)
  })

  test('and of all of them nothing has reached the server', async () => {
    const reply = await send(url, rpc('tools/call', { name: 'seen' }, 3), await bearer())
    const seen: unknown = JSON.parse(textOf(messageIn(reply)))
    expect(JSON.stringify(seen)).not.toContain('ping')
    expect(await admin.metric('outrigger_sessions')).toBe(1)
  })
})

test('the table is long enough', () => {
  expect(HEADERS.length + CLAIMS.length + SIGNATURES.length).toBeGreaterThan(110)
})
