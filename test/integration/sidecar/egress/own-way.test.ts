// What the sidecar asks for itself by a company's own proxy: a real one over TLS or without, and an origin behind it.

import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createPlain, type IncomingMessage, type Server } from 'node:http'
import { createServer as createTls } from 'node:https'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { egressSchema } from '../../../../shared/sidecar-config.ts'
import { openOwnWay } from '../../../../sidecar/egress/own-way.ts'
import { createFetchJson, type FetchRules } from '../../../../sidecar/identity/fetch-json.ts'
import { Names } from '../../../../sidecar/identity/names.ts'
import { anAuthority, issue, type Issued } from '../../../support/certificates.ts'
import { listening } from '../../../support/egress.ts'
import { until } from '../../../support/egress-tunnel.ts'
import { signed, signingKey } from '../../../support/issuer.ts'
import { CHECKOUT_CLI } from '../../../support/outrigger-run.ts'
import { startProgram } from '../../../support/running.ts'

const authority = anAuthority('the company')
const stranger = anAuthority('somebody else')
const origins = anAuthority('the origin')

let folder: string
let origin: Server
let originPort: number
let proxies: Server[]
let sockets: Socket[]
/** What proxies were asked: the line and who. */
let asked: string[]
let looked: string[]

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'own-way-'))
  writeFileSync(join(folder, 'username'), 'sidecar\n')
  writeFileSync(join(folder, 'password'), 'sesame\n')
  ;[proxies, sockets, asked, looked] = [[], [], [], []]
  const { cert, key } = issue({ names: ['idp.example'], by: origins })
  origin = createTls({ cert, key }, (request, response) => {
    response.end(JSON.stringify({ host: request.headers.host, path: request.url }))
  })
  originPort = await listening(origin)
})
afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  for (const server of [origin, ...proxies]) {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
  rmSync(folder, { recursive: true })
})

/** A proxy that leads everybody to the origin; with a certificate: over TLS. Its URL. */
const startProxy = async (own?: Issued, status = '200 OK'): Promise<string> => {
  const server = own ? createTls({ cert: own.cert, key: own.key }) : createPlain()
  proxies.push(server)
  server.on('connection', (socket: Socket) => sockets.push(socket))
  server.on('connect', (request: IncomingMessage, socket: Socket) => {
    asked.push(`${request.url} ${request.headers['proxy-authorization']}`)
    socket.on('error', () => undefined)
    socket.write(`HTTP/1.1 ${status}\r\n\r\n`)
    if (!status.startsWith('2')) return
    const upstream = connect(originPort, '127.0.0.1')
    sockets.push(upstream)
    upstream.on('error', () => undefined)
    upstream.on('close', () => socket.destroy())
    socket.on('close', () => upstream.destroy())
    socket.pipe(upstream).pipe(socket)
  })
  return `${own ? 'https' : 'http'}://127.0.0.1:${await listening(server)}`
}

interface Asking extends Partial<FetchRules> {
  readonly proxy: string
  readonly caFile?: string
  readonly hasCredentials?: boolean
}

const ask = async (
  url: string,
  { proxy, caFile, hasCredentials = true, ...rules }: Asking,
): ReturnType<ReturnType<typeof createFetchJson>> => {
  const parentProxy = { url: proxy, ...(hasCredentials ? { credentialsDir: folder } : {}) }
  const egress = egressSchema.parse({ parentProxy, ...(caFile === undefined ? {} : { caFile }) })
  const way = await openOwnWay(egress, () => performance.now())
  const names = new Names(async (name) => {
    looked.push(name)
    return ['127.0.0.1']
  })
  return createFetchJson(names, way)(url, {
    hosts: [{ host: new URL(url).host, reach: 'public' }],
    ca: origins.cert,
    signal: new AbortController().signal,
    ...rules,
  })
}

const fileWith = (pem: string): string => {
  const path = join(folder, 'ca.crt')
  writeFileSync(path, pem)
  return path
}

const KEYS = 'https://idp.example/keys?a=b'
const CREDENTIALS = `Basic ${Buffer.from('sidecar:sesame').toString('base64')}`
const found = { ok: true, value: { host: 'idp.example', path: '/keys?a=b' } }

test('a host of the internet is asked for by its name, and looked up there alone', async () => {
  expect(await ask(KEYS, { proxy: await startProxy() })).toEqual(found)
  expect(asked).toEqual([`idp.example:443 ${CREDENTIALS}`])
  expect(looked).toEqual([])
})

test('nothing is left open behind it', async () => {
  await ask(KEYS, { proxy: await startProxy() })
  await until(() => sockets.every(({ destroyed }) => destroyed), 'their end')
})

test('without credentials where there are none', async () => {
  expect(await ask(KEYS, { proxy: await startProxy(), hasCredentials: false })).toEqual(found)
  expect(asked).toEqual(['idp.example:443 undefined'])
})

