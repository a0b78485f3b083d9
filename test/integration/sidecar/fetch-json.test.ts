// One document of an issuer's: from where it may come, and what of it is taken.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createFetchJson, type AllowedHost } from '../../../sidecar/identity/fetch-json.ts'
import { Names } from '../../../sidecar/identity/names.ts'
import { listening } from '../../support/listening.ts'

let server: Server
let port: number
let asked: string[]
let answer: (request: IncomingMessage, response: ServerResponse) => void

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(`${request.headers.host} ${request.url}`)
    answer(request, response)
  })
  port = await listening(server)
})

afterAll(async () => {
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
})

beforeEach(() => {
  asked = []
  answer = (_request, response) => response.end('{"a":1}')
})

const fetchJson = createFetchJson(
  new Names(async (name) => {
    if (name === 'nowhere.example') throw new Error(`getaddrinfo ENOTFOUND ${name}`)
    if (name === 'hangs.example') return new Promise(() => undefined)
    if (name === 'rebound.example') return ['169.254.169.254', '::ffff:127.0.0.1']
    if (name === 'two.example') return ['169.254.169.254', '127.0.0.2', '127.0.0.1']
    return name === 'private.example' ? ['10.0.0.1'] : ['127.0.0.1']
  }),
)

const NEVER = new AbortController().signal

const get = (host: string, path = '/', reach: AllowedHost['reach'] = 'loopback') =>
  fetchJson(`http://${host}:${port}${path}`, {
    hosts: [{ host: `${host}:${port}`, reach }],
    signal: NEVER,
  })

test('a document comes by the name and with the query that the URL has', async () => {
  expect(await get('idp.example', '/keys?tenant=a%20b')).toEqual({ ok: true, value: { a: 1 } })
  expect(asked).toEqual([`idp.example:${port} /keys?tenant=a%20b`])
})

test('a key set comes from who has it by its own media type alone', async () => {
  answer = (request, response) => {
    const isFor = (request.headers.accept ?? '').split(/, */).includes('application/jwk-set+json')
    response.writeHead(isFor ? 200 : 406, { 'content-type': 'application/jwk-set+json' })
    response.end('{"keys":[]}')
  }
  expect(await get('idp.example')).toEqual({ ok: true, value: { keys: [] } })
})

test('the first address that may be asked and answers is taken', async () => {
  expect(await get('two.example')).toEqual({ ok: true, value: { a: 1 } })
})

describe('nobody is asked', () => {
  const hosts = (host: string): readonly AllowedHost[] => [{ host, reach: 'private' }]

  test.each<[string, string, readonly AllowedHost[], RegExp]>([
    ['at a host that is not listed', 'https://evil.example/', hosts('idp.example'), /not among/],
    ['at another port', 'https://idp.example:8443/', hosts('idp.example'), /not among/],
    ['with a password', 'https://a:b@idp.example/', hosts('idp.example'), /no http or https URL/],
    ['by another scheme', 'file:///etc/passwd', hosts(''), /no http or https URL/],
    ['without a URL', 'keys', hosts('keys'), /no http or https URL/],
    ['by http over a network', 'http://private.example/', hosts('private.example'), /https is/],
    ['at this machine', 'https://idp.example/', hosts('idp.example'), /no address that may/],
    ['at another name for it', 'https://[::1]/', hosts('[::1]'), /no address that may/],
    ['at a metadata address', 'http://169.254.169.254/', hosts('169.254.169.254'), /no address/],
    ['at it in another spelling', 'http://0xa9fea9fe/', hosts('169.254.169.254'), /no address/],
    ['by a name that leads there', 'https://rebound.example/', hosts('rebound.example'), /no addr/],
    ['by a name that is none', 'https://nowhere.example/', hosts('nowhere.example'), /ENOTFOUND/],
  ])('%s', async (_name, url, listed, says) => {
    const found = await fetchJson(url, { hosts: listed, signal: NEVER })
    expect(found).toEqual({ ok: false, error: expect.stringMatching(says) })
    expect(asked).toEqual([])
  })
})

describe('is not taken', () => {
  type Answer = (response: ServerResponse) => void
  test.each<[string, Answer, RegExp]>([
    ['another status', (response) => response.writeHead(500).end('{}'), /answered 500/],
    [
      'a redirect, which is not followed',
      (response) => response.writeHead(302, { location: '/elsewhere' }).end(),
      /answered 302; redirects are not followed/,
    ],
    ['what is no JSON', (response) => response.end('<secret>'), /^its answer is no JSON object$/],
    ['a list', (response) => response.end('[]'), /no JSON object/],
    ['what is too long', (response) => response.end('['.repeat(300_000)), /longer than 262144/],
    [
      'what breaks off',
      (response) => response.write('{', () => response.destroy()),
      /aborted|hang/,
    ],
    [
      'a head without end',
      (response) => response.writeHead(200, { a: 'x'.repeat(20_000) }).end('{}'),
      /Parse Error|overflow/i,
    ],
  ])('%s', async (_name, write, says) => {
    answer = (_request, response) => write(response)
    expect(await get('idp.example')).toEqual({ ok: false, error: expect.stringMatching(says) })
    expect(asked).toHaveLength(1)
  })
})

describe('ends with its time', () => {
  test.each([
    ['an issuer that is silent', 'idp.example'],
    ['a name server that is', 'hangs.example'],
  ])('%s', async (_name, host) => {
    answer = () => undefined
    const late = new AbortController()
    const found = fetchJson(`http://${host}:${port}/`, {
      hosts: [{ host: `${host}:${port}`, reach: 'loopback' }],
      signal: late.signal,
    })
    late.abort()
    expect(await found).toEqual({ ok: false, error: 'nothing whole has come in time' })
  })

  test('a name server that is silent, when that time was over before it was asked', async () => {
    const found = await fetchJson('https://hangs.example/', {
      hosts: [{ host: 'hangs.example', reach: 'public' }],
      signal: AbortSignal.abort(),
    })
    expect(found).toEqual({ ok: false, error: 'nothing whole has come in time' })
  })
})
