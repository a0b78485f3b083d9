// Workloads that call by their JWT-SVIDs, over real connections: by a bundle in a file, which is followed, and by one of an
// endpoint, which is asked for again; beside X.509-SVIDs of the same bundle.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { once } from 'node:events'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import { Agent, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { anAuthority, issue, type Issued } from '../../support/certificates.ts'
import { signingKey, type SigningKey } from '../../support/issuer.ts'
import { listening } from '../../support/listening.ts'
import { CHECKOUT_CLI } from '../../support/outrigger-run.ts'
import { PUPPET } from '../../support/puppet.ts'
import { INITIALIZE, JSON_HEADERS } from '../../support/raw-http.ts'
import { startProgram, type Running } from '../../support/running.ts'
import { bundleText, jwtSvid } from '../../support/spiffe-bundle.ts'

const ID = 'spiffe://example.org/ns/tools/sa/agent'

let folder: string
let own: SigningKey
let next: SigningKey

const put = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(`${path}.new`, text)
  renameSync(`${path}.new`, path)
  return path
}

const run = (flags: readonly string[], scheme = 'http'): Promise<Running> =>
  startProgram({
    command: process.execPath,
    args: [
      CHECKOUT_CLI,
      'run',
      '--port=0',
      '--log-level=info',
      '--spiffe-ids=spiffe://example.org/ns/tools/*',
      ...flags,
      '--',
      ...PUPPET,
    ],
    ready: new RegExp(`^outrigger: listening on (${scheme}://\\S+)$`, 'm'),
  })

/** Asks until it is so, as long as the test may take. */
const till = async (isSo: () => boolean | Promise<boolean>): Promise<void> => {
  // oxlint-disable-next-line no-await-in-loop
  while (!(await isSo())) await sleep(100)
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'outrigger-jwt-svid-'))
  own = await signingKey('own')
  next = await signingKey('next')
})

afterAll(() => rmSync(folder, { recursive: true }))

interface Answer {
  readonly status: number
  readonly challenge: string
}

const call = async (url: string, token?: string): Promise<Answer> => {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const headers = { ...JSON_HEADERS, ...authorization }
  const answer = await fetch(url, { method: 'POST', headers, body: INITIALIZE })
  await answer.text()
  return { status: answer.status, challenge: answer.headers.get('www-authenticate') ?? '' }
}

describe('by a bundle in a file, for an audience', () => {
  let bridge: Running
  const token = (key: SigningKey, more: object = {}) =>
    jwtSvid(key, { sub: ID, aud: 'tools', ...more })

  beforeAll(async () => {
    const file = put('bundle.json', bundleText({ keys: [own] }))
    bridge = await run(['--spiffe-jwt', `--spiffe-bundle=${file}`, '--oidc-audience=tools'])
  })

  afterAll(() => bridge.stop())

  test('a workload is served, and who brings none is told to bring a token', async () => {
    expect(await call(bridge.ready, await token(own))).toMatchObject({ status: 200 })
    const without = await call(bridge.ready)
    expect(without.status).toBe(401)
    expect(without.challenge).toMatch(/^Bearer resource_metadata=/)
  })

  test('the metadata asks for no proofs, and names no issuer', async () => {
    const place = new URL('/.well-known/oauth-protected-resource', bridge.ready)
    const metadata: unknown = await (await fetch(place)).json()
    expect(metadata).toEqual({
      resource: bridge.ready,
      authorization_servers: [],
      bearer_methods_supported: ['header'],
    })
  })

  test.each<[string, object, RegExp]>([
    ['for another server', { aud: 'other' }, /not meant for this server/],
    ['of another workload', { sub: 'spiffe://example.org/ns/a/sa/b' }, /not among those/],
    ['of another trust domain', { sub: 'spiffe://other.org/x' }, /neither its issuer/],
    ['without an end', { exp: undefined }, /until when/],
  ])('one %s is refused', async (_name, more, says) => {
    const refused = await call(bridge.ready, await token(own, more))
    expect(refused.status).toBe(401)
    expect(refused.challenge).toMatch(says)
  })

  test('keys change without a refused call: the new one beside the old, then alone', async () => {
    const isServed = async (key: SigningKey): Promise<boolean> =>
      (await call(bridge.ready, await token(key))).status === 200
    expect(await isServed(next)).toBe(false)
    put('bundle.json', bundleText({ keys: [own, next] }))
    await till(() => isServed(next))
    expect(await isServed(own)).toBe(true)
    put('bundle.json', '{"keys":[{"use":"jwt-svid"}]}')
    await till(() => bridge.stderr().includes('is not taken; the last good one'))
    expect(await isServed(own)).toBe(true)
    put('bundle.json', bundleText({ keys: [next] }))
    await till(async () => !(await isServed(own)))
    expect(await isServed(next)).toBe(true)
  })
})

