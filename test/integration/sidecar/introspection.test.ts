// Tokens that only their issuer can read (RFC 7662): who brings a good one is served, whatever an issuer answers that none
// should answer lets nobody in, and neither the token nor the credentials stand in the log.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import {
  Client,
  StreamableHTTPClientTransport,
  type OAuthDiscoveryState,
  type StoredOAuthClientInformation,
  type StoredOAuthTokens,
} from '@modelcontextprotocol/client'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  ASKING,
  startIdentityProvider,
  type IdentityProvider,
} from '../../support/identity-provider.ts'
import type { Claims } from '../../support/issuer.ts'
import { startIssuers, type Behaviour, type Issuers } from '../../support/issuers.ts'
import { knock } from '../../support/knock.ts'
import { oauthUser } from '../../support/oauth-client.ts'
import { CHECKOUT_CLI } from '../../support/outrigger-run.ts'
import { PUPPET } from '../../support/puppet.ts'
import { INITIALIZE, JSON_HEADERS, messageIn, send } from '../../support/raw-http.ts'
import { startProgram, type Running } from '../../support/running.ts'
import { until } from '../../support/waiting.ts'

let credentials: string

beforeAll(() => {
  credentials = mkdtempSync(join(tmpdir(), 'credentials-'))
  writeFileSync(join(credentials, 'client-id'), `${ASKING.client_id}\n`)
  writeFileSync(join(credentials, 'client-secret'), ASKING.client_secret)
})

afterAll(() => rmSync(credentials, { recursive: true }))

const startBridge = (issuer: string, introspectionUrl: string): Promise<Running> =>
  startProgram({
    command: process.execPath,
    args: [
      CHECKOUT_CLI,
      'run',
      '--port=0',
      '--log-level=debug',
      '--required-scopes=mcp',
      `--oidc-issuers=${issuer}`,
      `--introspection-url=${introspectionUrl}`,
      `--introspection-credentials=${credentials}`,
      '--',
      ...PUPPET,
    ],
    ready: /^outrigger: listening on (http:\/\/\S+)$/m,
  })

