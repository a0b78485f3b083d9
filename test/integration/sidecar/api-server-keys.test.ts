// The API server's keys over real connections, from one that answers as none should: nothing is believed, the sidecar's own
// token goes nowhere else, and nobody waits without end.

import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createPlain, type ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { apiServerKeys } from '../../../sidecar/identity/api-server.ts'
import { createFetchJson, type FetchJson } from '../../../sidecar/identity/fetch-json.ts'
import { Names } from '../../../sidecar/identity/names.ts'
import { anAuthority, issue } from '../../support/certificates.ts'
import { listening } from '../../support/listening.ts'

/** For both documents together. */
const PROMISED_MS = 8000
const KEY = { kty: 'RSA', kid: 'a', n: 'x', e: 'AQAB' }

type Said = (response: ServerResponse) => unknown

const authority = anAuthority('cluster')
const serving = issue({ names: ['127.0.0.1'], by: authority })
const isDiscovery = (url: string | undefined): boolean =>
  url === '/.well-known/openid-configuration'

let dir: string
let server: string
let issuer: string
let discovery: Said
let keys: Said
/** Where a redirect would lead, and what came there. */
let elsewhere: string
let stolen: string[]

const api = createServer({ cert: serving.cert, key: serving.key }, (request, response) =>
  (isDiscovery(request.url) ? discovery : keys)(response),
)
const thief = createPlain((request, response) => {
  stolen.push(request.headers.authorization ?? 'nothing')
  response.end(JSON.stringify({ issuer, keys: [KEY] }))
})

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'outrigger-api-server-'))
  writeFileSync(join(dir, 'token'), 'of-the-sidecar')
  writeFileSync(join(dir, 'ca.crt'), authority.cert)
  server = `https://127.0.0.1:${await listening(api)}`
  elsewhere = `http://127.0.0.1:${await listening(thief)}/`
  issuer = 'https://kubernetes.default.svc.cluster.local'
  stolen = []
})

afterAll(async () => {
  for (const one of [api, thief]) {
    one.closeAllConnections()
    one.close()
    // oxlint-disable-next-line no-await-in-loop
    await once(one, 'close')
  }
  rmSync(dir, { recursive: true })
})

/** In a cluster its address is private; here it is on this machine. */
const fetchJson: FetchJson = (url, rules) =>
  createFetchJson(new Names(() => Promise.reject(new Error('no name is looked up'))))(url, {
    ...rules,
    hosts: rules.hosts.map(({ host }) => ({ host, reach: 'loopback' })),
  })

const fetched = () => apiServerKeys({ issuer, url: server, dir, fetchJson })

const says = (value: unknown): Said => {
  const text = JSON.stringify(value)
  return (response) => response.end(text)
}
const metadata = (): Said => says({ issuer, jwks_uri: elsewhere })
const redirects: Said = (response) => response.writeHead(307, { location: elsewhere }).end()
const refuses: Said = (response) => response.writeHead(403).end('{}')
const nothing: Said = () => undefined
const half: Said = (response) => response.writeHead(200).write('{"keys":')
const hugely: Said = (response) => response.end(`{"keys":["${'x'.repeat(300_000)}"]}`)
const hangsUp: Said = (response) => response.destroy()
const slowly: Said = (response) => {
  const timer = setInterval(() => response.write(' '), 200)
  response.once('close', () => clearInterval(timer))
}

test('keys are had of where the API server is, whatever address it names for them', async () => {
  discovery = metadata()
  keys = says({ keys: [KEY] })
  expect(await fetched()).toEqual({ ok: true, value: [KEY] })
  expect(stolen).toEqual([])
})

test.each<[string, () => Said, Said, RegExp]>([
  ['is redirected', () => redirects, nothing, /openid-configuration: it answered 307; redirects/],
  ['may not ask', () => refuses, nothing, /openid-configuration: it answered 403/],
  [
    'is told of another issuer',
    () => says({ issuer: 'https://evil' }),
    nothing,
    /is https:\/\/evil/,
  ],
  ['is told a list', () => says([]), nothing, /no JSON object/],
  ['is told too much', () => hugely, nothing, /longer than 262144 bytes/],
  ['is cut off', () => hangsUp, nothing, /hang up|ECONNRESET/],
  ['is told nothing', () => nothing, nothing, /nothing whole has come in time/],
  ['is told it piece by piece', () => slowly, nothing, /nothing whole has come in time/],
  ['is redirected to keys', metadata, redirects, /jwks: it answered 307; redirects/],
  ['is told no keys', metadata, says({ keys: {} }), /jwks: it holds no keys/],
  ['is told too many of them', metadata, hugely, /jwks: its answer is longer/],
  ['is told half of them', metadata, half, /jwks: nothing whole has come in time/],
])(
  'there are none, and the token goes nowhere, where the sidecar %s',
  async (_name, first, second, says) => {
    discovery = first()
    keys = second
    const began = performance.now()
    const found = await fetched()
    expect(found).toEqual({ ok: false, error: expect.stringMatching(says) })
    expect(performance.now() - began).toBeLessThan(PROMISED_MS * 2)
    expect(stolen).toEqual([])
  },
)

test('there are none of a server whose certificate another authority has signed', async () => {
  writeFileSync(join(dir, 'ca.crt'), anAuthority('evil').cert)
  discovery = metadata()
  keys = says({ keys: [KEY] })
  expect(await fetched()).toMatchObject({ ok: false })
  expect(await fetched()).toEqual({ ok: false, error: expect.stringMatching(/certificate|issuer/) })
})
