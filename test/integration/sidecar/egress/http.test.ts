// The proxy over HTTP, byte for byte: what goes through and how it goes on, and what no two readers may take for two things.

import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import {
  AUTHORIZATION,
  listening,
  startEgress,
  talk,
  type Harness,
} from '../../../support/egress.ts'
import { until } from '../../../support/egress-tunnel.ts'

let origin: Server
let harness: Harness
let originPort = 0
let requests: { readonly request: IncomingMessage; readonly body: string }[] = []

beforeEach(async () => {
  requests = []
  origin = createServer((request, response) => {
    let body = ''
    request.setEncoding('latin1')
    request.on('data', (piece: string) => (body += piece))
    request.on('end', () => {
      requests.push({ request, body })
      if (request.url === '/odd') {
        response.writeHead(200, 'Fine', [
          'Set-Cookie',
          'a=1',
          'Set-Cookie',
          'b=2',
          'X-Outrigger-Egress',
          'forged',
          'Proxy-Authenticate',
          'Basic realm="x"',
          'Connection',
          'x-gone',
          'X-Gone',
          '1',
        ])
      }
      response.end('answer')
    })
  })
  const port = await listening(origin)
  originPort = port
  harness = await startEgress({
    egress: 'ok.example:80,ok.example:8080,ok.example:443,*.wild.example:80,[2606:4700::1]:80',
    names: { 'ok.example': ['93.184.216.34'], 'a.wild.example': ['93.184.216.34'] },
    hosts: {
      '93.184.216.34:80': port,
      '93.184.216.34:8080': port,
      '[2606:4700::1]:80': port,
      '2606:4700::1:80': port,
    },
  })
})

afterEach(() => {
  harness.close()
  origin.closeAllConnections()
  origin.close()
})

const lines = (...text: readonly string[]): string => `${text.join('\r\n')}\r\n\r\n`
const CLOSE = 'Connection: close'

const get = (...text: readonly string[]): Promise<string> =>
  talk(harness.port, lines(...text, AUTHORIZATION, CLOSE))

const statusOf = (reply: string): string => reply.slice(9, 12)

