// Workloads call by their SVIDs, of a trust domain whose bundle endpoint the floor lists: what that says holds for a pod that
// is there, without a restart. And by tokens that are bound to a client's key (DPoP), of an issuer that the floor lists.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { anAuthority, issue, type Issued } from '../../support/certificates.ts'
import { keyHolder, type Holder } from '../../support/dpop.ts'
import { signed, signingKey, type SigningKey } from '../../support/issuer.ts'
import { INITIALIZE, JSON_HEADERS } from '../../support/raw-http.ts'
import { bundleText, jwtSvid } from '../../support/spiffe-bundle.ts'
import { at, type Api, type Json } from '../api.ts'
import { describeOwnCluster } from '../describe-cluster.ts'
import { NODE_ADDRESS } from '../machine/namespaces.ts'
import { waitFor } from '../machine/waiting.ts'
import { installOurs, readyPod, serverObjects } from '../mcp-pods.ts'
import { startsOf } from '../mounted.ts'
import { loadServer } from '../node-images.ts'
import { writeOverlay } from '../overlay.ts'

const NAMESPACE = 'svids'
const SERVER = `https://server.${NAMESPACE}/mcp`
const BOUND = `https://bound.${NAMESPACE}/mcp`
const ID = `spiffe://example.org/ns/${NAMESPACE}/sa/agent`

/** By whom everything here serves. */
const root = anAuthority('root')
const serving = issue({
  names: [NODE_ADDRESS, `server.${NAMESPACE}`, `bound.${NAMESPACE}`],
  by: root,
})
/** Those of the trust domain, one after the other. */
const [first, second] = [anAuthority('example.org'), anAuthority('example.org, next')]

/** An overlay that lists who is asked at this address, in a folder of its own. */
const overlayFor = (folder: string, host: string): string => {
  const asked = { hosts: [{ host, reach: 'private' }], ca: root.cert }
  const config = {
    sidecar: { image: 'outrigger-sidecar:0.1.0' },
    floor: {
      allowAdvisoryIsolation: true,
      issuers: [{ url: `https://${host}`, ...asked, dpop: 'required' }],
      trustDomains: [
        {
          name: 'example.org',
          ids: [`spiffe://example.org/ns/${NAMESPACE}/*`],
          bundleUrl: `https://${host}/bundle`,
          ...asked,
          jwt: {},
        },
      ],
      publicUrls: { [NAMESPACE]: [SERVER, BOUND] },
    },
  }
  return writeOverlay(folder, { on: 'base', config: JSON.stringify(config) })
}

const servingSecret = (): Json => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'serving' },
  type: 'kubernetes.io/tls',
  stringData: { 'tls.crt': serving.cert, 'tls.key': serving.key },
})

interface Call {
  readonly by?: Issued | undefined
  readonly headers?: Readonly<Record<string, string>>
}

interface Answer {
  readonly status: number
  readonly challenge: string
  readonly nonce: string | undefined
}

/** Calls a pod as a client of its Service's name would; what is refused in the handshake is 0. */
const call = (pod: Json, url: string, { by, headers = {} }: Call): Promise<Answer> =>
  new Promise((resolve) => {
    const { hostname: servername, host, pathname: path } = new URL(url)
    const sent = request(
      {
        host: String(at(pod, 'status', 'podIP')),
        port: 15_200,
        path,
        method: 'POST',
        servername,
        ca: root.cert,
        agent: false,
        headers: { ...JSON_HEADERS, host, ...headers },
        ...by,
      },
      (answer) => {
        answer.resume()
        const { 'www-authenticate': challenge = '', 'dpop-nonce': nonce } = answer.headers
        answer.once('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            challenge,
            nonce: typeof nonce === 'string' ? nonce : undefined,
          }),
        )
      },
    )
    sent.on('error', (error) => resolve({ status: 0, challenge: error.message, nonce: undefined }))
    sent.end(INITIALIZE)
  })

