// Tokens that are bound to their client's certificate (RFC 8705), over real connections: the certificate is its own client's
// to make, and whoever has the token without its key has nothing.

import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { hash, X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request, type RequestOptions } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { aKey, anAuthority, issue, type Issued } from '../../support/certificates.ts'
import { signed, signingKey, startIssuer, type FakeIssuer } from '../../support/issuer.ts'
import { CHECKOUT_CLI } from '../../support/outrigger-run.ts'
import { PUPPET } from '../../support/puppet.ts'
import { INITIALIZE, JSON_HEADERS } from '../../support/raw-http.ts'
import { startProgram, type Running } from '../../support/running.ts'

const BOUND = '--oidc-certificate-bound'
let folder: string
let authority: Issued
let own: Issued
let other: Issued
let expired: Issued
let issuer: FakeIssuer
let bridge: Running
let tokenFor: (client: Issued | undefined) => Promise<string>

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'outrigger-bound-'))
  authority = anAuthority()
  own = issue({ commonName: 'own', key: aKey() })
  other = issue({ commonName: 'own', key: aKey() })
  expired = issue({ commonName: 'own', key: own.key, fromMs: -2000, untilMs: -1000 })
  const leaf = issue({ names: ['127.0.0.1'], by: authority })
  const put = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const key = await signingKey('one')
  issuer = await startIssuer([key.publicJwk])
  const tls = ['--tls-cert', put('tls.crt', leaf.cert), '--tls-key', put('tls.key', leaf.key)]
  const identity = ['--oidc-issuers', issuer.url, '--oidc-audience', 'here', BOUND]
  bridge = await startProgram({
    command: process.execPath,
    args: [CHECKOUT_CLI, 'run', '--port', '0', ...tls, ...identity, '--', ...PUPPET],
    ready: /^outrigger: listening on (https:\/\/\S+)$/m,
  })
  tokenFor = (client) => {
    const thumbprint = client && hash('sha256', new X509Certificate(client.cert).raw, 'base64url')
    const cnf = thumbprint === undefined ? {} : { cnf: { 'x5t#S256': thumbprint } }
    const seconds = Math.floor(Date.now() / 1000)
    return signed({ iss: issuer.url, sub: 'ada', aud: 'here', exp: seconds + 300, ...cnf }, key)
  }
})

afterAll(async () => {
  await bridge.stop()
  await issuer.close()
  rmSync(folder, { recursive: true })
})

const call = async (
  token: string,
  client: Issued | undefined,
  agent: RequestOptions['agent'] = false,
): Promise<readonly [number | undefined, string]> =>
  new Promise((resolve, reject) => {
    const headers = { ...JSON_HEADERS, authorization: `Bearer ${token}` }
    const options = { method: 'POST', headers, ca: authority.cert, agent, ...client }
    const asked = request(bridge.ready, options, (answer) => {
      answer.resume()
      const challenge = answer.headers['www-authenticate'] ?? ''
      answer.once('end', () => resolve([answer.statusCode, challenge]))
    })
    asked.on('error', reject)
    asked.end(INITIALIZE)
  })

test('a bound token is good with its certificate, and refused with another or none', async () => {
  const token = await tokenFor(own)
  expect(await call(token, own)).toEqual([200, ''])
  for (const client of [other, expired, undefined]) {
    const [status, challenge] = await call(token, client)
    expect(status).toBe(401)
    expect(challenge).toContain('error="invalid_token"')
    expect(challenge).toContain('that this connection does not show')
  }
  expect(await call(token, own)).toEqual([200, ''])
})

test('a token that is not bound is good with a certificate or without', async () => {
  const token = await tokenFor(undefined)
  expect([await call(token, undefined), await call(token, own)]).toEqual([
    [200, ''],
    [200, ''],
  ])
})

test('a session of TLS that is taken up again has its certificate', async () => {
  const agent = new Agent({ keepAlive: false, maxCachedSessions: 8 })
  const token = await tokenFor(own)
  for (let round = 0; round < 3; round++) expect(await call(token, own, agent)).toEqual([200, ''])
  agent.destroy()
})

test('the metadata says that tokens may be bound', async () => {
  const place = new URL('/.well-known/oauth-protected-resource', bridge.ready)
  const text = await new Promise<string>((resolve, reject) => {
    const asked = request(place, { ca: authority.cert, agent: false }, (answer) => {
      let all = ''
      answer.setEncoding('utf8').on('data', (piece: string) => (all += piece))
      answer.once('end', () => resolve(all))
    })
    asked.on('error', reject)
    asked.end()
  })
  expect(JSON.parse(text)).toMatchObject({ tls_client_certificate_bound_access_tokens: true })
})

test('without TLS nothing is seen of what a client shows, and the flag is refused', async () => {
  const args = [CHECKOUT_CLI, 'run', '--port=0', '--oidc-issuers', issuer.url, BOUND]
  const program = { command: process.execPath, args: [...args, '--', ...PUPPET], ready: /never/ }
  await expect(startProgram(program)).rejects.toThrow(
    `${BOUND}: what a client shows is seen over TLS alone: give --tls-cert and --tls-key`,
  )
})
