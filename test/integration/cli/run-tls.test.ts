// `outrigger run` over TLS: where it says that it listens an ordinary client is served, and a certificate that cannot be
// used starts nothing.

import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { anAuthority, issue, type Issued } from '../../support/certificates.ts'
import { CHECKOUT_CLI, serverCommand, startOutrigger } from '../../support/outrigger-run.ts'
import { INITIALIZE, JSON_HEADERS } from '../../support/raw-http.ts'

let folder: string
let authority: Issued
let cert: string
let key: string
let otherKey: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'outrigger-tls-'))
  authority = anAuthority()
  const leaf = issue({ names: ['127.0.0.1', 'localhost'], by: authority })
  const put = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  cert = put('tls.crt', leaf.cert)
  key = put('tls.key', leaf.key)
  otherKey = put('other.key', authority.key)
})
afterAll(() => rmSync(folder, { recursive: true }))

/** By which URL it is listened, and what a call of it answers. */
const post = (url: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const options = { method: 'POST', headers: JSON_HEADERS, ca: authority.cert, agent: false }
    const asked = request(url, options, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece))
      response.on('end', () => resolve(text))
    })
    asked.on('error', reject)
    asked.end(INITIALIZE)
  })

test('serves over TLS, by the URL that it says', async () => {
  const command = serverCommand('@modelcontextprotocol/server-everything')
  const bridge = await startOutrigger(command, { flags: ['--tls-cert', cert, '--tls-key', key] })
  try {
    expect(bridge.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+\/mcp$/)
    expect(await post(bridge.url)).toContain('"protocolVersion":"2025-06-18"')
  } finally {
    await bridge.stop()
  }
})

test.each([
  [
    'half of a pair',
    () => ['--tls-cert', cert],
    () => '--tls-cert needs --tls-key, the file of the other half',
  ],
  [
    'the other half of one',
    () => ['--tls-key', key],
    () => '--tls-key needs --tls-cert, the file of the other half',
  ],
  [
    "another's key",
    () => ['--tls-cert', cert, '--tls-key', otherKey],
    () =>
      `--tls-key: the key ${otherKey} does not belong to the certificate (CN=test): the two must be written together`,
  ],
  [
    'a file that is not there',
    () => ['--tls-cert', cert, '--tls-key', `${key}x`],
    () => `--tls-key: ${key}x: there is no such file`,
  ],
])('%s starts nothing, and says why', async (_what, flags, fault) => {
  const args = [CHECKOUT_CLI, 'run', '--allow-anonymous', ...flags(), '--', 'true']
  const { code, stderr } = await new Promise<{ code: unknown; stderr: string }>((resolve) => {
    execFile(process.execPath, args, (error, _stdout, stderr) =>
      resolve({ code: error?.code, stderr }),
    )
  })
  expect(code).toBe(2)
  expect(stderr.split('\n')[0]).toBe(`outrigger run: ${fault()}`)
})
