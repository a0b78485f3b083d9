// An identity provider on loopback for `npm start`, of the official SDK's own parts: it registers whoever asks, and logs in
// whom the browser names. Nothing to be used anywhere else.

import { mcpAuthRouter } from '@modelcontextprotocol/sdk/server/auth/router.js'
import type {
  AuthorizationParams,
  OAuthServerProvider,
} from '@modelcontextprotocol/sdk/server/auth/provider.js'
import type { OAuthClientInformationFull } from '@modelcontextprotocol/sdk/shared/auth.js'
import express from 'express'
import { generateKeyPairSync, randomUUID, sign, type KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'

const LIFETIME_S = 3600
const KEY = { alg: 'ES256', kid: 'one' } as const

export interface Provider {
  /** To the letter as its tokens name it. */
  readonly issuer: string
  readonly close: () => Promise<void>
}

/** A login that a code stands for. */
interface Login extends AuthorizationParams {
  readonly user: string
}

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

const signed = (claims: object, key: KeyObject): string => {
  const text = `${encoded({ ...KEY, typ: 'at+jwt' })}.${encoded(claims)}`
  const signature = sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' })
  return `${text}.${signature.toString('base64url')}`
}

const never = (): never => {
  throw new Error('this provider does not do that')
}

/** `issuer`: once it listens. */
const providerWith = (key: KeyObject, issuer: () => string): OAuthServerProvider => {
  const clients = new Map<string, OAuthClientInformationFull>()
  const logins = new Map<string, Login>()
  const loginOf = (code: string): Login => logins.get(code) ?? never()
  return {
    clientsStore: {
      getClient: (id) => clients.get(id),
      registerClient: (asked) => {
        const client = { ...asked, client_id: randomUUID() }
        clients.set(client.client_id, client)
        return client
      },
    },
    authorize: async (_client, asked, response) => {
      const code = randomUUID()
      const { searchParams } = new URL(response.req.originalUrl, issuer())
      logins.set(code, { ...asked, user: searchParams.get('login_hint') ?? 'nobody' })
      const home = new URL(asked.redirectUri)
      home.searchParams.set('code', code)
      if (asked.state !== undefined) home.searchParams.set('state', asked.state)
      response.redirect(home.href)
    },
    challengeForAuthorizationCode: async (_client, code) => loginOf(code).codeChallenge,
    exchangeAuthorizationCode: async ({ client_id: client }, code) => {
      const { user: sub, resource } = loginOf(code)
      logins.delete(code)
      const iat = Math.floor(Date.now() / 1000)
      const exp = iat + LIFETIME_S
      const claims = { iss: issuer(), sub, aud: resource?.href, client_id: client, iat, exp }
      return { access_token: signed(claims, key), token_type: 'Bearer', expires_in: LIFETIME_S }
    },
    exchangeRefreshToken: never,
    verifyAccessToken: never,
  }
}

export const startProvider = async (): Promise<Provider> => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const app = express()
  const server = createServer(app)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const issuerUrl = new URL(`http://127.0.0.1:${port}`)
  const issuer = issuerUrl.href
  app.get('/.well-known/openid-configuration', (_request, response) => {
    response.json({ issuer, jwks_uri: `${issuer}keys` })
  })
  app.get('/keys', (_request, response) => {
    response.json({ keys: [{ ...publicKey.export({ format: 'jwk' }), ...KEY, use: 'sig' }] })
  })
  app.use(mcpAuthRouter({ provider: providerWith(privateKey, () => issuer), issuerUrl }))
  return {
    issuer,
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
