// Tokens that are bound to their client's key (DPoP, RFC 9449), by a real identity provider and a client of a certified
// library: the official clients call through it, also behind a TLS proxy under another name, and whoever has the token
// without its key has nothing.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Client as ClientOne } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as TransportOne } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { boundClient, type BoundClient } from '../../support/dpop-client.ts'
import { keyHolder, type Holder } from '../../support/dpop.ts'
import { startIdentityProvider, type IdentityProvider } from '../../support/identity-provider.ts'
import { startIssuers, type Issuers } from '../../support/issuers.ts'
import { CLIENT_INFO } from '../../support/oauth-entrance.ts'
import { knock } from '../../support/knock.ts'
import { CHECKOUT_CLI } from '../../support/outrigger-run.ts'
import { PUPPET, rpc } from '../../support/puppet.ts'
import { INITIALIZE, JSON_HEADERS } from '../../support/raw-http.ts'
import { startProgram, type Running } from '../../support/running.ts'
import { tlsProxy, type TlsProxy } from '../../support/tls-proxy.ts'

let provider: IdentityProvider
let bridge: Running
let url: string

const run = (flags: readonly string[], url = /^outrigger: listening on (https?:\/\/\S+)$/m) =>
  startProgram({
    command: process.execPath,
    args: [CHECKOUT_CLI, 'run', '--port', '0', ...flags, '--', ...PUPPET],
    ready: url,
  })

beforeAll(async () => {
  provider = await startIdentityProvider()
  bridge = await run(['--oidc-issuers', provider.url, '--oidc-dpop', 'accepted'])
  url = bridge.ready
})

afterAll(async () => {
  await bridge.stop()
  await provider.close()
})

const initialize = (client: Pick<BoundClient, 'fetch'>, at = url): Promise<Response> =>
  client.fetch(at, { method: 'POST', headers: JSON_HEADERS, body: INITIALIZE })

/** The same request as somebody else would send it. */
const as = (headers: Readonly<Record<string, string>>): Promise<Response> =>
  fetch(url, { method: 'POST', headers: { ...JSON_HEADERS, ...headers }, body: INITIALIZE })

const challengeOf = (response: Response): string => response.headers.get('www-authenticate') ?? ''

test('a client with its key is told a text once, and served each time', async () => {
  const client = await boundClient(provider.url, url)
  expect(client.tokenType).toBe('dpop')
  for (let round = 0; round < 3; round++) {
    // oxlint-disable-next-line no-await-in-loop
    expect((await initialize(client)).status).toBe(200)
  }
  expect(client.told()).toBe(1)
})

describe.each([
  [
    'client 2.x',
    async (client: BoundClient, at: string) => {
      const mcp = new Client(CLIENT_INFO)
      await mcp.connect(new StreamableHTTPClientTransport(new URL(at), { fetch: client.fetch }))
      return mcp
    },
  ],
  [
    'SDK 1.x',
    async (client: BoundClient, at: string) => {
      const mcp = new ClientOne(CLIENT_INFO)
      await mcp.connect(new TransportOne(new URL(at), { fetch: client.fetch }))
      return mcp
    },
  ],
])('%s', (_name, connect) => {
  test('calls with a proof of each request', async () => {
    const client = await boundClient(provider.url, url)
    const mcp = await connect(client, url)
    const echo = { name: 'echo', arguments: { text: 'proven' } }
    const calls = await Promise.all([1, 2, 3, 4].map(() => mcp.callTool(echo)))
    expect(calls.map((one) => JSON.stringify(one)).join('')).toMatch(/(proven.*){4}/)
    await mcp.close()
    expect(new Set(client.proofs).size).toBe(client.proofs.length)
  })
})

