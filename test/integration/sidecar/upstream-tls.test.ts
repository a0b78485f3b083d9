// A server that speaks TLS on its own port: by what its certificate is verified, and what is said where it is not.

import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import { createServer as createPlainServer, type Server as PlainServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createKeyPair } from '../../../certs/keys.ts'
import { createAuthority, signLeaf, type Authority, type Leaf } from '../../../certs/x509.ts'
import { startSidecarProgram, type Sidecar } from '../../support/pod.ts'
import { INITIALIZE, JSON_HEADERS, send } from '../../support/raw-http.ts'
import { listening, portOf } from '../../support/listening.ts'

const DAY_MS = 86_400_000

const template = async () => ({
  keys: await createKeyPair(),
  now: new Date(),
  serial: randomBytes(16),
  lifetimeMs: DAY_MS,
})

/** A certificate for names that nobody asks for here, as a Service's would be. */
const aLeaf = async (authority: Authority): Promise<Leaf> =>
  signLeaf(authority, { ...(await template()), names: ['tools.team.svc'] })

const RESULT = {
  protocolVersion: '2025-06-18',
  capabilities: {},
  serverInfo: { name: 'small', version: '1' },
}

describe('a server that speaks TLS', () => {
  let directory: string
  let leaf: Leaf
  let stranger: Authority
  let server: Server
  let plain: PlainServer
  let sidecar: Sidecar
  let port: number

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'outrigger-tls-'))
    leaf = await aLeaf(createAuthority(await template()))
    stranger = createAuthority(await template())
    server = createServer({ key: leaf.privateKeyPem, cert: leaf.certificatePem })
    plain = createPlainServer()
    for (const one of [server, plain]) {
      one.on('request', (request, response) => {
        let text = ''
        request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
        request.on('end', () => {
          if (!text.includes('"id"')) response.writeHead(202).end()
          else {
            const answer = { jsonrpc: '2.0', id: JSON.parse(text).id, result: RESULT }
            response.writeHead(200, { 'content-type': 'application/json' })
            response.end(JSON.stringify(answer))
          }
        })
      })
      await listening(one)
    }
    port = portOf(server)
  })

  afterEach(async () => {
    sidecar.kill()
    await sidecar.stop()
  })

  afterAll(() => {
    for (const one of [server, plain]) {
      one.closeAllConnections()
      one.close()
    }
    rmSync(directory, { recursive: true })
  })

  const start = async (settings: Readonly<Record<string, string>>): Promise<void> => {
    sidecar = await startSidecarProgram({
      settings: { transport: 'http', port: `${port}`, scheme: 'https', ...settings },
    })
  }

  const initialize = () => send(sidecar.url, INITIALIZE, JSON_HEADERS)

  const file = (name: string, text: string): string => {
    const path = join(directory, name)
    writeFileSync(path, text)
    return path
  }

  test('is served whatever its certificate where nothing is named', async () => {
    await start({})
    expect((await initialize()).status).toBe(200)
  })

  test.each<[string, () => string]>([
    ['its authority', () => leaf.authorityPem],
    ['its own certificate', () => leaf.certificatePem],
    ['its authority among others', () => leaf.authorityPem + stranger.certificatePem],
  ])('is served where the file holds %s', async (_name, pem) => {
    await start({ 'ca-file': file('ca.crt', pem()) })
    expect((await initialize()).status).toBe(200)
  })

  test.each<[string, () => string, string]>([
    [
      'holds another authority',
      () => file('other.crt', stranger.certificatePem),
      'must hold its certificate',
    ],
    ['is not there', () => join(directory, 'none.crt'), 'ca-file cannot be read: no such file'],
    [
      'is a directory',
      () => {
        mkdirSync(join(directory, 'd'), { recursive: true })
        return join(directory, 'd')
      },
      'ca-file cannot be read: no file',
    ],
  ])('is not served where the file %s, and says so', async (_name, path, said) => {
    await start({ 'ca-file': path() })
    const { status, text } = await initialize()
    expect(status).toBe(502)
    expect(text).toContain(said)
  })

  test('is served once the file is right', async () => {
    const path = file('late.crt', stranger.certificatePem)
    await start({ 'ca-file': path })
    expect((await initialize()).status).toBe(502)
    file('late.crt', leaf.authorityPem)
    expect((await initialize()).status).toBe(200)
  })

  test('says what to set where it is asked without TLS', async () => {
    await start({ scheme: 'http' })
    expect((await initialize()).text).toContain('if it speaks TLS, set outrigger.dev/scheme: https')
  })

  test('says what to set where the server does not speak TLS', async () => {
    await start({ port: `${portOf(plain)}` })
    expect((await initialize()).text).toContain(
      'does not speak TLS, set outrigger.dev/scheme: http',
    )
  })
})
