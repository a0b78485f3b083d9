// A user with a browser, for the official clients' own OAuth flow: keeps what a client asks it to keep, and brings the
// code back that the provider has sent the browser home with.

import type { IdentityProvider } from './identity-provider.ts'

const HOME = 'http://127.0.0.1:9/callback'

/** What both official clients ask of an application; what they store is theirs. */
export interface OAuthUser<Client, Tokens, Discovery> {
  readonly redirectUrl: string
  readonly clientMetadata: {
    readonly client_name: string
    readonly redirect_uris: string[]
    readonly grant_types: string[]
    readonly response_types: string[]
    readonly token_endpoint_auth_method: string
  }
  readonly clientInformation: () => Client | undefined
  readonly saveClientInformation: (client: Client) => void
  readonly tokens: () => Tokens | undefined
  readonly saveTokens: (tokens: Tokens) => void
  readonly discoveryState: () => Discovery | undefined
  readonly saveDiscoveryState: (found: Discovery) => void
  readonly redirectToAuthorization: (url: URL) => Promise<void>
  readonly saveCodeVerifier: (verifier: string) => void
  readonly codeVerifier: () => string
  /** Where the browser has come back to. */
  readonly home: () => URL
}

export const oauthUser = <Client, Tokens, Discovery>(
  provider: IdentityProvider,
  name: string,
): OAuthUser<Client, Tokens, Discovery> => {
  let client: Client | undefined
  let tokens: Tokens | undefined
  let discovery: Discovery | undefined
  let verifier = ''
  let home: URL | undefined
  return {
    redirectUrl: HOME,
    clientMetadata: {
      client_name: 'outrigger-tests',
      redirect_uris: [HOME],
      grant_types: ['authorization_code'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    clientInformation: () => client,
    saveClientInformation: (registered) => {
      client = registered
    },
    tokens: () => tokens,
    saveTokens: (given) => {
      tokens = given
    },
    discoveryState: () => discovery,
    saveDiscoveryState: (found) => {
      discovery = found
    },
    redirectToAuthorization: async (url) => {
      home = await provider.authorize(url, name)
    },
    saveCodeVerifier: (text) => {
      verifier = text
    },
    codeVerifier: () => verifier,
    home: () => {
      if (!home) throw new Error('the client has not sent its user anywhere')
      return home
    },
  }
}
