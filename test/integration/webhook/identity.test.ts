// From the cluster configuration to a call: an issuer is listed, a pod chooses it, the webhook renders the sidecar's
// document, and a sidecar with that document serves whom the issuer vouches for and nobody else.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { admitted } from '../../../cli/start/admitted.ts'
import { submit } from '../../../cli/start/submit.ts'
import { localPod, NOTHING_AROUND } from '../../../cli/dev/local-pod.ts'
import { startLocalSidecar, type LocalSidecar } from '../../../cli/run/local-sidecar.ts'
import { isObject, type JsonObject } from '../../../shared/json.ts'
import { createLog } from '../../../shared/log.ts'
import { fixedNamespaces } from '../../../webhook/cluster/namespace.ts'
import { readClusterConfig } from '../../../webhook/cluster/config.ts'
import { startWebhook, type EmbeddedWebhook } from '../../../webhook/embedded.ts'
import {
  signed,
  signingKey,
  startIssuer,
  type Claims,
  type FakeIssuer,
  type SigningKey,
} from '../../support/issuer.ts'
import { PUPPET } from '../../support/puppet.ts'
import { INITIALIZE, JSON_HEADERS, send } from '../../support/raw-http.ts'

const NAMESPACE = 'team-a'
const OWN = 'https://mcp.example.com/team-a/echo'
const log = createLog({ level: 'error', write: () => undefined, now: Date.now })

let listed: FakeIssuer
let other: FakeIssuer
let unlisted: FakeIssuer
let key: SigningKey
let webhook: EmbeddedWebhook

const configFor = (): string => `
sidecar: { image: outrigger-sidecar:0.1.0 }
floor:
  allowLoopbackIssuers: true
  issuers:
    - url: ${listed.url}
      audiences: [batch]
      hosts: [{ host: '${new URL(listed.url).host}', reach: loopback }]
    - url: ${other.url}
      hosts: [{ host: '${new URL(other.url).host}', reach: loopback }]
  publicUrls: { '*': ['https://mcp.example.com/{namespace}/*'] }
`

const podWith = (annotations: string): JsonObject => {
  const pod: unknown = parse(`
apiVersion: v1
kind: Pod
metadata:
  name: echo
  annotations: { outrigger.dev/inject: 'true', ${annotations} }
spec: { containers: [{ name: server, image: echo, command: [echo] }] }
`)
  return isObject(pod) ? pod : {}
}

/** What the webhook makes of a pod; it throws with the webhook's words where it denies. */
const review = async (annotations: string): Promise<JsonObject> => {
  const { url, caBundle } = webhook
  const pod = podWith(annotations)
  return admitted(pod, await submit({ url, caBundle, namespace: NAMESPACE, pod }))
}

/** The pod's sidecar, with the document that it got, and a server, as processes of this machine. */
const startPod = async (annotations: string): Promise<LocalSidecar> => {
  const pod = localPod(await review(annotations), 0, NOTHING_AROUND)
  if (!pod.ok) throw new Error(pod.error.join('\n'))
  const server = { command: PUPPET, environment: { PATH: process.env['PATH'] } }
  const local = await startLocalSidecar(pod.value.config, server, { log, serverLog: log })
  await local.sidecar.ready
  return local
}

const seconds = (): number => Math.floor(Date.now() / 1000)

const tokenOf = (issuer: FakeIssuer, more: Claims): Promise<string> =>
  signed({ iss: issuer.url, sub: 'ada', iat: seconds(), exp: seconds() + 300, ...more }, key)

beforeAll(async () => {
  key = await signingKey('one')
  listed = await startIssuer([key.publicJwk])
  other = await startIssuer([key.publicJwk])
  unlisted = await startIssuer([key.publicJwk])
  const config = readClusterConfig(configFor())
  if (!config.ok) throw new Error(config.error.join('\n'))
  webhook = await startWebhook({
    config: config.value,
    namespaces: fixedNamespaces([{ name: NAMESPACE, labels: {}, annotations: {} }]),
    log,
  })
})

afterAll(async () => {
  await webhook.close()
  await listed.close()
  await other.close()
  await unlisted.close()
})

type Row = readonly [name: string, token: () => Promise<string>, status: number]

const rowsFor = (annotations: string, rows: readonly Row[]): void => {
  let pod: LocalSidecar
  const url = (): string => `http://127.0.0.1:${pod.sidecar.port}/mcp`

  beforeAll(async () => {
    pod = await startPod(annotations)
  })

  afterAll(() => pod.close())

  test.each(rows)('%s', async (_name, token, status) => {
    const headers = { ...JSON_HEADERS, authorization: `Bearer ${await token()}` }
    const reply = await send(url(), INITIALIZE, headers)
    expect([reply.status, reply.text]).toEqual([status, expect.any(String)])
  })

  test('nobody without a token', async () => {
    expect((await send(url(), INITIALIZE, JSON_HEADERS)).status).toBe(401)
  })
}

describe('a pod that says no more than its URL is served to', () => {
  rowsFor(`outrigger.dev/public-url: ${OWN}`, [
    ['whom a listed issuer vouches for', () => tokenOf(listed, { aud: OWN }), 200],
    ['whom another listed issuer vouches for', () => tokenOf(other, { aud: OWN }), 200],
    ['nobody of an issuer that is not listed', () => tokenOf(unlisted, { aud: OWN }), 401],
    [
      'nobody with a token for another server',
      () => tokenOf(listed, { aud: 'https://mcp.example.com/team-b/mail' }),
      401,
    ],
    [
      'nobody with a listed audience that it has not chosen',
      () => tokenOf(listed, { aud: 'batch' }),
      401,
    ],
    [
      'nobody with a token for the address that it listens on',
      () => tokenOf(listed, { aud: 'http://127.0.0.1:15200/mcp' }),
      401,
    ],
  ])
})

describe('a pod that narrows is served to', () => {
  const annotations = (): string =>
    `outrigger.dev/public-url: ${OWN}, outrigger.dev/oidc-audience: batch, outrigger.dev/required-scopes: mcp`
  rowsFor(annotations(), [
    [
      'whom the chosen issuer vouches for, with the chosen audience and scope',
      () => tokenOf(listed, { aud: 'batch', scope: 'mcp' }),
      200,
    ],
    [
      'nobody of an issuer that may not name the audience',
      () => tokenOf(other, { aud: 'batch', scope: 'mcp' }),
      401,
    ],
    ['nobody with its URL alone', () => tokenOf(listed, { aud: OWN, scope: 'mcp' }), 401],
    ['nobody without the scope', () => tokenOf(listed, { aud: 'batch' }), 403],
  ])
})

describe('the webhook denies', () => {
  test.each<readonly [string, () => string, RegExp]>([
    [
      'an issuer that is not listed, though it answers',
      () => `outrigger.dev/public-url: ${OWN}, outrigger.dev/oidc-issuers: '${unlisted.url}'`,
      /oidc-issuers: .* not listed/,
    ],
    [
      'another namespace’s URL',
      () => 'outrigger.dev/public-url: https://mcp.example.com/team-b/mail',
      /public-url: .* not listed .* in namespace team-a/,
    ],
    ['a pod without any URL', () => `outrigger.dev/log-level: info`, /public-url is missing/],
  ])('%s', async (_name, annotations, says) => {
    await expect(review(annotations())).rejects.toThrow(says)
  })
})