describe('who has seen all that a client has sent', () => {
  let client: BoundClient
  let nonce: string
  beforeAll(async () => {
    client = await boundClient(provider.url, url)
    await initialize(client)
    nonce = (await as({})).headers.get('dpop-nonce') ?? ''
  })

  test.each<[string, () => Promise<Record<string, string>>, string, string]>([
    [
      'has nothing by Bearer',
      async () => ({ authorization: `Bearer ${client.token}` }),
      'Bearer error="invalid_token"',
      'bring it by the scheme DPoP',
    ],
    [
      'nor without a proof',
      async () => ({ authorization: `DPoP ${client.token}` }),
      'DPoP error="invalid_dpop_proof"',
      'missing',
    ],
    [
      'nor with the same proof again',
      async () => ({ authorization: `DPoP ${client.token}`, dpop: client.proofs.at(-1) ?? '' }),
      'DPoP error="invalid_dpop_proof"',
      'used before',
    ],
    [
      'nor with a proof by a key of their own',
      async () => {
        const own = await keyHolder()
        const nowSeconds = Date.now() / 1000
        const made = { method: 'POST', url, token: client.token, nonce, nowSeconds }
        return { authorization: `DPoP ${client.token}`, dpop: await own.prove(made) }
      },
      'DPoP error="invalid_dpop_proof"',
      'not the one that the token is bound to',
    ],
    [
      'nor with a token of their own that is not bound, and that proof',
      async () => ({
        authorization: `DPoP ${await provider.machineToken(url)}`,
        dpop: client.proofs.at(-1) ?? '',
      }),
      'DPoP error="invalid_token"',
      'bound to no key',
    ],
    [
      'nor with a token that nobody has signed',
      async () => ({
        authorization: `DPoP ${client.token.slice(0, -4)}AAAA`,
        dpop: client.proofs.at(-1) ?? '',
      }),
      'DPoP error="invalid_token"',
      'signature is wrong',
    ],
  ])('%s', async (_name, headers, begins, says) => {
    const refused = await as(await headers())
    expect([refused.status, challengeOf(refused)]).toEqual([
      401,
      expect.stringMatching(new RegExp(`^${begins}`)),
    ])
    expect(challengeOf(refused)).toContain(says)
    expect(refused.headers.get('dpop-nonce')).toMatch(/^[\w-]{22}$/)
  })

  test('two proofs are refused as a whole', async () => {
    const proofs = client.proofs.slice(-2).map((proof) => `DPoP: ${proof}`)
    const refused = await knock(url, [`Authorization: DPoP ${client.token}`, ...proofs])
    expect([refused.status, refused.body]).toEqual([
      400,
      expect.stringContaining('the dpop header came twice'),
    ])
  })
})

test('at another replica a text is none, nor a proof that was made with it: the client is told the right one', async () => {
  const named = 'https://mcp.tools.example/mcp'
  const flags = ['--oidc-issuers', provider.url, '--oidc-dpop', 'accepted', '--public-url', named]
  const replicas = [await run(flags), await run(flags)] as const
  let at = 0
  const client = await boundClient(provider.url, named, (_url, init) =>
    fetch(replicas[at]?.ready ?? '', init),
  )
  const open = async (replica: number): Promise<number> => {
    at = replica
    return (await initialize(client, named)).status
  }
  expect([await open(0), await open(0), client.told()]).toEqual([200, 200, 1])
  const refused = await fetch(replicas[1].ready, {
    method: 'POST',
    headers: {
      ...JSON_HEADERS,
      authorization: `DPoP ${client.token}`,
      dpop: client.proofs.at(-1) ?? '',
    },
    body: INITIALIZE,
  })
  expect([refused.status, challengeOf(refused)]).toEqual([
    401,
    expect.stringMatching(/^DPoP error="use_dpop_nonce"/),
  ])
  expect([await open(1), client.told()]).toEqual([200, 2])
  await Promise.all(replicas.map(({ stop }) => stop()))
})

test('beside them a token that is bound to nothing is served by Bearer', async () => {
  const plain = await as({ authorization: `Bearer ${await provider.machineToken(url)}` })
  expect([plain.status, plain.headers.get('dpop-nonce')]).toEqual([200, null])
})

test('who has nothing yet is told of both ways', async () => {
  const refused = await as({})
  expect(challengeOf(refused)).toMatch(/^Bearer resource_metadata="[^"]*", DPoP algs="[^"]*", /)
  const place = new URL('/.well-known/oauth-protected-resource', url)
  expect(await (await fetch(place)).json()).toMatchObject({
    dpop_signing_alg_values_supported: expect.arrayContaining(['ES256', 'EdDSA']),
  })
})

