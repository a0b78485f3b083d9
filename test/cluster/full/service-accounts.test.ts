// A pod calls by its ServiceAccount: a projected token for this server is accepted of the account that the floor names, and
// of no other, by the cluster's own issuer and keys. No sidecar may review tokens.

import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Api, Json } from '../api.ts'
import { describeOwnCluster } from '../describe-cluster.ts'
import { createKubectl } from '../kubectl.ts'
import { waitFor } from '../machine/waiting.ts'
import { clientPod, installOurs, readyPod, serverObjects } from '../mcp-pods.ts'
import { loadClient, loadServer } from '../node-images.ts'

const NAMESPACE = 'accounts'
const SERVER = `http://server.${NAMESPACE}/mcp`
const OVERLAY = new URL('../overlays/service-accounts', import.meta.url).pathname
const TOKENS = '/var/run/tokens'
const OWN = '/var/run/secrets/kubernetes.io/serviceaccount/token'

/** What a client sends, with the token of a file, and what it prints: the status and the challenge. */
const ASK = `
const [url, file] = process.argv.slice(1)
const token = require('node:fs').readFileSync(file, 'utf8')
const initialize = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } }
fetch(url, {
  method: 'POST',
  headers: {
    authorization: 'Bearer ' + token,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  },
  body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: initialize }),
}).then(async (answer) => {
  await answer.text()
  console.log(answer.status, answer.headers.get('www-authenticate') ?? '')
})
`

const tokenFor = (path: string, audience: string): Json => ({
  serviceAccountToken: { path, audience, expirationSeconds: 600 },
})

/** A client's pod with tokens of its account, for this server and for another. */
const clientOf = (account: string): Json => {
  const sources = [tokenFor('here', SERVER), tokenFor('there', 'http://other/mcp')]
  const volumes = [{ name: 'tokens', projected: { sources } }]
  return clientPod(account, {
    container: { volumeMounts: [{ name: 'tokens', mountPath: TOKENS }] },
    spec: { serviceAccountName: account, volumes },
  })
}

describeOwnCluster('full', 'ServiceAccounts', (target) => {
  const kubectl = createKubectl(target)
  let api: Api

  const ask = async (client: string, file: string): Promise<string> => {
    const { code, stdout, stderr } = await attemptIn(client, file)
    return code === 0 ? stdout.trim() : stderr
  }
  const attemptIn = (client: string, file: string) =>
    kubectl.attempt('-n', NAMESPACE, 'exec', client, '--', 'node', '-e', ASK, SERVER, file)

  beforeAll(async () => {
    await Promise.all([loadClient(target), loadServer(target, 'static')])
    api = await installOurs(target, OVERLAY)
    await api.createNamespace(NAMESPACE)
    for (const account of ['agent', 'other']) {
      await kubectl.run('-n', NAMESPACE, 'create', 'serviceaccount', account)
    }
    const annotations = { 'outrigger.dev/auth': 'oidc', 'outrigger.dev/public-url': SERVER }
    const server = serverObjects('static', 'server', { annotations })
    await api.apply([clientOf('agent'), clientOf('other'), ...server], NAMESPACE)
    await readyPod(api, NAMESPACE, 'server')
    for (const client of ['agent', 'other']) {
      await kubectl.run('-n', NAMESPACE, 'wait', '--for=condition=Ready', `pod/${client}`)
    }
    await waitFor('the Service to lead to the server', async () => {
      const said = await ask('agent', `${TOKENS}/here`)
      if (/^[24]/.test(said)) return true
      throw new Error(said)
    })
  })

  afterAll(async () => await api.remove(`/api/v1/namespaces/${NAMESPACE}`))

  test('a token of the named account, for this server, is accepted', async () => {
    expect(await ask('agent', `${TOKENS}/here`)).toBe('200')
  })

  test.each([
    ['of another account', 'other', `${TOKENS}/here`, /^401 .*not among those that are listed/],
    ['for another server', 'agent', `${TOKENS}/there`, /^401 .*not meant for this server/],
    ['for the API server', 'agent', OWN, /^401 .*not meant for this server/],
  ])('one %s is refused', async (_name, client, file, says) => {
    expect(await ask(client, file)).toMatch(says)
  })
})
