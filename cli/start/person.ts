// Somebody with a browser, for an ordinary client's own OAuth flow: the browser goes where the client sends it, logs in by
// name, and brings a code home.

import type { OAuthClientProvider } from '@modelcontextprotocol/sdk/client/auth.js'
import type {
  OAuthClientInformationMixed,
  OAuthTokens,
} from '@modelcontextprotocol/sdk/shared/auth.js'

/** Where the browser comes back to: nobody listens there, it is read off the address. */
const HOME = 'http://127.0.0.1:9/callback'

export interface Person {
  readonly provider: OAuthClientProvider
  /** The code that the browser has come back with. */
  readonly code: () => string
}

export const personCalled = (name: string): Person => {
  let client: OAuthClientInformationMixed | undefined
  let tokens: OAuthTokens | undefined
  let verifier = ''
  let code = ''
  const provider: OAuthClientProvider = {
    redirectUrl: HOME,
    clientMetadata: {
      client_name: 'outrigger-start',
      redirect_uris: [HOME],
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
    saveCodeVerifier: (text) => {
      verifier = text
    },
    codeVerifier: () => verifier,
    redirectToAuthorization: async (url) => {
      const asked = new URL(url)
      asked.searchParams.set('login_hint', name)
      const answer = await fetch(asked, { redirect: 'manual' })
      const home = URL.parse(answer.headers.get('location') ?? '')
      code = home?.searchParams.get('code') ?? ''
    },
  }
  return { provider, code: () => code }
}
