// A real identity provider on loopback, the certified `oidc-provider`: discovery, keys that rotate, dynamic registration,
// client credentials, the authorization code flow with PKCE. It logs in whoever `login_hint` names, and asks for no consent.

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import {
  Provider,
  type AdapterFactory,
  type AdapterPayload,
  type Configuration,
  type JWK,
} from 'oidc-provider'
import { exportJWK, generateKeyPair } from 'jose'
import { freePort } from './free-port.ts'
import { CLIENT_METADATA } from './client-metadata.ts'

/** What all tokens are for, and the scope that every server of the tests asks for. */
export const SCOPE = 'mcp'

/** Longer than any test. */
const TTL_S = 3600

/** Who may ask the provider about tokens. */
export const ASKING = { client_id: 'a:sidecar', client_secret: 'of the sidecar + 1' } as const

/** A program that calls for itself. */
export const MACHINE = { client_id: 'machine', client_secret: 'of the machine' } as const

export interface IdentityProvider {
  readonly url: string
  /** A token of the program's that calls for itself. */
  readonly machineToken: (resource: string) => Promise<string>
  /** What a browser comes back with when a user has logged in. */
  readonly authorize: (url: URL, user: string) => Promise<URL>
  /** From now on another key signs, and the one before is published no more. */
  readonly rotate: () => Promise<void>
  readonly close: () => Promise<void>
}

const signingJwk = async (): Promise<JWK> => {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const kid = crypto.randomUUID()
  return { kty: 'EC', ...(await exportJWK(privateKey)), kid, alg: 'ES256', use: 'sig' }
}

/** What a provider keeps, for as long as the test runs: also over a rotation of its keys. */
const memory = (): AdapterFactory => {
  const kept = new Map<string, AdapterPayload>()
  return (kind) => {
    const nameOf = (id: string): string => `${kind} ${id}`
    return {
      upsert: async (id, payload) => void kept.set(nameOf(id), payload),
      find: async (id) => kept.get(nameOf(id)),
      findByUid: async (uid) => [...kept.values()].find((one) => one.uid === uid),
      findByUserCode: async () => undefined,
      consume: async (id) => void kept.set(nameOf(id), { ...kept.get(nameOf(id)), consumed: true }),
      destroy: async (id) => void kept.delete(nameOf(id)),
      revokeByGrantId: async () => undefined,
    }
  }
}

/** Where a client's own metadata would stand that is known by their URL (a client id metadata document). */
export const CLIENT_DOCUMENT = 'https://agent.example/client.json'

/** A client may have its document at this place alone, and what it says is this. */
const fetchDocument: Configuration['fetch'] = async (url, options) =>
  url === CLIENT_DOCUMENT
    ? Response.json({ client_id: CLIENT_DOCUMENT, application_type: 'native', ...CLIENT_METADATA })
    : fetch(url, options)

/** What tokens are: `opaque` ones only the provider can read. */
export type Format = 'jwt' | 'opaque'

const configuration = (key: JWK, adapter: AdapterFactory, format: Format): Configuration => ({
  adapter,
  jwks: { keys: [key] },
  cookies: { keys: ['of the tests'] },
  scopes: [SCOPE],
  clients: [
    { ...MACHINE, grant_types: ['client_credentials'], redirect_uris: [], response_types: [] },
    { ...ASKING, grant_types: [], redirect_uris: [], response_types: [] },
  ],
  clientDefaults: { application_type: 'native', id_token_signed_response_alg: 'ES256' },
  fetch: fetchDocument,
  features: {
    clientIdMetadataDocument: { enabled: true, ack: 'draft-02' },
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    dPoP: { enabled: true, nonceSecret: randomBytes(32), requireNonce: () => true },
    introspection: { enabled: true, allowedPolicy: () => true },
    registration: { enabled: true },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: (_context, resource) => ({
        scope: SCOPE,
        audience: resource,
        accessTokenFormat: format,
        jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
  findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  ttl: {
    Interaction: TTL_S,
    Grant: TTL_S,
    Session: TTL_S,
    AccessToken: TTL_S,
    ClientCredentials: TTL_S,
  },
  interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
  loadExistingGrant: async ({ oidc }) => {
    const { provider, client, account, params } = oidc
    const grant = new provider.Grant({
      ...(client === undefined ? {} : { clientId: client.clientId }),
      ...(account === undefined ? {} : { accountId: account.accountId }),
    })
    const resource = params?.['resource']
    grant.addOIDCScope(SCOPE)
    if (typeof resource === 'string') grant.addResourceScope(resource, SCOPE)
    await grant.save()
    return grant
  },
})

/** Logs in whom the request names. */
const logIn = async (
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> => {
  const { params } = await provider.interactionDetails(request, response)
  const login = { accountId: String(params['login_hint']) }
  await provider.interactionFinished(request, response, { login, consent: {} })
}

/** Goes where it is sent, with what it is given, until it is sent elsewhere than to the provider. */
const browse = async (
  provider: string,
  url: URL,
  cookies: ReadonlyMap<string, string>,
): Promise<URL> => {
  if (url.origin !== provider) return url
  const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  const answer = await fetch(url, { redirect: 'manual', headers: { cookie } })
  const location = answer.headers.get('location')
  if (location === null) throw new Error(`${url.pathname}: ${answer.status} ${await answer.text()}`)
  const given = answer.headers.getSetCookie().map((one): [string, string] => {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(one) ?? []
    return [name, value]
  })
  return browse(provider, new URL(location, url), new Map([...cookies, ...given]))
}

export const startIdentityProvider = async (format: Format = 'jwt'): Promise<IdentityProvider> => {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const adapter = memory()
  const begin = async (): Promise<Provider> =>
    new Provider(url, configuration(await signingJwk(), adapter, format))
  let provider = await begin()
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/interaction/')) void logIn(provider, request, response)
    else void provider.callback()(request, response)
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    url,
    machineToken: async (resource) => {
      const { client_id: id, client_secret: secret } = MACHINE
      const answer = await fetch(`${url}/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${btoa(`${id}:${encodeURIComponent(secret)}`)}` },
        body: new URLSearchParams({ grant_type: 'client_credentials', scope: SCOPE, resource }),
      })
      const token: unknown = Object(await answer.json()).access_token
      if (typeof token !== 'string') throw new Error(`no token: ${answer.status}`)
      return token
    },
    authorize: (asked, user) => {
      const whole = new URL(asked)
      whole.searchParams.set('login_hint', user)
      return browse(url, whole, new Map())
    },
    rotate: async () => {
      provider = await begin()
    },
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
