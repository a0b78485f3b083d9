// A user with a browser, for the official clients' own OAuth flow: keeps what a client asks it to keep, and brings the
// code back that the provider has sent the browser home with.

import { CLIENT_METADATA, HOME } from './client-metadata.ts'
import type { IdentityProvider } from './identity-provider.ts'

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
  /** Where that stands as a document of its own, which is then its name; absent: it registers. */
  readonly clientMetadataUrl?: string
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
  document?: string,
): OAuthUser<Client, Tokens, Discovery> => {
  let client: Client | undefined
  let tokens: Tokens | undefined
  let discovery: Discovery | undefined
  let verifier = ''
  let home: URL | undefined
  return {
    redirectUrl: HOME,
    clientMetadata: CLIENT_METADATA,
    ...(document === undefined ? {} : { clientMetadataUrl: document }),
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