describe('behind a TLS proxy, where each token must be bound', () => {
  let proxy: TlsProxy
  let behind: Running

  beforeAll(async () => {
    proxy = await tlsProxy('mcp.tools.example', '/team-a/search')
    const flags = ['--oidc-issuers', provider.url, '--oidc-dpop', 'required']
    const tls = ['--tls-cert', proxy.certFile, '--tls-key', proxy.keyFile]
    behind = await run([...flags, ...tls, '--public-url', proxy.url])
    await proxy.start(Number(new URL(behind.ready).port))
  })

  afterAll(async () => {
    await proxy.stop()
    await behind.stop()
  })

  test('a proof names the URL that its client knows', async () => {
    const client = await boundClient(provider.url, proxy.url, proxy.fetch)
    const opened = await initialize(client, proxy.url)
    expect(opened.status).toBe(200)
    const session = opened.headers.get('mcp-session-id') ?? ''
    const headers = { ...JSON_HEADERS, 'mcp-session-id': session }
    const pinged = await client.fetch(proxy.url, { method: 'POST', headers, body: rpc('ping', {}) })
    expect(pinged.status).toBe(200)
    const gone = await client.fetch(proxy.url, {
      method: 'DELETE',
      headers: { 'mcp-session-id': session },
    })
    expect(gone.status).toBe(204)
  })

  test('a proof for the URL behind the proxy is none', async () => {
    const inner = behind.ready
    const client = await boundClient(provider.url, proxy.url, (_url, init) =>
      proxy.fetch(proxy.url, init),
    )
    const refused = await initialize(client, inner).catch((error: unknown) => error)
    expect(JSON.stringify(refused)).toContain('htu')
  })

  test('a token that is bound to nothing is refused', async () => {
    const token = await provider.machineToken(proxy.url)
    const refused = await proxy.fetch(proxy.url, {
      method: 'POST',
      headers: { ...JSON_HEADERS, authorization: `Bearer ${token}` },
      body: INITIALIZE,
    })
    expect(refused.status).toBe(401)
    expect(challengeOf(refused)).toMatch(/^DPoP error="invalid_token", .*must be bound to a key/)
    expect(challengeOf(refused)).not.toContain('Bearer ')
  })
})

describe('of tokens that only their issuer can read', () => {
  let holder: Holder
  let issuers: Issuers
  let asking: Running
  let folder: string

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'outrigger-dpop-'))
    writeFileSync(join(folder, 'client-id'), 'sidecar')
    writeFileSync(join(folder, 'client-secret'), 'secret')
    holder = await keyHolder()
    const answer = () => ({
      active: true,
      token_type: 'DPoP',
      sub: 'ada',
      aud: asking.ready,
      exp: Math.floor(Date.now() / 1000) + 300,
      cnf: { jkt: holder.jkt },
    })
    const introspect = (response: ServerResponse) => response.end(JSON.stringify(answer()))
    issuers = await startIssuers({ one: { introspect } }, [])
    asking = await run([
      `--oidc-issuers=${issuers.urlOf('one')}`,
      `--introspection-url=${issuers.urlOf('one')}/introspect`,
      `--introspection-credentials=${folder}`,
      '--oidc-dpop=accepted',
    ])
  })

  afterAll(async () => {
    await asking.stop()
    await issuers.close()
    rmSync(folder, { recursive: true })
  })

  test('one that is bound is served with its proof alone', async () => {
    const token = 'opaque'
    const send = (headers: Record<string, string>): Promise<Response> =>
      fetch(asking.ready, {
        method: 'POST',
        headers: { ...JSON_HEADERS, ...headers },
        body: INITIALIZE,
      })
    const stolen = await send({ authorization: `Bearer ${token}` })
    expect([stolen.status, challengeOf(stolen)]).toEqual([
      401,
      expect.stringContaining('bring it by the scheme DPoP'),
    ])
    const dpop = await holder.prove({
      method: 'POST',
      url: asking.ready,
      token,
      nonce: stolen.headers.get('dpop-nonce') ?? '',
      nowSeconds: Date.now() / 1000,
    })
    const statuses = [
      await send({ authorization: `DPoP ${token}`, dpop }),
      await send({ authorization: `DPoP ${token}`, dpop }),
    ].map(({ status }) => status)
    expect(statuses).toEqual([200, 401])
  })
})
