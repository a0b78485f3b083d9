// An issuer whose certificate a private authority has signed: reached with that authority, and not without it, nor by
// another, nor under another name.

import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { issue, type Issued } from '../../support/certificates.ts'
import { signed, signingKey, type SigningKey } from '../../support/issuer.ts'
import { listening } from '../../support/listening.ts'
import { CHECKOUT_CLI } from '../../support/outrigger-run.ts'
import { PUPPET } from '../../support/puppet.ts'
import { INITIALIZE, JSON_HEADERS, send } from '../../support/raw-http.ts'
import { startProgram, type Running } from '../../support/running.ts'
import { until } from '../../support/waiting.ts'

let dir: string
let key: SigningKey
let authority: Issued
let server: Server
let port: number
let bridge: Running | undefined

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'authority-'))
  key = await signingKey('one')
  authority = issue({ commonName: 'authority', isAuthority: true })
  const other = issue({ commonName: 'authority', isAuthority: true })
  const names = ['localhost']
  const leaf = issue({ commonName: 'issuer', names, by: authority })
  writeFileSync(join(dir, 'ours.pem'), authority.cert)
  writeFileSync(join(dir, 'other.pem'), other.cert)
  writeFileSync(join(dir, 'leaf.pem'), leaf.cert)
  server = createServer(leaf, (request, response) => {
    const issuer = `https://${request.headers.host}`
    const isKeys = request.url === '/keys'
    const document = isKeys ? { keys: [key.publicJwk] } : { issuer, jwks_uri: `${issuer}/keys` }
    response.end(JSON.stringify(document))
  })
  port = await listening(server)
})

afterEach(async () => {
  await bridge?.stop()
  bridge = undefined
})

afterAll(async () => {
  rmSync(dir, { recursive: true })
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
})

/** What a caller gets, with a token that the issuer of this name has signed. */
const statusWith = async (host: string, flags: readonly string[]): Promise<number> => {
  const issuer = `https://${host}:${port}`
  bridge = await startProgram({
    command: process.execPath,
    args: [CHECKOUT_CLI, 'run', '--port=0', `--oidc-issuers=${issuer}`, ...flags, '--', ...PUPPET],
    ready: /^outrigger: listening on (http:\/\/\S+)$/m,
  })
  const seconds = Math.floor(Date.now() / 1000)
  const token = await signed(
    { iss: issuer, sub: 'ada', aud: bridge.ready, exp: seconds + 300 },
    key,
  )
  const headers = { ...JSON_HEADERS, authorization: `Bearer ${token}` }
  return (await send(bridge.ready, INITIALIZE, headers)).status
}

const flag = (name: string): string => `--oidc-ca=${join(dir, name)}`

test('its authority lets its callers in', async () => {
  expect(await statusWith('localhost', [flag('ours.pem')])).toBe(200)
})

describe('nobody is let in', () => {
  test.each<[string, string, () => readonly string[], RegExp]>([
    ['by the usual authorities', 'localhost', () => [], /certificate|verify|self-signed/],
    ['by another', 'localhost', () => [flag('other.pem')], /certificate|signature|verify/],
    ['under another name', '127.0.0.1', () => [flag('ours.pem')], /altnames|not in the cert/],
  ])('%s', async (_name, host, flags, says) => {
    expect(await statusWith(host, flags())).toBe(503)
    await until(() => says.test(bridge?.stderr() ?? ''), `the log says ${says}`)
  })
})

test.each([
  ['leaf.pem', /--oidc-ca .*leaf\.pem: must hold certificates of authorities/],
  ['none.pem', /--oidc-ca .*none\.pem: there is no such file/],
])('%s is no file of authorities', async (name, says) => {
  await expect(statusWith('localhost', [flag(name)])).rejects.toThrow(says)
})

test('without an issuer to ask it is of no use, and says so', async () => {
  const args = [CHECKOUT_CLI, 'run', '--port=0', '--allow-anonymous', flag('ours.pem')]
  const program = { command: process.execPath, args: [...args, '--', ...PUPPET], ready: /never/ }
  await expect(startProgram(program)).rejects.toThrow(
    '--oidc-ca: of no use without --oidc-issuers URL',
  )
})
