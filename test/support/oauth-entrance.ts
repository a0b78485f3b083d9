// The way into a server by the official clients' own OAuth flow: a client is sent away, its user comes back with a code, and
// it knocks again.

import {
  Client as ClientTwo,
  StreamableHTTPClientTransport as TransportTwo,
} from '@modelcontextprotocol/client'
import type {
  OAuthDiscoveryState as DiscoveryTwo,
  StoredOAuthClientInformation,
  StoredOAuthTokens,
} from '@modelcontextprotocol/client'
import type { OAuthDiscoveryState as DiscoveryOne } from '@modelcontextprotocol/sdk/client/auth.js'
import { Client as ClientOne } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as TransportOne } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type {
  OAuthClientInformationMixed,
  OAuthTokens,
} from '@modelcontextprotocol/sdk/shared/auth.js'
import { expect } from '@jest/globals'
import type { IdentityProvider } from './identity-provider.ts'
import { oauthUser, type OAuthUser } from './oauth-client.ts'

export const CLIENT_INFO = { name: 'outrigger-tests', version: '1.0.0' }

/** A user whom a client has got in: how to call a tool, and what the session and the token are. */
export interface Inside {
  readonly call: () => Promise<unknown>
  readonly session: string | undefined
  readonly token: string | undefined
  readonly close: () => Promise<void>
}

/** Where to, and who lets in. */
export interface Door {
  readonly url: string
  readonly provider: IdentityProvider
  /** The client's own document, by whose URL it is known; absent: it registers. */
  readonly document?: string
  /** How it is reached; absent: as everything is. */
  readonly fetch?: (url: string | URL, init?: RequestInit) => Promise<Response>
}

/** What the way in needs of a client's package; each has types of its own. */
interface Package<User, Transport> {
  readonly user: (door: Door, name: string) => User
  readonly transport: (door: Door, user: User) => Transport
  readonly connect: (transport: Transport) => Promise<Connected>
  readonly finish: (transport: Transport, home: URLSearchParams) => Promise<void>
}

interface Connected {
  readonly callTool: (call: { name: string; arguments: { text: string } }) => Promise<unknown>
  readonly close: () => Promise<void>
}

type AnyUser = Pick<OAuthUser<never, { access_token: string }, never>, 'tokens' | 'home'>

const entering =
  <User extends AnyUser, Transport extends { sessionId?: string | undefined }>(
    sdk: Package<User, Transport>,
  ) =>
  async (door: Door, name: string): Promise<Inside> => {
    const user = sdk.user(door, name)
    const knocking = sdk.transport(door, user)
    await expect(sdk.connect(knocking)).rejects.toThrow('Unauthorized')
    await sdk.finish(knocking, user.home().searchParams)
    const transport = sdk.transport(door, user)
    const client = await sdk.connect(transport)
    return {
      call: () => client.callTool({ name: 'echo', arguments: { text: name } }),
      session: transport.sessionId,
      token: user.tokens()?.access_token,
      close: () => client.close(),
    }
  }

const withClientOne = entering({
  user: ({ provider, document }, name) =>
    oauthUser<OAuthClientInformationMixed, OAuthTokens, DiscoveryOne>(provider, name, document),
  transport: ({ url, fetch }, authProvider) =>
    new TransportOne(new URL(url), { authProvider, ...(fetch ? { fetch } : {}) }),
  connect: async (transport) => {
    const client = new ClientOne(CLIENT_INFO)
    await client.connect(transport)
    return client
  },
  finish: (transport, home) => transport.finishAuth(home.get('code') ?? ''),
})

const withClientTwo = entering({
  user: ({ provider, document }, name) =>
    oauthUser<StoredOAuthClientInformation, StoredOAuthTokens, DiscoveryTwo>(
      provider,
      name,
      document,
    ),
  transport: ({ url, fetch }, authProvider) =>
    new TransportTwo(new URL(url), { authProvider, ...(fetch ? { fetch } : {}) }),
  connect: async (transport) => {
    const client = new ClientTwo(CLIENT_INFO)
    await client.connect(transport)
    return client
  },
  finish: (transport, home) => transport.finishAuth(home),
})

/** Each official client's way in, by its name. */
export const ENTRANCES = [
  ['SDK 1.x', withClientOne],
  ['client 2.x', withClientTwo],
] as const
