// A pod calls by its ServiceAccount: a projected token for this server is accepted of the account that the floor names, and
// of no other, by the cluster's own issuer and keys. No sidecar may review tokens.

import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { POLICY_DIR } from '../../../shared/names.ts'
import type { Api, Json } from '../api.ts'
import { describeOwnCluster } from '../describe-cluster.ts'
import { createKubectl } from '../kubectl.ts'
import { waitFor } from '../machine/waiting.ts'
import { clientPod, installOurs, readyPod, serverObjects } from '../mcp-pods.ts'
import { changedAt, startsOf } from '../mounted.ts'
import { loadClient, loadServer } from '../node-images.ts'
import { PodSession } from '../pod-session.ts'

const NAMESPACE = 'accounts'
const ACCOUNTS = ['agent', 'second', 'other']
const SERVER = `http://server.${NAMESPACE}/mcp`
const OVERLAY = new URL('../overlays/service-accounts', import.meta.url).pathname
const TOKENS = '/var/run/tokens'
/** Its callers are held to a tool policy. */
const GUARDED = `http://guarded.${NAMESPACE}/mcp`
const ISSUER = 'https://kubernetes.default.svc.cluster.local'
/** How soon after its file's change a policy has to hold, as the sidecar promises it. */
const PROMISED_MS = 5000
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

/** Everybody may call `echo`, and of those who are named nobody anything. */
const policyOf = (...blocked: readonly string[]): string => {
  const principals = blocked.map((name) => ({
    issuer: ISSUER,
    subject: `system:serviceaccount:${NAMESPACE}:${name}`,
  }))
  const rules = [
    { name: 'echoes', effect: 'allow', tools: ['echo'] },
    ...(principals.length === 0 ? [] : [{ name: 'gone', effect: 'deny', who: { principals } }]),
  ]
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'policy', namespace: NAMESPACE },
    data: { 'policy.yaml': JSON.stringify({ version: 1, rules }) },
  })
}

const ECHO = { method: 'tools/call', params: { name: 'echo', arguments: { message: 'hello' } } }

const tokenFor = (path: string, audience: string): Json => ({
  serviceAccountToken: { path, audience, expirationSeconds: 600 },
})

/** A client's pod with tokens of its account, for this server and for another. */
const clientOf = (account: string): Json => {
  const sources = [
    tokenFor('here', SERVER),
    tokenFor('there', 'http://other/mcp'),
    tokenFor('guarded', GUARDED),
  ]
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
    for (const account of ACCOUNTS) {
      await kubectl.run('-n', NAMESPACE, 'create', 'serviceaccount', account)
    }
    await kubectl.apply(policyOf())
    const annotations = { 'outrigger.dev/auth': 'oidc', 'outrigger.dev/public-url': SERVER }
    const server = serverObjects('static', 'server', { annotations })
    const guarded = serverObjects('static', 'guarded', {
      annotations: {
        'outrigger.dev/auth': 'oidc',
        'outrigger.dev/public-url': GUARDED,
        'outrigger.dev/tool-policy': 'policy',
      },
    })
    await api.apply([...ACCOUNTS.map(clientOf), ...server, ...guarded], NAMESPACE)
    await readyPod(api, NAMESPACE, 'server')
    for (const client of ACCOUNTS) {
      await kubectl.ready(NAMESPACE, client)
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

  test("a rule that names an account ends its living session, and no other's, soon after its file has changed", async () => {
    const pod = await readyPod(api, NAMESPACE, 'guarded')
    const open = async (account: string): Promise<PodSession> => {
      const read = `process.stdout.write(fs.readFileSync('${TOKENS}/guarded'))`
      const exec = ['exec', account, '--', 'node', '-e', read]
      const session = new PodSession(pod, await kubectl.run('-n', NAMESPACE, ...exec))
      await session.open()
      expect((await session.post(ECHO)).text).toContain('Echo: hello')
      return session
    }
    const [blocked, living] = [await open('agent'), await open('second')]
    const was = changedAt(target, pod, POLICY_DIR)
    const ended = blocked.untilEnded()
    await kubectl.apply(policyOf('agent'))
    const endedAt = await ended
    const changed = changedAt(target, pod, POLICY_DIR)
    expect(changed).toBeGreaterThan(was)
    expect(endedAt - changed).toBeLessThan(PROMISED_MS)
    expect((await blocked.post(ECHO)).status).toBe(403)
    expect((await living.post(ECHO)).text).toContain('Echo: hello')
    expect(startsOf(await readyPod(api, NAMESPACE, 'guarded'))).toEqual(startsOf(pod))
  })
})