describeOwnCluster('full', 'SVIDs and bound tokens', (target) => {
  let api: Api
  let folder: string
  let issuer: string
  let keys: Readonly<Record<'first' | 'second' | 'issuer', SigningKey>>
  /** What the endpoint says from now on. */
  let bundle: string
  const endpoint = createServer({ cert: serving.cert, key: serving.key }, (asked, answer) => {
    const said: Readonly<Record<string, string>> = {
      '/bundle': bundle,
      '/.well-known/openid-configuration': JSON.stringify({ issuer, jwks_uri: `${issuer}/keys` }),
      '/keys': JSON.stringify({ keys: [keys.issuer.publicJwk] }),
    }
    const text = said[asked.url ?? '']
    answer.writeHead(text === undefined ? 404 : 200).end(text)
  })

  const bundleOf = (sequence: number, authorities: readonly Issued[], all: readonly SigningKey[]) =>
    bundleText({
      authorities,
      keys: all,
      more: { spiffe_sequence: sequence, spiffe_refresh_hint: 5 },
    })

  beforeAll(async () => {
    await loadServer(target, 'static')
    keys = {
      first: await signingKey('first'),
      second: await signingKey('second'),
      issuer: await signingKey('issuer'),
    }
    bundle = bundleOf(1, [first], [keys.first])
    endpoint.listen(0, NODE_ADDRESS)
    await once(endpoint, 'listening')
    const address = endpoint.address()
    const port = typeof address === 'object' && address ? address.port : 0
    issuer = `https://${NODE_ADDRESS}:${port}`
    folder = mkdtempSync(join(tmpdir(), 'outrigger-svids-'))
    api = await installOurs(target, overlayFor(folder, `${NODE_ADDRESS}:${port}`))
    await api.createNamespace(NAMESPACE)
    const shown = { 'outrigger.dev/auth': 'oidc', 'outrigger.dev/tls-secret': 'serving' }
    const server = serverObjects('static', 'server', {
      annotations: {
        ...shown,
        'outrigger.dev/public-url': SERVER,
        'outrigger.dev/oidc-issuers': 'none',
        'outrigger.dev/spiffe-ids': `spiffe://example.org/ns/${NAMESPACE}/*`,
      },
    })
    const bound = serverObjects('static', 'bound', {
      annotations: { ...shown, 'outrigger.dev/public-url': BOUND },
    })
    await api.apply([servingSecret(), ...server, ...bound], NAMESPACE)
    await readyPod(api, NAMESPACE, 'server')
    await readyPod(api, NAMESPACE, 'bound')
  })

  afterAll(async () => {
    endpoint.closeAllConnections()
    endpoint.close()
    if (folder) rmSync(folder, { recursive: true })
    await api?.remove(`/api/v1/namespaces/${NAMESPACE}`)
  })

  describe('a workload', () => {
    const svid = (by: Issued, id = ID): Call => ({ by: issue({ uris: [id], by }) })
    const token = async (key: SigningKey, claims: object = {}): Promise<Call> => {
      const bearer = await jwtSvid(key, { sub: ID, aud: SERVER, ...claims })
      return { headers: { authorization: `Bearer ${bearer}` } }
    }
    const statusOf = async (one: Call | Promise<Call>): Promise<number> =>
      (await call(await readyPod(api, NAMESPACE, 'server'), SERVER, await one)).status

    test('is served by its X.509-SVID, and by its JWT-SVID', async () => {
      await waitFor('the bundle', async () =>
        (await statusOf(svid(first))) === 200 ? true : undefined,
      )
      expect(await statusOf(token(keys.first))).toBe(200)
    })

    test.each<[string, () => Call | Promise<Call>]>([
      ['nothing', () => ({})],
      ["another's certificate", () => svid(second)],
      ['the certificate of a workload elsewhere', () => svid(first, 'spiffe://example.org/ns/a/x')],
      ['a JWT-SVID for another server', () => token(keys.first, { aud: BOUND })],
      ['a JWT-SVID by an unknown key', () => token(keys.second)],
      ['a token of an issuer that is not chosen', () => token(keys.issuer, { iss: issuer })],
    ])('is refused with %s', async (_name, one) => {
      expect(await statusOf(one())).toBe(401)
    })

    test('is known by other authorities and keys as soon as the endpoint says them, without a restart', async () => {
      const pod = await readyPod(api, NAMESPACE, 'server')
      bundle = bundleOf(2, [first, second], [keys.first, keys.second])
      await waitFor('both authorities', async () =>
        (await statusOf(svid(second))) === 200 ? true : undefined,
      )
      expect(await statusOf(token(keys.second))).toBe(200)
      expect(await statusOf(svid(first))).toBe(200)
      bundle = bundleOf(3, [second], [keys.second])
      await waitFor('the first to go', async () =>
        (await statusOf(svid(first))) === 401 ? true : undefined,
      )
      expect(await statusOf(token(keys.first))).toBe(401)
      expect([await statusOf(svid(second)), await statusOf(token(keys.second))]).toEqual([200, 200])
      expect(startsOf(await readyPod(api, NAMESPACE, 'server'))).toEqual(startsOf(pod))
    })
  })

  describe('a token that is bound to a key', () => {
    let holder: Holder
    let token: string

    beforeAll(async () => {
      holder = await keyHolder()
      const exp = Math.floor(Date.now() / 1000) + 300
      const claims = { iss: issuer, sub: 'ada', aud: BOUND, exp, cnf: { jkt: holder.jkt } }
      token = await signed(claims, keys.issuer)
    })

    const ask = async (headers: Readonly<Record<string, string>>): Promise<Answer> =>
      call(await readyPod(api, NAMESPACE, 'bound'), BOUND, { headers })
    const authorization = (): string => `DPoP ${token}`
    const prove = (by: Holder, nonce: string | undefined): Promise<string> =>
      by.prove({ method: 'POST', url: BOUND, token, nonce, nowSeconds: Date.now() / 1000 })

    test('is good with a proof by that key, made with our text, once', async () => {
      const told = await ask({
        authorization: authorization(),
        dpop: await prove(holder, undefined),
      })
      expect(told.status).toBe(401)
      expect(told.challenge).toContain('error="use_dpop_nonce"')
      const dpop = await prove(holder, told.nonce)
      expect((await ask({ authorization: authorization(), dpop })).status).toBe(200)
      const again = await ask({ authorization: authorization(), dpop })
      expect(again.status).toBe(401)
      expect(again.challenge).toContain('it was used before')
    })

    test('is refused by Bearer, without a proof, and with one by another key', async () => {
      expect((await ask({ authorization: `Bearer ${token}` })).status).toBe(401)
      const without = await ask({ authorization: authorization() })
      expect(without.status).toBe(401)
      const dpop = await prove(await keyHolder(), without.nonce)
      const stolen = await ask({ authorization: authorization(), dpop })
      expect(stolen.status).toBe(401)
      expect(stolen.challenge).toContain('not the one that the token is bound to')
    })
  })
})
