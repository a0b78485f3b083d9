// An issuer of tokens on loopback: its metadata, its keys, and whatever tokens a test wants of it, also wrong ones.

import { createServer } from 'node:http'
import { once } from 'node:events'
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose'
import { freePort } from './free-port.ts'

export type Claims = Readonly<Record<string, unknown>>

export type SigningKey = {
  readonly kid: string
  readonly alg: string
  readonly privateKey: CryptoKey
  readonly publicJwk: JWK
}

export const signingKey = async (kid: string, alg = 'ES256'): Promise<SigningKey> => {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  const publicJwk = { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' }
  return { kid, alg, privateKey, publicJwk }
}

export const signed = (claims: Claims, key: SigningKey, header: Claims = {}): Promise<string> =>
  new SignJWT({ ...claims })
    .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: 'at+jwt', ...header })
    .sign(key.privateKey)

export type FakeIssuer = {
  readonly url: string
  /** What it publishes from now on. */
  keys: readonly JWK[]
  /** What it answers for its keys instead, and how often it was asked for them. */
  keysAnswer: { readonly status: number; readonly headers?: Record<string, string> } | undefined
  asked: number
  readonly close: () => Promise<void>
}

export const startIssuer = async (keys: readonly JWK[]): Promise<FakeIssuer> => {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const server = createServer((request, response) => {
    if (request.url === '/.well-known/oauth-authorization-server') {
      response.end(JSON.stringify({ issuer: url, jwks_uri: `${url}/keys` }))
    } else if (request.url === '/keys') {
      issuer.asked++
      const { status = 200, headers = {} } = issuer.keysAnswer ?? {}
      response.writeHead(status, headers)
      response.end(JSON.stringify({ keys: issuer.keys }))
    } else {
      response.writeHead(404).end()
    }
  })
  const issuer: FakeIssuer = {
    url,
    keys,
    keysAnswer: undefined,
    asked: 0,
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return issuer
}
