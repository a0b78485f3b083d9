// Before a real identity provider: the official clients find their way from our 401 to a tool call by themselves, a
// session is nobody else's, programs call for themselves, and keys rotate without a refused call.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import {
  Client as ClientTwo,
  StreamableHTTPClientTransport as TransportTwo,
} from '@modelcontextprotocol/client'
import type { OAuthDiscoveryState as DiscoveryOne } from '@modelcontextprotocol/sdk/client/auth.js'
import { Client as ClientOne } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as TransportOne } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type {
  OAuthClientInformationMixed,
  OAuthTokens,
} from '@modelcontextprotocol/sdk/shared/auth.js'
import type {
  OAuthDiscoveryState as DiscoveryTwo,
  StoredOAuthClientInformation,
  StoredOAuthTokens,
} from '@modelcontextprotocol/client'
import { startIdentityProvider, type IdentityProvider } from '../../support/identity-provider.ts'
import { oauthUser, type OAuthUser } from '../../support/oauth-client.ts'
import { CHECKOUT_CLI } from '../../support/outrigger-run.ts'
import { PUPPET, rpc, toolCall } from '../../support/puppet.ts'
import { JSON_HEADERS, messageIn, send } from '../../support/raw-http.ts'
import { startProgram, type Running } from '../../support/running.ts'

const LIMIT_MS = 120_000
const INFO = { name: 'outrigger-tests', version: '1.0.0' }

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
}, LIMIT_MS)

afterAll(async () => {
  await bridge.stop()
  await provider.close()
}, LIMIT_MS)

/** A user whom a client has got in: how to call a tool, and what the session and the token are. */
interface Inside {
  readonly call: () => Promise<unknown>
  readonly session: string | undefined
  readonly token: string | undefined
  readonly close: () => Promise<void>
}

/** What the way in needs of a client's package; each has types of its own. */
interface Package<User, Transport> {
  readonly user: (name: string) => User
  readonly transport: (user: User) => Transport
  readonly connect: (transport: Transport) => Promise<Connected>
  readonly finish: (transport: Transport, home: URLSearchParams) => Promise<void>
}

interface Connected {
  readonly callTool: (call: { name: string; arguments: { text: string } }) => Promise<unknown>
  readonly close: () => Promise<void>
}

type AnyUser = Pick<OAuthUser<never, { access_token: string }, never>, 'tokens' | 'home'>

/** By the client's own flow: it is sent away, its user comes back with a code, and it knocks again. */
const entering =
  <User extends AnyUser, Transport extends { sessionId?: string | undefined }>(
    sdk: Package<User, Transport>,
  ) =>
  async (name: string): Promise<Inside> => {
    const user = sdk.user(name)
    const knocking = sdk.transport(user)
    await expect(sdk.connect(knocking)).rejects.toThrow('Unauthorized')
    await sdk.finish(knocking, user.home().searchParams)
    const transport = sdk.transport(user)
    const client = await sdk.connect(transport)
    return {
      call: () => client.callTool({ name: 'echo', arguments: { text: name } }),
      session: transport.sessionId,
      token: user.tokens()?.access_token,
      close: () => client.close(),
    }
  }

const withClientOne = entering({
  user: (name) => oauthUser<OAuthClientInformationMixed, OAuthTokens, DiscoveryOne>(provider, name),
  transport: (authProvider) => new TransportOne(new URL(url), { authProvider }),
  connect: async (transport) => {
    const client = new ClientOne(INFO)
    await client.connect(transport)
    return client
  },
  finish: (transport, home) => transport.finishAuth(home.get('code') ?? ''),
})

const withClientTwo = entering({
  user: (name) =>
    oauthUser<StoredOAuthClientInformation, StoredOAuthTokens, DiscoveryTwo>(provider, name),
  transport: (authProvider) => new TransportTwo(new URL(url), { authProvider }),
  connect: async (transport) => {
    const client = new ClientTwo(INFO)
    await client.connect(transport)
    return client
  },
  finish: (transport, home) => transport.finishAuth(home),
})

describe.each([
  ['SDK 1.x', withClientOne],
  ['client 2.x', withClientTwo],
])('%s', (_name, enter) => {
  test(
    'gets its user in by itself, and nobody into the session of another',
    async () => {
      const ada = await enter('ada')
      const eve = await enter('eve')
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
    },
    LIMIT_MS,
  )
})

describe('a program that calls for itself', () => {
  const initialize = rpc('initialize', {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: INFO,
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

  test(
    'is served at once when the provider has a new key',
    async () => {
      for (let round = 0; round < 2; round++) {
        await provider.rotate()
        const tokens = await Promise.all([1, 2, 3, 4].map(() => provider.machineToken(url)))
        const replies = await Promise.all(tokens.map(call))
        expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200])
      }
    },
    LIMIT_MS,
  )
})
