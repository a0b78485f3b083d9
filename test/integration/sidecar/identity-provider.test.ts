// Before a real identity provider: the official clients find their way from our 401 to a tool call by themselves, a
// session is nobody else's, programs call for themselves, and keys rotate without a refused call.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { decodeJwt } from 'jose'
import {
  CLIENT_DOCUMENT,
  startIdentityProvider,
  type IdentityProvider,
} from '../../support/identity-provider.ts'
import { CLIENT_INFO, ENTRANCES } from '../../support/oauth-entrance.ts'
import { CHECKOUT_CLI } from '../../support/outrigger-run.ts'
import { PUPPET, rpc, toolCall } from '../../support/puppet.ts'
import { JSON_HEADERS, messageIn, send } from '../../support/raw-http.ts'
import { startProgram, type Running } from '../../support/running.ts'

let provider: IdentityProvider
let bridge: Running
let url: string

beforeAll(async () => {
  provider = await startIdentityProvider()
  const flags = ['--port', '0', '--oidc-issuers', provider.url, '--required-scopes', 'mcp']
  bridge = await startProgram({
    command: process.execPath,
    args: [CHECKOUT_CLI, 'run', ...flags, '--', ...PUPPET],
    ready: /^outrigger: listening on (http:\/\/\S+)$/m,
  })
  url = bridge.ready
})

afterAll(async () => {
  await bridge.stop()
  await provider.close()
})

describe.each(ENTRANCES)('%s', (_name, enter) => {
  test('gets its user in by itself, and nobody into the session of another', async () => {
    const ada = await enter({ url, provider }, 'ada')
    const eve = await enter({ url, provider }, 'eve')
    expect(JSON.stringify(await ada.call())).toContain('ada')
    expect(JSON.stringify(await eve.call())).toContain('eve')
    const as = async (token: string | undefined): Promise<number> => {
      const headers = { ...JSON_HEADERS, 'mcp-session-id': ada.session ?? '' }
      const authorization = { authorization: `Bearer ${token}` }
      const body = toolCall('echo', { text: 'x' })
      return (await send(url, body, { ...headers, ...authorization })).status
    }
    expect(await as(ada.token)).toBe(200)
    expect(await as(eve.token)).toBe(404)
    expect(await as(await provider.machineToken(url))).toBe(404)
    await ada.close()
    await eve.close()
  })

  test('is known by the URL of its own metadata, without registering', async () => {
    const ada = await enter({ url, provider, document: CLIENT_DOCUMENT }, 'ada')
    expect(JSON.stringify(await ada.call())).toContain('ada')
    const { client_id: client } = decodeJwt(ada.token ?? '')
    expect(client).toBe(CLIENT_DOCUMENT)
    await ada.close()
  })
})

describe('a program that calls for itself', () => {
  const initialize = rpc('initialize', {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: CLIENT_INFO,
  })
  const call = (token: string) =>
    send(url, initialize, { ...JSON_HEADERS, authorization: `Bearer ${token}` })

  test('is served with a token for this server', async () => {
    const reply = await call(await provider.machineToken(url))
    expect([reply.status, messageIn(reply)]).toEqual([200, expect.stringContaining('"result"')])
  })

  test('is refused with a token for another', async () => {
    const reply = await call(await provider.machineToken('http://127.0.0.1:9/mcp'))
    expect(reply.status).toBe(401)
    expect(String(reply.headers['www-authenticate'])).toContain('not meant for this server')
  })

  test('is served at once when the provider has a new key', async () => {
    for (let round = 0; round < 2; round++) {
      await provider.rotate()
      const tokens = await Promise.all([1, 2, 3, 4].map(() => provider.machineToken(url)))
      const replies = await Promise.all(tokens.map(call))
      expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    }
  })
})
