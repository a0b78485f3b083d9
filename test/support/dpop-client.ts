// A client of the certified library for OAuth (`oauth4webapi`), whose token is bound to its key: it makes its own proofs,
// keeps the texts that it is given for them, and comes again where it is told another.

import {
  allowInsecureRequests,
  ClientSecretBasic,
  clientCredentialsGrantRequest,
  customFetch,
  DPoP,
  generateKeyPair,
  isDPoPNonceError,
  processClientCredentialsResponse,
  protectedResourceRequest,
  type CustomFetchOptions,
  type DPoPHandle,
  type ProtectedResourceRequestBody,
} from 'oauth4webapi'
import { MACHINE, SCOPE } from './identity-provider.ts'

export interface BoundClient {
  /** As `fetch` does, with the token and a proof. */
  readonly fetch: (url: string | URL, init?: RequestInit) => Promise<Response>
  readonly token: string
  readonly tokenType: string
  /** The proofs that it has sent, the last one last. */
  readonly proofs: readonly string[]
  /** How often it was told another text to make its proof with. */
  readonly told: () => number
}

type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>

/** What it sends is a text, always. */
const bodyOf = ({ body }: RequestInit): string | undefined => {
  if (body === undefined || body === null || typeof body === 'string') return body ?? undefined
  throw new Error('the body of a call is text')
}

const tokenFor = async (provider: string, resource: string, handle: DPoPHandle) => {
  const server = { issuer: provider, token_endpoint: `${provider}/token` }
  const client = { client_id: MACHINE.client_id }
  const ask = async () => {
    const answer = await clientCredentialsGrantRequest(
      server,
      client,
      ClientSecretBasic(MACHINE.client_secret),
      new URLSearchParams({ resource, scope: SCOPE }),
      { DPoP: handle, [allowInsecureRequests]: true },
    )
    return processClientCredentialsResponse(server, client, answer)
  }
  return ask().catch((error: unknown) => {
    if (isDPoPNonceError(error)) return ask()
    throw error
  })
}

/** `reach`: how what the token is for is reached. */
export const boundClient = async (
  provider: string,
  resource: string,
  reach: Fetch = fetch,
): Promise<BoundClient> => {
  const handle = DPoP({}, await generateKeyPair('ES256'))
  const { access_token: token, token_type: tokenType } = await tokenFor(provider, resource, handle)
  const proofs: string[] = []
  let told = 0
  const kept = (
    asked: string,
    { method, headers, body, signal }: CustomFetchOptions<string, ProtectedResourceRequestBody>,
  ): Promise<Response> => {
    proofs.push(headers['dpop'] ?? '')
    const text = typeof body === 'string' ? body : null
    return reach(asked, { method, headers, body: text, ...(signal ? { signal } : {}) })
  }
  const send: Fetch = (url, init = {}) =>
    protectedResourceRequest(
      token,
      init.method ?? 'GET',
      new URL(url),
      new Headers(init.headers),
      bodyOf(init),
      { DPoP: handle, [allowInsecureRequests]: true, [customFetch]: kept },
    )
  return {
    token,
    tokenType,
    proofs,
    told: () => told,
    fetch: (url, init) =>
      send(url, init).catch((error: unknown) => {
        if (!isDPoPNonceError(error)) throw error
        told++
        return send(url, init)
      }),
  }
}
