// Clients that know the server by the name and the path of a TLS proxy before it: both official ones find their way from our
// 401 to a tool call through it, by metadata that names the server as they know it.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { startIdentityProvider, type IdentityProvider } from '../../support/identity-provider.ts'
import { ENTRANCES } from '../../support/oauth-entrance.ts'
import { CHECKOUT_CLI } from '../../support/outrigger-run.ts'
import { PUPPET } from '../../support/puppet.ts'
import { JSON_HEADERS } from '../../support/raw-http.ts'
import { startProgram, type Running } from '../../support/running.ts'
import { tlsProxy, type TlsProxy } from '../../support/tls-proxy.ts'

const PATH = '/team-a/search'

let provider: IdentityProvider
let proxy: TlsProxy
let bridge: Running

beforeAll(async () => {
  provider = await startIdentityProvider()
  proxy = await tlsProxy('mcp.tools.example', PATH)
  const identity = [
    '--oidc-issuers',
    provider.url,
    '--public-url',
    proxy.url,
    '--required-scopes',
    'mcp',
  ]
  const tls = ['--tls-cert', proxy.certFile, '--tls-key', proxy.keyFile]
  bridge = await startProgram({
    command: process.execPath,
    args: [CHECKOUT_CLI, 'run', '--port', '0', ...identity, ...tls, '--', ...PUPPET],
    ready: /^outrigger: listening on (https:\/\/\S+)$/m,
  })
  await proxy.start(Number(new URL(bridge.ready).port))
})

afterAll(async () => {
  await proxy.stop()
  await bridge.stop()
  await provider.close()
})

test('the challenge leads to metadata that names the server as its clients know it', async () => {
  const refused = await proxy.fetch(proxy.url, {
    method: 'POST',
    headers: JSON_HEADERS,
    body: '{}',
  })
  expect(refused.status).toBe(401)
  const challenge = String(refused.headers.get('www-authenticate'))
  const { origin } = new URL(proxy.url)
  const place = `${origin}/.well-known/oauth-protected-resource${PATH}`
  expect(challenge).toContain(`resource_metadata="${place}"`)
  const metadata = await proxy.fetch(place)
  expect(await metadata.json()).toMatchObject({
    resource: proxy.url,
    authorization_servers: [provider.url],
  })
})

describe.each(ENTRANCES)('%s', (_name, enter) => {
  test('gets its user in by itself', async () => {
    const ada = await enter({ url: proxy.url, provider, fetch: proxy.fetch }, 'ada')
    expect(JSON.stringify(await ada.call())).toContain('ada')
    await ada.close()
  })
})
