// TLS where clients call: what is shown, what becomes of those that do not shake hands, and of changed files.

import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { request } from 'node:https'
import { connect as connectPlain, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type ConnectionOptions } from 'node:tls'
import { createLog } from '../../../shared/log.ts'
import { closed, type Listener } from '../../../sidecar/http/listen.ts'
import { startTls, type Tls } from '../../../sidecar/tls/start-tls.ts'
import { anAuthority, issue, type Issued } from '../../support/certificates.ts'
import { fakeMetrics, type FakeMetrics } from '../../support/fake-metrics.ts'
import { listening, portOf } from '../../support/listening.ts'
import { sendRaw } from '../../support/raw-http.ts'
import { readAll, until, within } from '../../support/waiting.ts'

const DAY_MS = 86_400_000
let authority: Issued
let first: Issued
let second: Issued

let folder: string
let files: { certFile: string; keyFile: string }
let lines: string[]
let wallMs: number
let fake: FakeMetrics
let tls: Tls | undefined
let listener: Listener | undefined
let port: number
/** What connections have held that have ended. */
let freed: number
const sockets: Socket[] = []

const log = createLog({ level: 'info', write: (line) => lines.push(line), now: () => 0 })
const told = (text: string) => until(() => lines.some((line) => line.includes(text)), text)
/** Each at once: it may be read at any moment. */
const put = ({ cert, key }: Issued) => {
  for (const [file, text] of [
    [files.certFile, cert],
    [files.keyFile, key],
  ] as const) {
    writeFileSync(`${file}.next`, text)
    renameSync(`${file}.next`, file)
  }
}
const begin = async (handshakeMs = 10_000, publicUrl?: string) => {
  tls = await startTls(files, {
    log,
    wallMs: () => wallMs,
    metrics: fake.metrics,
    onFreed: (bytes) => (freed += bytes),
    handshakeMs,
    publicUrl,
  })
  listener = tls.before(createServer((_request, response) => response.end('served')))
  await listening(listener)
  port = portOf(listener)
}

const warnings = (): string[] => lines.filter((line) => line.includes('bears'))

/** The certificate that is shown, and what is answered. */
const call = (more: ConnectionOptions = {}) =>
  within(
    new Promise<string>((resolve, reject) => {
      const asked = request(
        {
          port,
          host: '127.0.0.1',
          servername: 'tools.example',
          ca: authority.cert,
          agent: false,
          ...more,
        },
        (response) => {
          const { socket } = response
          const name = 'getPeerCertificate' in socket ? 'TLS' : 'plain'
          response.setEncoding('utf8').on('data', (text: string) => resolve(`${name}: ${text}`))
        },
      )
      asked.on('error', reject)
      asked.end()
    }),
    () => 'an answer',
  )
const shown = async (): Promise<string> => {
  const socket = connect({
    port,
    host: '127.0.0.1',
    servername: 'tools.example',
    ca: authority.cert,
  })
  await within(once(socket, 'secureConnect'), () => 'a handshake')
  const { CN } = socket.getPeerCertificate().subject
  socket.destroy()
  return String(CN)
}
const silent = async (): Promise<Socket> => {
  const socket = connectPlain(port, '127.0.0.1')
  sockets.push(socket)
  await once(socket, 'connect')
  return socket
}
const counted = async (outcome: string): Promise<number> => {
  const text = await fake.text()
  return Number(
    new RegExp(`tls_handshakes_total{outcome="${outcome}"} (\\d+)`).exec(text)?.[1] ?? 0,
  )
}

beforeAll(() => {
  authority = anAuthority()
  const leaf = (commonName: string) =>
    issue({ commonName, names: ['tools.example'], by: authority })
  first = leaf('first')
  second = leaf('second')
})
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'outrigger-tls-'))
  files = { certFile: join(folder, 'tls.crt'), keyFile: join(folder, 'tls.key') }
  lines = []
  freed = 0
  wallMs = Date.now()
  fake = fakeMetrics()
})
afterEach(async () => {
  tls?.close()
  for (const socket of sockets.splice(0)) socket.destroy()
  if (listener) await closed(listener, 0)
  tls = undefined
  listener = undefined
  rmSync(folder, { recursive: true })
})

