// The endpoint of a trust domain's bundle whose certificate a private authority has signed: reached with that authority, and
// not without it, nor by another.

import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { issue } from '../../support/certificates.ts'
import { signingKey, type SigningKey } from '../../support/issuer.ts'
import { listening } from '../../support/listening.ts'
import { CHECKOUT_CLI } from '../../support/outrigger-run.ts'
import { PUPPET } from '../../support/puppet.ts'
import { INITIALIZE, JSON_HEADERS, send } from '../../support/raw-http.ts'
import { startProgram, type Running } from '../../support/running.ts'
import { bundleText, jwtSvid } from '../../support/spiffe-bundle.ts'
import { until } from '../../support/waiting.ts'

const ID = 'spiffe://example.org/agent'

let dir: string
let key: SigningKey
let server: Server
let port: number
let bridge: Running | undefined

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'authority-'))
  key = await signingKey('one')
  const authority = issue({ commonName: 'authority', isAuthority: true })
  const other = issue({ commonName: 'authority', isAuthority: true })
  writeFileSync(join(dir, 'ours.pem'), authority.cert)
  writeFileSync(join(dir, 'other.pem'), other.cert)
  writeFileSync(join(dir, 'none.pem'), 'no certificate')
  const leaf = issue({ commonName: 'endpoint', names: ['localhost'], by: authority })
  server = createServer(leaf, (_request, response) => response.end(bundleText({ keys: [key] })))
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

const start = async (flags: readonly string[]): Promise<Running> => {
  const of = [
    `--spiffe-ids=${ID}`,
    '--spiffe-jwt',
    `--spiffe-bundle-url=https://localhost:${port}/`,
  ]
  bridge = await startProgram({
    command: process.execPath,
    args: [CHECKOUT_CLI, 'run', '--port=0', ...of, ...flags, '--', ...PUPPET],
    ready: /^outrigger: listening on (http:\/\/\S+)$/m,
  })
  return bridge
}

const flag = (name: string): string => `--spiffe-bundle-ca=${join(dir, name)}`

const statusAt = async (url: string): Promise<number> => {
  const token = await jwtSvid(key, { sub: ID, aud: url })
  const headers = { ...JSON_HEADERS, authorization: `Bearer ${token}` }
  return (await send(url, INITIALIZE, headers)).status
}

test('its authority lets workloads in', async () => {
  const { ready } = await start([flag('ours.pem')])
  expect(await statusAt(ready)).toBe(200)
})

describe('nobody is let in', () => {
  test.each<[string, () => readonly string[], RegExp]>([
    ['by the usual authorities', () => [], /certificate|verify|self-signed/],
    ['by another', () => [flag('other.pem')], /certificate|signature|verify/],
  ])('%s', async (_name, flags, says) => {
    const { ready, stderr } = await start(flags())
    await until(() => says.test(stderr()), `the log says ${says}`)
    expect(await statusAt(ready)).toBe(503)
  })
})

test('what is no file of authorities is told by its flag', async () => {
  await expect(start([flag('none.pem')])).rejects.toThrow(
    /--spiffe-bundle-ca .*none\.pem: must hold certificates of authorities/,
  )
})