describe('what goes through', () => {
  test.each([
    ['a name', 'http://ok.example/a?b=c', 'ok.example', ['/a?b=c', 'ok.example']],
    ['in capitals', 'HTTP://OK.Example/a', 'OK.example', ['/a', 'ok.example']],
    ['with the usual port', 'http://ok.example:80/a', 'ok.example:80', ['/a', 'ok.example']],
    ['with another', 'http://ok.example:8080/a', 'ok.example:8080', ['/a', 'ok.example:8080']],
    ['with a dot at its end', 'http://ok.example./a', 'ok.example.', ['/a', 'ok.example.']],
    ['without a path', 'http://ok.example', 'ok.example', ['/', 'ok.example']],
    ['with a query alone', 'http://ok.example?a', 'ok.example', ['/?a', 'ok.example']],
    ['below a pattern', 'http://a.wild.example/', 'a.wild.example', ['/', 'a.wild.example']],
    ['an address', 'http://[2606:4700::1]/', '[2606:4700::1]', ['/', '[2606:4700::1]']],
  ])('%s', async (_name, url, host, [path, authority]) => {
    const reply = await get(`GET ${url} HTTP/1.1`, `Host: ${host}`)
    expect(statusOf(reply)).toBe('200')
    const [{ request } = {}] = requests
    expect([request?.url, request?.headers.host]).toEqual([path, authority])
  })

  test('fields of the connection stay, all others go on as they are', async () => {
    const reply = await get(
      'POST http://ok.example/odd HTTP/1.1',
      'Host: ok.example',
      'X-One: 1',
      'x-one: 2',
      'Connection: keep-alive, X-Private',
      'X-Private: 1',
      'Keep-Alive: timeout=5',
      'Proxy-Connection: keep-alive',
      'TE: trailers',
      'Upgrade: websocket',
      'X-Outrigger-Egress: forged',
    )
    const [{ request, body } = {}] = requests
    expect(request?.rawHeaders).toEqual([
      'Host',
      'ok.example',
      'X-One',
      '1',
      'x-one',
      '2',
      'Content-Length',
      '0',
      'Connection',
      'close',
    ])
    expect(body).toBe('')
    expect(reply).toMatch(/^HTTP\/1\.1 200 Fine\r\n/)
    expect(reply.match(/set-cookie: ./gi)).toHaveLength(2)
    expect(reply).not.toMatch(/forged|proxy-authenticate|x-gone/i)
  })

  test.each([
    ['by its length', ['Content-Length: 5'], 'hello'],
    ['in chunks', ['Transfer-Encoding: chunked'], '2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n'],
    ['in chunks of a GET', ['Transfer-Encoding: Chunked'], '5;x=y\r\nhello\r\n0\r\nA: b\r\n\r\n'],
  ])('a body %s', async (name, fields, body) => {
    const method = name.includes('GET') ? 'GET' : 'POST'
    const head = lines(
      `${method} http://ok.example/ HTTP/1.1`,
      'Host: ok.example',
      AUTHORIZATION,
      CLOSE,
      ...fields,
    )
    const reply = await talk(harness.port, head, body)
    expect(statusOf(reply)).toBe('200')
    expect(requests.map((one) => one.body)).toEqual(['hello'])
  })

  test('a body that waits to be wanted', async () => {
    const head = lines(
      'POST http://ok.example/ HTTP/1.1',
      'Host: ok.example',
      AUTHORIZATION,
      CLOSE,
      'Expect: 100-continue',
      'Content-Length: 5',
    )
    const reply = await talk(harness.port, head, 'hello')
    expect(reply).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/)
    expect(requests.map((one) => one.body)).toEqual(['hello'])
  })

  test('requests on one connection are judged one by one, also those that come at once', async () => {
    const one = (host: string, ...fields: readonly string[]): string =>
      lines(`GET http://${host}/ HTTP/1.1`, `Host: ${host}`, AUTHORIZATION, ...fields)
    const reply = await talk(
      harness.port,
      one('ok.example') + one('no.example') + one('ok.example') + one('a.wild.example', CLOSE),
    )
    expect([...reply.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual([
      '200',
      '403',
      '200',
      '200',
    ])
    expect(harness.told.lines).toEqual([
      'http ok.example:80 allowed',
      'http no.example:80 denied undeclared',
      'http ok.example:80 allowed',
      'http a.wild.example:80 allowed',
    ])
    expect(harness.looked).not.toContain('no.example')
  })
})

describe('what is refused', () => {
  test.each([
    ['another host in Host', 'GET http://ok.example/ HTTP/1.1', ['Host: other.example']],
    ['another port in Host', 'GET http://ok.example/ HTTP/1.1', ['Host: ok.example:8080']],
    ['Host twice', 'GET http://ok.example/ HTTP/1.1', ['Host: ok.example', 'Host: ok.example']],
    ['two hosts in Host', 'GET http://ok.example/ HTTP/1.1', ['Host: ok.example, b.example']],
    ['no Host', 'GET http://ok.example/ HTTP/1.1', []],
    ['an empty Host', 'GET http://ok.example/ HTTP/1.1', ['Host:']],
    ['white space before the colon', 'GET http://ok.example/ HTTP/1.1', ['Host : ok.example']],
    ['a folded line', 'GET http://ok.example/ HTTP/1.1', ['Host: ok.example', ' X: y']],
    ['a bare line feed', 'GET http://ok.example/ HTTP/1.1', ['Host: ok.example\nX: y']],
    ['a bare carriage return', 'GET http://ok.example/ HTTP/1.1', ['Host: ok.example\rX: y']],
    ['a zero byte', 'GET http://ok.example/ HTTP/1.1', ['Host: ok.example', 'X: a\0b']],
    [
      'a length and chunks',
      'POST http://ok.example/ HTTP/1.1',
      ['Host: ok.example', 'Content-Length: 5', 'Transfer-Encoding: chunked'],
    ],
    [
      'two lengths',
      'POST http://ok.example/ HTTP/1.1',
      ['Host: ok.example', 'Content-Length: 5', 'Content-Length: 6'],
    ],
    [
      'one length twice',
      'POST http://ok.example/ HTTP/1.1',
      ['Host: ok.example', 'Content-Length: 0', 'Content-Length: 0'],
    ],
    [
      'a length with a sign',
      'POST http://ok.example/ HTTP/1.1',
      ['Host: ok.example', 'Content-Length: +0'],
    ],
    [
      'chunks twice',
      'POST http://ok.example/ HTTP/1.1',
      ['Host: ok.example', 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'],
    ],
    [
      'another encoding',
      'POST http://ok.example/ HTTP/1.1',
      ['Host: ok.example', 'Transfer-Encoding: gzip, chunked'],
    ],
    [
      'an encoding that is none',
      'POST http://ok.example/ HTTP/1.1',
      ['Host: ok.example', 'Transfer-Encoding: xchunked'],
    ],
    [
      'chunks of HTTP/1.0',
      'POST http://ok.example/ HTTP/1.0',
      ['Host: ok.example', 'Transfer-Encoding: chunked'],
    ],
    ['a user in the target', 'GET http://ok.example@evil.example/ HTTP/1.1', ['Host: ok.example']],
    ['a backslash', 'GET http://evil.example\\ok.example/ HTTP/1.1', ['Host: ok.example']],
    ['a percent sign', 'GET http://ok%2eexample/ HTTP/1.1', ['Host: ok.example']],
    ['a fragment', 'GET http://ok.example/#a HTTP/1.1', ['Host: ok.example']],
    ['no port behind a colon', 'GET http://ok.example:/ HTTP/1.1', ['Host: ok.example']],
    ['a port too many', 'GET http://ok.example:80:80/ HTTP/1.1', ['Host: ok.example']],
    ['a port of six digits', 'GET http://ok.example:000080/ HTTP/1.1', ['Host: ok.example']],
    ['an address of old', 'GET http://0x7f.1/ HTTP/1.1', ['Host: 0x7f.1']],
    ['one number', 'GET http://2130706433/ HTTP/1.1', ['Host: 2130706433']],
    ['origin form', 'GET / HTTP/1.1', ['Host: ok.example']],
    ['asterisk form', 'OPTIONS * HTTP/1.1', ['Host: ok.example']],
    ['https in absolute form', 'GET https://ok.example/ HTTP/1.1', ['Host: ok.example']],
    ['ftp', 'GET ftp://ok.example/ HTTP/1.1', ['Host: ok.example']],
    ['a file', 'GET file:///etc/passwd HTTP/1.1', ['Host: ok.example']],
    ['high bytes', 'GET http://ok.example/\xff HTTP/1.1', ['Host: ok.example']],
    ['another version', 'GET http://ok.example/ HTTP/1.2', ['Host: ok.example']],
    ['a tab before the target', 'GET\thttp://ok.example/ HTTP/1.1', ['Host: ok.example']],
    ['plain HTTP on a TLS port', 'GET http://ok.example:443/ HTTP/1.1', ['Host: ok.example:443']],
    ['CONNECT without a port', 'CONNECT ok.example HTTP/1.1', ['Host: ok.example']],
    ['CONNECT to port 0', 'CONNECT ok.example:0 HTTP/1.1', ['Host: ok.example:0']],
    ['CONNECT to a URL', 'CONNECT http://ok.example:80 HTTP/1.1', ['Host: ok.example']],
    ['CONNECT with another Host', 'CONNECT ok.example:80 HTTP/1.1', ['Host: other.example:80']],
    [
      'CONNECT with two of them',
      'CONNECT ok.example:80 HTTP/1.1',
      ['Host: ok.example', 'Host: ok.example'],
    ],
    [
      'CONNECT with a body',
      'CONNECT ok.example:80 HTTP/1.1',
      ['Host: ok.example:80', 'Content-Length: 5'],
    ],
    [
      'CONNECT with chunks',
      'CONNECT ok.example:80 HTTP/1.1',
      ['Host: ok.example:80', 'Transfer-Encoding: chunked'],
    ],
    ['CONNECT with a user', 'CONNECT a@ok.example:80 HTTP/1.1', ['Host: ok.example:80']],
    ['a head without end', 'GET http://ok.example/ HTTP/1.1', [`X: ${'x'.repeat(20_000)}`]],
  ])('%s', async (_name, first, fields) => {
    const head = lines(first, AUTHORIZATION, ...fields, CLOSE)
    const reply = await talk(harness.port, Buffer.from(head, 'latin1'), 'hello')
    expect(reply).toMatch(/^HTTP\/1\.1 4(?:00|03|31) /)
    expect(requests).toEqual([])
    expect(harness.dialled).toEqual([])
  })

  test.each([
    ['https in absolute form', 'GET https://ok.example/a?token=secret', 'http ok.example'],
    ['its port', 'GET https://ok.example:8443?token=secret', 'http ok.example:8443'],
    ['an address', 'GET ftp://[2606:4700::1]:21/secret', 'http [2606:4700::1]:21'],
    ['another Host', 'GET http://other.example/#secret', 'http other.example'],
    ['a user', 'GET http://user:secret@ok.example/', 'http ?'],
    ['a user with a slash', 'GET http://user:5/secret@ok.example/', 'http ?'],
    ['a password for a port', 'GET http://user:secret/', 'http ?'],
    ['a port of six digits', 'GET http://ok.example:123456/', 'http ?'],
    ['more than a name', 'GET http://ok.example;token=secret/', 'http ?'],
    ['an encoded user', 'GET http://user%3asecret%40ok.example/', 'http ?'],
    ['origin form', 'GET /a?token=secret', 'http ?'],
    ['no host', 'GET file:///secret', 'http ?'],
    ['CONNECT to a URL', 'CONNECT http://ok.example:80/secret', 'connect ok.example:80'],
    ['CONNECT with a user', 'CONNECT user:secret@ok.example:80', 'connect ?'],
  ])('on record is host and port alone: %s', async (_name, first, shown) => {
    await get(`${first} HTTP/1.1`, 'Host: ok.example')
    expect(harness.told.lines).toEqual([`${shown}:0 denied malformed`])
  })

  test.each([
    ['a bare line feed at the end of a chunk', '5\nhello\r\n0\r\n\r\n'],
    ['a chunk that is longer than it says', '4\r\nhello\r\n0\r\n\r\n'],
    ['a size with a sign', '+5\r\nhello\r\n0\r\n\r\n'],
    ['a size in hex notation', '0x5\r\nhello\r\n0\r\n\r\n'],
    ['a size with white space', '5 \r\nhello\r\n0\r\n\r\n'],
    ['a line feed in an extension', '5;a=\n\r\nhello\r\n0\r\n\r\n'],
    ['a size beyond all', 'fffffffffffffffff\r\nhello\r\n0\r\n\r\n'],
  ])('in a body: %s', async (_name, body) => {
    const head = lines(
      'POST http://ok.example/ HTTP/1.1',
      'Host: ok.example',
      AUTHORIZATION,
      'Transfer-Encoding: chunked',
    )
    const smuggled = lines('GET http://ok.example/smuggled HTTP/1.1', 'Host: ok.example')
    await talk(harness.port, head, body, smuggled)
    expect(requests).toEqual([])
  })

  test('what follows a body is a request of its own, and needs to say who it is', async () => {
    const smuggled = lines('GET http://ok.example/smuggled HTTP/1.1', 'Host: ok.example')
    const reply = await talk(
      harness.port,
      lines(
        'POST http://ok.example/ HTTP/1.1',
        'Host: ok.example',
        AUTHORIZATION,
        'Content-Length: 5',
      ),
      `hello${smuggled}`,
      lines('GET http://ok.example/last HTTP/1.1', 'Host: ok.example', AUTHORIZATION, CLOSE),
    )
    expect(requests.map(({ request }) => request.url)).toEqual(['/', '/last'])
    expect([...reply.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual([
      '200',
      '407',
      '200',
    ])
  })

  test('what is said of it: where, why and what to do', async () => {
    const reply = await get('GET http://api.example.com/ HTTP/1.1', 'Host: api.example.com')
    expect(reply).toMatch(/\r\nX-Outrigger-Egress: undeclared\r\n/)
    expect(reply).toMatch(
      /\r\n\r\noutrigger: api\.example\.com:80 is not declared: add it to outrigger\.dev\/egress\n$/,
    )
  })
})

describe('what is observed', () => {
  test.each([
    ['plain HTTP on a TLS port', 'ok.example:443', ['observed', 'no-tls']],
    ['plain HTTP on another', 'ok.example:80', ['allowed', undefined]],
  ])('%s', async (_name, place, outcome) => {
    harness.close()
    harness = await startEgress(
      {
        egress: 'ok.example:80,ok.example:443',
        names: { 'ok.example': ['93.184.216.34'] },
        hosts: { '93.184.216.34:80': originPort, '93.184.216.34:443': originPort },
      },
      { mode: 'observe' },
    )
    const reply = await get(`GET http://${place}/ HTTP/1.1`, `Host: ${place}`)
    expect(statusOf(reply)).toBe('200')
    const settled = harness.told.attempts.flatMap((attempt) => attempt.settled)
    expect(settled.map(({ verdict, why }) => [verdict, why])).toEqual([outcome])
  })
})

describe('who is not known', () => {
  const authorized = (value: string): string => `Proxy-Authorization: ${value}`
  const basic = (text: string): string =>
    authorized(`Basic ${Buffer.from(text).toString('base64')}`)

  test.each([
    ['nothing', []],
    ['another secret', [basic('1:second')]],
    ['the start of the secret', [basic('1:firs')]],
    ['more than the secret', [basic('1:firstx')]],
    ['nobody', [basic('3:first')]],
    ['no secret', [basic('1:')]],
    ['no colon', [basic('1first')]],
    ['another scheme', [authorized('Bearer first')]],
    ['no base64', [authorized('Basic !!!')]],
    ['two of them', [basic('1:first'), basic('1:first')]],
    ['the field of an origin', [basic('1:first').replace('Proxy-', '')]],
  ])('%s', async (_name, fields) => {
    for (const first of ['GET http://ok.example/ HTTP/1.1', 'CONNECT ok.example:80 HTTP/1.1']) {
      const reply = await talk(
        harness.port,
        lines(
          first,
          first.startsWith('G') ? 'Host: ok.example' : 'Host: ok.example:80',
          ...fields,
          CLOSE,
        ),
      )
      expect(statusOf(reply)).toBe('407')
      expect(reply).toMatch(/\r\nProxy-Authenticate: Basic realm="outrigger"\r\n/)
      expect(reply).not.toMatch(/ok\.example/)
    }
    expect(harness.told.attempts).toEqual([])
    expect(harness.looked).toEqual([])
    await until(() => harness.proxy.connections === 0, 'their end')
    expect(harness.told.strangers).toHaveLength(2)
  })

  test('what no parser takes is told: of whom it is, where that is known', async () => {
    const odd = 'GET http://ok.example/ HTTP/1.1\r\nHost : ok.example\r\n\r\n'
    await talk(harness.port, odd)
    expect(harness.told.strangers).toEqual(['no-protocol'])
    const known = lines('GET http://ok.example/ HTTP/1.1', 'Host: ok.example', AUTHORIZATION)
    await talk(harness.port, known, odd)
    expect(harness.told.lines.at(-1)).toBe('http ?:0 denied malformed')
    expect(harness.told.strangers).toHaveLength(1)
  })

  test.each([
    ['a request', 'GET http://ok.example/ HTTP/1.1', 'Host: ok.example'],
    ['a tunnel', 'CONNECT ok.example:80 HTTP/1.1', 'Host: ok.example:80'],
  ])(
    'who asks for %s first without a word, and then names itself on that connection, was no stranger',
    async (_name, first, host) => {
      const socket = connect({ port: harness.port, host: '127.0.0.1' })
      let back = ''
      socket.on('data', (piece: Buffer) => (back += piece.toString('latin1')))
      socket.write(lines(first, host))
      await until(() => back.includes('the proxy wants the credentials of its URL'), 'the question')
      expect(back).not.toMatch(/Connection: close/i)
      socket.write(lines(first, host, AUTHORIZATION))
      await until(() => /HTTP\/1\.1 200/.test(back), 'what was asked for')
      const end = once(socket, 'close')
      socket.destroy()
      await end
      await until(() => harness.proxy.connections === 0, 'its end')
      expect(harness.told.strangers).toEqual([])
      expect(harness.told.attempts).toHaveLength(1)
    },
  )

  test('who never does is told once, when it goes; who asks again at once', async () => {
    const ask = lines('CONNECT ok.example:80 HTTP/1.1', 'Host: ok.example:80')
    const socket = connect({ port: harness.port, host: '127.0.0.1' })
    socket.on('error', () => undefined)
    const end = once(socket, 'close')
    let back = ''
    socket.on('data', (piece: Buffer) => (back += piece.toString('latin1')))
    const asked = async (many: number): Promise<void> => {
      socket.write(ask)
      await until(() => back.split('HTTP/1.1 407').length === many + 1, 'the question')
    }
    await asked(1)
    expect(harness.told.strangers).toEqual([])
    await asked(2)
    expect(harness.told.strangers).toEqual(['no-credential'])
    await asked(3)
    await end
    await until(() => harness.proxy.connections === 0, 'its end')
    expect(harness.told.strangers).toEqual(['no-credential', 'no-credential', 'no-credential'])
    expect(harness.told.attempts).toEqual([])
  })

  test('who does so on another connection has left the record of the first', async () => {
    const get = ['GET http://ok.example/ HTTP/1.1', 'Host: ok.example', CLOSE] as const
    expect(await talk(harness.port, lines(...get))).toMatch(/^HTTP\/1\.1 407/)
    await until(() => harness.told.strangers.length === 1, 'the record')
    expect(await talk(harness.port, lines(...get, AUTHORIZATION))).toMatch(/^HTTP\/1\.1 200/)
    await until(() => harness.proxy.connections === 0, 'its end')
    expect(harness.told.strangers).toEqual(['no-credential'])
    expect(harness.told.attempts).toHaveLength(1)
  })

  test('what follows a tunnel’s request at once is not read as another', async () => {
    const ask = lines('CONNECT ok.example:80 HTTP/1.1', 'Host: ok.example:80')
    const reply = await talk(
      harness.port,
      `${ask}${lines('GET http://ok.example/ HTTP/1.1', 'Host: ok.example', AUTHORIZATION)}`,
    )
    expect(reply.match(/HTTP\/1\.1/g)).toHaveLength(1)
    expect(harness.told.attempts).toEqual([])
    await until(() => harness.proxy.connections === 0, 'its end')
    expect(harness.told.strangers).toEqual(['no-credential'])
  })

  test('a credential that is taken back lets nobody in, in whatever words it did before', async () => {
    const known = new Set(['first'])
    const client = { key: '1', overBudget: () => false }
    const another = await startEgress(
      {},
      {
        whoIs: ({ secret }) => (known.has(secret) ? client : undefined),
      },
    )
    const ask = lines('CONNECT no.example:80 HTTP/1.1', 'Host: no.example:80', AUTHORIZATION)
    expect(await talk(another.port, ask)).toMatch(/^HTTP\/1\.1 403/)
    known.clear()
    const late = connect({ port: another.port, host: '127.0.0.1' })
    let back = ''
    late.on('data', (piece: Buffer) => (back += piece.toString('latin1')))
    late.write(ask)
    await until(() => back.startsWith('HTTP/1.1 407'), 'the question')
    expect(another.told.strangers).toEqual(['unknown-credential'])
    expect(another.told.attempts).toHaveLength(1)
    late.destroy()
    another.close()
  })

  test('a connection is one client’s to its end', async () => {
    const second = basic('2:second')
    const one = (credential: string, ...more: readonly string[]): string =>
      lines('GET http://ok.example/ HTTP/1.1', 'Host: ok.example', credential, ...more)
    const reply = await talk(harness.port, one(AUTHORIZATION), one(second, CLOSE))
    expect([...reply.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual([
      '200',
      '503',
    ])
  })
})