describe('an issuer that answers', () => {
  /** What the issuer is to say next of any token. */
  let behaviour: Required<Behaviour>['introspect']
  let asked: { readonly token: string | null; readonly hint: string | null }[]
  let issuers: Issuers
  let bridge: Running
  let url: string
  let count = 0

  beforeAll(async () => {
    asked = []
    issuers = await startIssuers(
      {
        one: {
          introspect: (response, form) => {
            asked.push({ token: form.get('token'), hint: form.get('token_type_hint') })
            behaviour(response, form)
          },
        },
      },
      [],
    )
    bridge = await startBridge(issuers.urlOf('one'), `${issuers.urlOf('one')}/introspect`)
    url = bridge.ready
  })

  afterAll(async () => {
    await bridge.stop()
    await issuers.close()
  })

  const seconds = (): number => Math.floor(Date.now() / 1000)
  const good = (more: Claims = {}): Claims => ({
    active: true,
    sub: 'ada',
    aud: url,
    scope: 'mcp',
    exp: seconds() + 300,
    ...more,
  })
  const says = (value: unknown) => (response: ServerResponse) =>
    response.end(typeof value === 'string' ? value : JSON.stringify(value))

  /** A token that nobody has brought yet. */
  const fresh = (): string => `opaque-token-${String(++count).padStart(4, '0')}`

  test('well lets its bearer in, and is asked once', async () => {
    behaviour = says(good())
    const token = fresh()
    const headers = { ...JSON_HEADERS, authorization: `Bearer ${token}` }
    const reply = await send(url, INITIALIZE, headers)
    expect([reply.status, messageIn(reply)]).toEqual([200, expect.stringContaining('"result"')])
    expect((await send(url, INITIALIZE, headers)).status).toBe(200)
    expect(asked.filter((one) => one.token === token)).toEqual([{ token, hint: 'access_token' }])
  })

  test('that it lacks a scope is told as of any token', async () => {
    behaviour = says(good({ scope: 'other' }))
    const refusal = await knock(url, [`Authorization: Bearer ${fresh()}`])
    expect([refusal.status, refusal.challenge]).toEqual([
      403,
      expect.stringContaining('error="insufficient_scope"'),
    ])
  })

  type Row = readonly [string, () => typeof behaviour, number, RegExp]
  const rows: readonly Row[] = [
    ['that it does not know it', () => says({ active: false }), 401, /does not know it/],
    ['active by a text', () => says(good({ active: 'true' })), 401, /whether it is good/],
    ['active by a number', () => says(good({ active: 1 })), 401, /whether it is good/],
    ['active by nothing', () => says(good({ active: undefined })), 401, /whether it is good/],
    ["another server's token", () => says(good({ aud: 'https://a.example' })), 401, /\(aud\)/],
    ['without an audience', () => says(good({ aud: undefined })), 401, /\(aud\)/],
    ['in the name of another', () => says(good({ iss: 'https://evil.example' })), 401, /\(iss\)/],
    ['without an end', () => says(good({ exp: undefined })), 401, /\(exp\)/],
    ['of one that has expired', () => says(good({ exp: 1 })), 401, /expired/],
    ['of one that is not valid yet', () => says(good({ nbf: seconds() + 99 })), 401, /\(nbf\)/],
    ['without a subject', () => says(good({ sub: undefined })), 401, /sub/],
    ['of one that is bound to a key', () => says(good({ cnf: { jkt: 'x' } })), 401, /cnf/],
    ['of a DPoP token', () => says(good({ token_type: 'DPoP' })), 401, /token_type/],
    ['of a refresh token', () => says(good({ typ: 'Refresh' })), 401, /no access token/],
    ['with a list', () => says([good()]), 503, /no JSON object/],
    ['with HTML', () => says('<html>'), 503, /no JSON object/],
    ['with nothing', () => says(''), 503, /no JSON object/],
    ['hugely', () => says(good({ x: 'x'.repeat(40_000) })), 503, /longer than 32768 bytes/],
    [
      'with a redirect',
      () => (response) =>
        void response.writeHead(307, { location: 'http://169.254.169.254/' }).end(),
      503,
      /redirects are not followed/,
    ],
    [
      'that it knows no such client',
      () => (response) => void response.writeHead(401).end(),
      503,
      /401/,
    ],
    ['with a fault', () => (response) => void response.writeHead(500).end(), 503, /answered 500/],
    ['and hangs up', () => (response) => void response.destroy(), 503, /hang up|ECONNRESET/],
    [
      'never to its end',
      () => (response) => void response.writeHead(200).write('{"active":true'),
      503,
      /nothing whole has come in time/,
    ],
    ['never', () => () => undefined, 503, /nothing whole has come in time/],
  ]
  test.each(rows)('%s', async (_name, next, status, words) => {
    behaviour = next()
    const refusal = await knock(url, [`Authorization: Bearer ${fresh()}`])
    expect(refusal.status).toBe(status)
    // What an issuer gets wrong its callers do not hear.
    if (status === 401) expect(refusal.challenge).toMatch(words)
    else expect(refusal.text).toMatch(/^retry-after: 1\r$/im)
  })

  test('hears of no token that is signed', async () => {
    asked.length = 0
    expect((await knock(url, ['Authorization: Bearer a.b.c'])).status).toBe(401)
    expect(asked).toEqual([])
  })

  test('and its faults are told once a minute, without token or credentials', async () => {
    await until(() => bridge.stderr().includes('gave no answer'), 'the log tells it')
    const log = bridge.stderr()
    const times = Array.from(log.matchAll(/"time":"([^"]+)"[^\n]*gave no answer/g), ([, time]) =>
      Date.parse(time ?? ''),
    )
    // One more for each minute that the rows before have taken; a clock may be set meanwhile.
    for (const [index, time] of times.slice(1).entries()) {
      expect(time - (times[index] ?? 0)).toBeGreaterThan(59_000)
    }
    expect(times.length).toBeGreaterThan(0)
    const basic = Buffer.from(ASKING.client_secret).toString('base64')
    for (const secret of ['opaque-token-0', ASKING.client_secret, 'of+the+sidecar', basic]) {
      expect(log).not.toContain(secret)
    }
  })
})

describe('a real identity provider', () => {
  let provider: IdentityProvider
  let bridge: Running
  let url: string

  beforeAll(async () => {
    provider = await startIdentityProvider('opaque')
    bridge = await startBridge(provider.url, `${provider.url}/token/introspection`)
    url = bridge.ready
  })

  afterAll(async () => {
    await bridge.stop()
    await provider.close()
  })

  const call = async (token: string): Promise<number> =>
    (await send(url, INITIALIZE, { ...JSON_HEADERS, authorization: `Bearer ${token}` })).status

  test('lets in whom an official client brings, by a token that is none of our reading', async () => {
    const user = oauthUser<StoredOAuthClientInformation, StoredOAuthTokens, OAuthDiscoveryState>(
      provider,
      'ada',
    )
    const info = { name: 'outrigger-tests', version: '1.0.0' }
    const knocking = new StreamableHTTPClientTransport(new URL(url), { authProvider: user })
    await expect(new Client(info).connect(knocking)).rejects.toThrow('Unauthorized')
    await knocking.finishAuth(user.home().searchParams)
    const client = new Client(info)
    await client.connect(new StreamableHTTPClientTransport(new URL(url), { authProvider: user }))
    const answer = await client.callTool({ name: 'echo', arguments: { text: 'hello' } })
    expect(JSON.stringify(answer)).toContain('hello')
    await client.close()
    const token = user.tokens()?.access_token ?? ''
    expect(token).not.toContain('.')
    expect(await call(token)).toBe(200)
    expect(await call(`${token}x`)).toBe(401)
  })
})