describe('by an endpoint, for the URL that is served', () => {
  let bridge: Running
  let answer: (response: ServerResponse) => unknown
  let asked = 0
  const endpoint = createServer((_request, response) => {
    asked++
    answer(response)
  })

  beforeAll(async () => {
    answer = (response) => response.writeHead(500).end()
    const port = await listening(endpoint)
    bridge = await run(['--spiffe-jwt', `--spiffe-bundle-url=http://127.0.0.1:${port}/bundle`])
  })

  afterAll(async () => {
    await bridge.stop()
    endpoint.closeAllConnections()
    endpoint.close()
    await once(endpoint, 'close')
  })

  const statusOf = async (key: SigningKey): Promise<number> =>
    (await call(bridge.ready, await jwtSvid(key, { sub: ID, aud: bridge.ready }))).status

  test('nobody is let in before there is a bundle; then workloads are, also while it is away', async () => {
    await till(() => asked > 0)
    expect(await statusOf(own)).toBe(503)
    const more = { spiffe_sequence: 7, spiffe_refresh_hint: 5 }
    answer = (response) => response.end(bundleText({ keys: [own], more }))
    await till(async () => (await statusOf(own)) === 200)
    // A flood of keys that nobody knows asks the endpoint for nothing.
    const [before, began] = [asked, performance.now()]
    const all = await Promise.all(Array.from({ length: 64 }, () => statusOf(next)))
    expect(new Set(all)).toEqual(new Set([401]))
    // It is asked every five seconds, and one question may have been on its way.
    const looks = 2 + Math.floor((performance.now() - began) / 5000)
    expect(asked - before).toBeLessThanOrEqual(looks)
    answer = (response) => response.writeHead(302, { location: '/elsewhere' }).end()
    await till(() => bridge.stderr().includes('redirects are not followed'))
    expect(await statusOf(own)).toBe(200)
    const newer = { ...more, spiffe_sequence: 8 }
    answer = (response) => response.end(bundleText({ keys: [next], more: newer }))
    await till(async () => (await statusOf(next)) === 200)
    expect(await statusOf(own)).toBe(401)
  })
})

describe('beside X.509-SVIDs, by one bundle', () => {
  let bridge: Running
  const authority = anAuthority('example.org')
  const serving = issue({ names: ['127.0.0.1'], by: authority })

  beforeAll(async () => {
    const file = put('both.json', bundleText({ authorities: [authority], keys: [own] }))
    const tls = [
      `--tls-cert=${put('tls.crt', serving.cert)}`,
      `--tls-key=${put('tls.key', serving.key)}`,
    ]
    bridge = await run(['--spiffe-jwt', `--spiffe-bundle=${file}`, ...tls], 'https')
  })

  afterAll(() => bridge.stop())

  const post = (
    by: Issued | undefined,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<readonly [status: number | undefined, session: string]> =>
    new Promise((resolve, reject) => {
      const agent = new Agent({ maxCachedSessions: 0 })
      const all = { method: 'POST', headers: { ...JSON_HEADERS, ...headers }, agent }
      const sent = request(bridge.ready, { ...all, ca: authority.cert, ...by }, (answer) => {
        answer.resume()
        answer.once('end', () =>
          resolve([answer.statusCode, String(answer.headers['mcp-session-id'] ?? '')]),
        )
      })
      sent.on('error', reject)
      sent.end(headers['mcp-session-id'] === undefined ? INITIALIZE : PING)
    })

  const PING = JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'ping' })
  const bearer = async (sub = ID) => ({
    authorization: `Bearer ${await jwtSvid(own, { sub, aud: bridge.ready })}`,
  })

  test('a workload is served by either, who has neither is not, and it is the same one', async () => {
    const svid = issue({ uris: [ID], by: authority })
    const [status, session] = await post(svid)
    expect(status).toBe(200)
    expect((await post(undefined, await bearer()))[0]).toBe(200)
    expect((await post(undefined))[0]).toBe(401)
    const kept = { 'mcp-session-id': session }
    expect((await post(undefined, { ...kept, ...(await bearer()) }))[0]).toBe(200)
    const other = await bearer('spiffe://example.org/ns/tools/sa/other')
    expect((await post(undefined, { ...kept, ...other }))[0]).toBe(404)
  })
})

describe('by an endpoint, X.509-SVIDs', () => {
  const [first, second] = [anAuthority('example.org'), anAuthority('example.org, next')]
  const serving = issue({ names: ['127.0.0.1'], by: first })
  let bridge: Running
  const more = { spiffe_refresh_hint: 5 }
  let text = bundleText({ more })
  const endpoint = createServer((_request, response) => response.end(text))

  beforeAll(async () => {
    const port = await listening(endpoint)
    const tls = [
      `--tls-cert=${put('tls.crt', serving.cert)}`,
      `--tls-key=${put('tls.key', serving.key)}`,
    ]
    bridge = await run([`--spiffe-bundle-url=http://127.0.0.1:${port}/`, ...tls], 'https')
  })

  afterAll(async () => {
    await bridge.stop()
    endpoint.closeAllConnections()
    endpoint.close()
    await once(endpoint, 'close')
  })

  /** Whether a workload is served; who is refused in the handshake is not. */
  const isServed = (by: Issued): Promise<boolean> =>
    new Promise((resolve) => {
      const all = { method: 'POST', headers: JSON_HEADERS, agent: false, ca: first.cert }
      const sent = request(bridge.ready, { ...all, ...by }, (answer) => {
        answer.resume()
        resolve(answer.statusCode === 200)
      })
      sent.on('error', () => resolve(false))
      sent.end(INITIALIZE)
    })

  test('nobody is let in by a bundle without authorities, and each by those of now', async () => {
    const [old, young] = [first, second].map((by) => issue({ uris: [ID], by }))
    if (!old || !young) throw new Error('two were made')
    expect(await isServed(old)).toBe(false)
    text = bundleText({ authorities: [first, second], more })
    await till(() => isServed(young))
    expect(await isServed(old)).toBe(true)
    text = bundleText({ authorities: [second], more })
    await till(async () => !(await isServed(old)))
    expect(await isServed(young)).toBe(true)
  })
})