describe('a client', () => {
  beforeEach(() => put(first))

  test('is served over TLS', async () => {
    await begin()
    expect(await call()).toBe('TLS: served')
    expect(await call()).toBe('TLS: served')
    expect(await shown()).toBe('first')
    expect(await counted('done')).toBeGreaterThanOrEqual(2)
  })

  test('that goes leaves memory, and that is told', async () => {
    await begin()
    expect(await call()).toBe('TLS: served')
    expect(await call()).toBe('TLS: served')
    await until(() => freed === 2 * 64 * 1024, 'both ends')
  })

  test.each([
    ['TLS 1.1', { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }],
    ['HTTP/2 alone', { ALPNProtocols: ['h2'] }],
    ['no cipher that is safe', { ciphers: 'NULL-SHA256@SECLEVEL=0', maxVersion: 'TLSv1.2' }],
  ] as const)('that has %s is refused', async (_what, options) => {
    await begin()
    const socket = connect({
      port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      ...options,
      ALPNProtocols: [...('ALPNProtocols' in options ? options.ALPNProtocols : [])],
    })
    const [error] = await within(once(socket, 'error'), () => 'a refusal')
    expect(String(error)).toMatch(/alert|EPROTO|ECONNRESET/)
    expect(await call()).toBe('TLS: served')
    expect(await counted('done')).toBe(1)
  })

  test('that speaks HTTP/2 or 1.1 gets 1.1', async () => {
    await begin()
    const socket = connect({
      port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      ALPNProtocols: ['h2', 'http/1.1'],
    })
    await within(once(socket, 'secureConnect'), () => 'a handshake')
    expect(socket.alpnProtocol).toBe('http/1.1')
    socket.destroy()
  })

  test.each([
    ['a request', 'POST /mcp HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}'],
    ['a large one', `POST /mcp HTTP/1.1\r\nhost: x\r\n\r\n${'x'.repeat(1_000_000)}`],
    ['its beginning', 'GET / HT'],
  ])('that sends %s of plain HTTP is told so', async (_what, bytes) => {
    await begin()
    const answer = await sendRaw(`http://127.0.0.1:${port}/`, bytes)
    expect(answer).toMatch(/^HTTP\/1.1 400 Bad Request\r\n/)
    expect(answer).toContain('this port speaks TLS: call it by https://')
    expect(answer).toContain('"tls-required"')
    expect(await counted('plain')).toBe(1)
  })

  test.each([
    ['byte by byte', 'POST /mcp HTTP/1.1\r\n'.split('')],
    ['with its method apart', ['GET', ' / HTTP/1.1\r\n']],
    ['with its longest method apart', ['OPTIONS', ' * HTTP/1.1\r\n']],
  ])('that sends plain HTTP %s is told so', async (_what, pieces) => {
    await begin()
    const socket = await silent()
    const end = readAll(socket)
    for (const piece of pieces) {
      socket.write(piece)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    expect(await end).toContain('this port speaks TLS: call it by https://')
    expect(await counted('plain')).toBe(1)
  })

  test.each([
    ['another protocol', 'SSH-2.0-x\r\n'],
    ['zeros', '\0'.repeat(100)],
    ['a record that is cut off, and leaves', '\x16\x03\x01'],
    ['a record that lies', `\x16\x03\x01\xff\xff${'x'.repeat(70_000)}`],
  ])('that sends %s is cut off, and others are served', async (_what, bytes) => {
    await begin()
    const socket = await silent()
    socket.on('error', () => socket.destroy())
    const end = readAll(socket)
    socket.end(Buffer.from(bytes, 'latin1'))
    await end
    expect(await call()).toBe('TLS: served')
    expect(await counted('failed')).toBe(1)
  })

  test.each([
    ['says nothing', []],
    ['says one byte', ['\x16']],
    ['says a byte now and then', ['\x16', '\x03', '\x01', '\x01']],
    ['begins to speak plain HTTP', ['PO', 'ST']],
  ])('that %s has so long, and no longer', async (_what, pieces) => {
    await begin(300)
    const socket = await silent()
    socket.on('error', () => socket.destroy())
    const end = readAll(socket)
    for (const piece of pieces) {
      socket.write(Buffer.from(piece, 'latin1'))
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    await end
    expect(await counted('late')).toBe(1)
  })

  test('gets through where hundreds say nothing: the oldest of those go', async () => {
    await begin()
    for (let index = 0; index < 300; index++) (await silent()).on('error', () => undefined)
    expect(await call()).toBe('TLS: served')
    expect(await counted('crowded')).toBe(45)
  })

  test('is let finish when the listener closes, and those that have not begun are not waited for', async () => {
    await begin()
    const waiting = await silent()
    const end = readAll(waiting)
    if (listener) await closed(listener, 60_000)
    await end
    listener = undefined
  })
})

describe('the names of the certificate', () => {
  test.each([
    ['https://tools.example/mcp', undefined],
    ['https://TOOLS.example:8443/mcp', undefined],
    ['https://first/mcp', 'first'],
    ['https://other.example/mcp', 'other.example'],
    ['https://[::1]/mcp', '::1'],
    ['https://127.0.0.1/mcp', '127.0.0.1'],
  ])('are held against the public URL %s', async (url, other) => {
    put(first)
    await begin(10_000, url)
    const words = `bears tools.example, and not ${other}, the host of public-url: clients that check it refuse it; have it made for that name too, unless a proxy shows clients another`
    expect(warnings()).toEqual(other === undefined ? [] : [expect.stringContaining(words)])
  })

  test('are held against those by which clients call: each is told once, and sixteen at most', async () => {
    put(first)
    await begin()
    const anyone = { ca: undefined, rejectUnauthorized: false }
    for (const servername of ['tools.example', 'search.team-a.svc', 'SEARCH.team-a.svc']) {
      await call({ ...anyone, servername })
    }
    expect(warnings()).toEqual([
      expect.stringContaining(
        'bears tools.example, and not search.team-a.svc, by which a client has called: clients that check it refuse it; have it made for that name too, or call by another',
      ),
    ])
    for (let index = 0; index < 30; index++) await call({ ...anyone, servername: `x${index}.y` })
    expect(warnings()).toHaveLength(16)
    put(second)
    await told('the certificate is read, and holds')
    await call({ ...anyone, servername: 'search.team-a.svc' })
    expect(warnings()).toHaveLength(17)
  })
})

describe('the files', () => {
  test.each([
    ['are not there', () => undefined, 'tls.crt: there is no such file'],
    ['are a folder', () => mkdirSync(files.certFile), 'tls.crt: it is a directory'],
    [
      'are too large',
      () => put({ cert: 'x'.repeat(1024 * 1024 + 1), key: '' }),
      'tls.crt: it exceeds 1048576 bytes',
    ],
    [
      'are of two',
      () => put({ cert: first.cert, key: authority.key }),
      'does not belong to the certificate (CN=first)',
    ],
  ])('that %s start nothing', async (_what, make, why) => {
    make()
    if (_what === 'are a folder') writeFileSync(files.keyFile, first.key)
    await expect(begin()).rejects.toThrow(why)
  })

  test('are read again: what is broken keeps the last good one, what is good is shown', async () => {
    put(first)
    await begin()
    put({ cert: second.cert, key: authority.key })
    await told('does not belong to the certificate (CN=second)')
    expect(await shown()).toBe('first')
    rmSync(files.keyFile)
    await told('tls.key: there is no such file')
    expect(await shown()).toBe('first')
    put(second)
    await told('the certificate is read, and holds')
    expect(await shown()).toBe('second')
    const metrics = await fake.text()
    expect(metrics).toContain('outrigger_tls_reloads_total{outcome="refused"} 2\n')
    expect(metrics).toContain('outrigger_tls_reloads_total{outcome="taken"} 1\n')
  })

  test('are one of a kind where a link swaps their folder, as a mounted Secret is', async () => {
    for (const [name, pair] of [
      ['one', first],
      ['two', second],
    ] as const) {
      mkdirSync(join(folder, name))
      writeFileSync(join(folder, name, 'tls.crt'), pair.cert)
      writeFileSync(join(folder, name, 'tls.key'), pair.key)
    }
    symlinkSync('one', join(folder, '..data'))
    for (const name of ['tls.crt', 'tls.key']) symlinkSync(`..data/${name}`, join(folder, name))
    await begin()
    symlinkSync('two', join(folder, '..next'))
    renameSync(join(folder, '..next'), join(folder, '..data'))
    await told('the certificate is read, and holds')
    expect(await shown()).toBe('second')
    expect(lines.filter((line) => line.includes('not taken'))).toEqual([])
  })

  test('that expire while they are shown are told, and shown until there are others', async () => {
    put(first)
    await begin()
    expect(tls?.weakness()).toBeUndefined()
    wallMs += 2 * DAY_MS
    expect(tls?.weakness()).toMatch(/tls.crt \(CN=first\) has expired at .*: clients refuse it$/)
    await told('has expired at')
    expect(await shown()).toBe('first')
  })
})
