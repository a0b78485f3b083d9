// A token goes no further than the sidecar: neither it nor a part of it stands in a log line, an error, a trace, a header or
// body that reaches a server, a child's environment or arguments.

import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { createServer, type Server } from 'node:http'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import { startLocalSidecar, type LocalSidecar } from '../../../cli/run/local-sidecar.ts'
import { parseSidecarConfig, type SidecarDocument } from '../../../shared/sidecar-config.ts'
import { startCollector, type Collector } from '../../support/collector.ts'
import {
  signed,
  signingKey,
  startIssuer,
  type FakeIssuer,
  type SigningKey,
} from '../../support/issuer.ts'
import { keptLog, type KeptLog } from '../../support/kept-log.ts'
import { listening } from '../../support/listening.ts'
import { rpc } from '../../support/puppet.ts'
import { INITIALIZE, JSON_HEADERS, messageIn, send } from '../../support/raw-http.ts'

const TELLING = [
  process.execPath,
  '--no-warnings',
  fileURLToPath(new URL('../../fixtures/telling-server.ts', import.meta.url)),
]
/** What claims say that nobody but the sidecar is to read. */
const SECRET = 'a-claim-of-nobodys-business'

let key: SigningKey
let issuer: FakeIssuer
let collector: Collector
let kept: KeptLog
let local: LocalSidecar | undefined
/** A server over HTTP, and all that it was sent. */
let server: Server
let port: number
let sent: string[]

beforeEach(async () => {
  key = await signingKey('one')
  issuer = await startIssuer([key.publicJwk])
  collector = await startCollector()
  kept = keptLog()
  sent = []
  server = createServer((request, response) => {
    sent.push(`${request.method} ${request.url} ${request.rawHeaders.join(' ')}`)
    request.setEncoding('utf8')
    let body = ''
    request.on('data', (text: string) => {
      body += text
    })
    request.on('end', () => {
      sent.push(body)
      const [, id] = /"id":(\d+)/.exec(body) ?? []
      const result = body.includes('"initialize"')
        ? {
            protocolVersion: '2025-06-18',
            capabilities: {},
            serverInfo: { name: 's', version: '1' },
          }
        : { content: [] }
      if (id === undefined) response.writeHead(202).end()
      else {
        response.setHeader('content-type', 'application/json')
        response.end(JSON.stringify({ jsonrpc: '2.0', id: Number(id), result }))
      }
    })
  })
  port = await listening(server)
})

afterEach(async () => {
  await local?.close()
  local = undefined
  server.closeAllConnections()
  server.close()
  await collector.close()
  await issuer.close()
})

test.each<[string, boolean]>([
  ['over pipes', false],
  ['over HTTP', true],
])('a server %s, its log and its clients learn nothing of a token', async (_name, isHttp) => {
  const document: SidecarDocument = {
    settings: isHttp
      ? { transport: 'http', port: `${port}`, path: '/mcp', 'forward-headers': 'X-Own' }
      : { transport: 'stdio' },
    host: '127.0.0.1',
    port: 0,
    adminPort: 0,
    isolation: 'advisory',
    // Of one process they can be started once.
    ...(isHttp ? {} : { traces: { endpoint: collector.url, sampleRatio: 1 } }),
    issuers: [{ url: issuer.url, hosts: [{ host: new URL(issuer.url).host, reach: 'loopback' }] }],
  }
  const config = parseSidecarConfig(document)
  if (!config.ok) throw new Error(config.error.join('\n'))
  const command = isHttp ? ['sleep', '3600'] : TELLING
  const about = { command, environment: process.env, usesShim: !isHttp }
  local = await startLocalSidecar(config.value, about, { log: kept.log, serverLog: kept.log })
  await local.sidecar.ready
  const url = `http://127.0.0.1:${local.sidecar.port}/mcp`
  const claims = {
    iss: issuer.url,
    sub: 'ada',
    aud: url,
    exp: Math.floor(Date.now() / 1000) + 300,
    jti: SECRET,
  }
  const token = await signed(claims, key)
  const wrong = `${token.slice(0, -4)}AAAA`
  const old = await signed({ ...claims, exp: 1 }, key)
  const as = (one: string) => ({
    ...JSON_HEADERS,
    authorization: `Bearer ${one}`,
    'x-own': 'mine',
  })
  const opened = await send(url, INITIALIZE, as(token))
  expect([opened.status, messageIn(opened)]).toEqual([200, expect.stringContaining('"result"')])
  const session = { 'mcp-session-id': String(opened.headers['mcp-session-id']) }
  const call = rpc('tools/call', { name: 'tell', _meta: { progressToken: 'p' } }, 2)
  const told = await send(url, call, { ...as(token), ...session })
  expect(told.status).toBe(200)
  const refused = [await send(url, call, as(wrong)), await send(url, call, as(old))]
  expect(refused.map(({ status }) => status)).toEqual([401, 401])
  const query = await send(`${url}?access_token=${token}`, call, JSON_HEADERS)
  expect(query.status).toBe(400)
  if (!isHttp) await collector.find(({ name }) => name === 'tools/call tell', 'the call')
  const all = [
    ...kept.lines,
    ...sent,
    ...[opened, told, ...refused, query].map((reply) => JSON.stringify(reply)),
    inspect(collector.spans, { depth: null }),
  ].join('\n')
  // What is looked through is what was to be seen.
  expect(all).toContain(isHttp ? 'mine' : 'argv')
  const parts = [token, wrong, old].flatMap((one) => one.split('.'))
  for (const secret of [...parts, SECRET, 'eyJ']) expect(all).not.toContain(secret)
})