describe('a proxy over TLS', () => {
  const own = (terms: { names: readonly string[] }, by = authority): Issued =>
    issue({ ...terms, by })

  test('is believed by its own authorities, and has the credentials then', async () => {
    const proxy = await startProxy(own({ names: ['127.0.0.1'] }))
    expect(await ask(KEYS, { proxy, caFile: fileWith(authority.cert) })).toEqual(found)
    expect(asked).toEqual([`idp.example:443 ${CREDENTIALS}`])
  })

  test.each([
    [
      'somebody else’s',
      () => own({ names: ['127.0.0.1'] }, stranger),
      /nobody who is trusted here/,
    ],
    ['another name’s', () => own({ names: ['127.0.0.2'] }), /is for another host/],
  ])('with %s certificate hears nothing', async (_name, certificate, words) => {
    const proxy = await startProxy(certificate())
    expect(await ask(KEYS, { proxy, caFile: fileWith(authority.cert) })).toEqual({
      ok: false,
      error: expect.stringMatching(words),
    })
    expect(asked).toEqual([])
  })

  test('by the usual authorities where none are named', async () => {
    const proxy = await startProxy(own({ names: ['127.0.0.1'] }))
    expect(await ask(KEYS, { proxy })).toMatchObject({ ok: false })
    expect(asked).toEqual([])
  })
})

test('what is behind it is believed as ever', async () => {
  const proxy = await startProxy()
  expect(await ask(KEYS, { proxy, ca: stranger.cert })).toEqual({
    ok: false,
    error: expect.stringMatching(/unable to verify/),
  })
  expect(await ask('https://other.example/', { proxy })).toEqual({
    ok: false,
    error: expect.stringMatching(/other\.example/),
  })
})

test.each([
  ['407 No', /it does not take the credentials of egress\.parentProxy/],
  ['403 Internal words', /it refuses it \(403\)/],
])('a proxy that answers %s is named', async (status, words) => {
  const outcome = await ask(KEYS, { proxy: await startProxy(undefined, status) })
  expect(outcome).toEqual({ ok: false, error: expect.stringMatching(words) })
  expect(JSON.stringify(outcome)).not.toContain('Internal words')
})

test('a sidecar asks for the keys of an issuer by it', async () => {
  const path = join(folder, 'config.yaml')
  const parentProxy = { url: await startProxy(), credentialsDir: folder }
  const issuer = { url: 'https://idp.example', ca: origins.cert, audiences: ['tools'] }
  writeFileSync(
    path,
    JSON.stringify({
      settings: { 'egress-mode': 'observe' },
      egress: { confinement: 'advisory', port: 0, parentProxy },
      issuers: [issuer],
    }),
  )
  const command = [process.execPath, 'test/fixtures/reaching-server.ts']
  const sidecar = await startProgram({
    command: process.execPath,
    args: [CHECKOUT_CLI, 'run', '--port', '0', '--config', path, '--', ...command],
    ready: /^outrigger: listening on (https?:\/\/\S+)$/m,
  })
  const claims = { iss: issuer.url, sub: 'alice', aud: 'tools', exp: Date.now() / 1000 + 60 }
  const token = await signed(claims, await signingKey('one'))
  const { status } = await fetch(sidecar.ready, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: '{}',
  })
  await sidecar.stop()
  // What the origin says is no metadata.
  expect([401, 503]).toContain(status)
  expect(new Set(asked)).toEqual(new Set([`idp.example:443 ${CREDENTIALS}`]))
}, 60_000)

test('who may lead elsewhere is reached directly', async () => {
  const proxy = await startProxy()
  const url = `https://idp.example:${originPort}/`
  const hosts = [{ host: `idp.example:${originPort}`, reach: 'loopback' as const }]
  expect(await ask(url, { proxy, hosts })).toMatchObject({ ok: true })
  expect(looked).toEqual(['idp.example'])
  expect(asked).toEqual([])
})

test.each(['https://169.254.169.254/', 'https://10.0.0.1/', 'https://[::ffff:169.254.169.254]/'])(
  '%s is asked for by nobody',
  async (url) => {
    expect(await ask(url, { proxy: await startProxy() })).toEqual({
      ok: false,
      error: 'its name leads to no address that may be asked',
    })
    expect(asked).toEqual([])
  },
)

test('an end before its time ends the wait for it', async () => {
  const silent = createPlain()
  proxies.push(silent)
  silent.on('connection', (socket: Socket) => sockets.push(socket))
  silent.on('connect', (request: IncomingMessage, socket: Socket) => {
    asked.push(request.url ?? '')
    socket.on('end', () => socket.destroy()).resume()
  })
  const leaving = new AbortController()
  const outcome = ask(KEYS, {
    proxy: `http://127.0.0.1:${await listening(silent)}`,
    signal: leaving.signal,
  })
  await until(() => asked.length === 1, 'the request')
  leaving.abort()
  expect(await outcome).toMatchObject({ ok: false })
  await until(() => sockets.every(({ destroyed }) => destroyed), 'their end')
})
