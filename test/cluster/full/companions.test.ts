// Companions on a network that enforces policies, kept by the controller of the image: who is named reaches the server by its
// Service and nobody else does; the pod reaches what it has declared and nothing else, whatever runs in it.

import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { at, type Api, type Json } from '../api.ts'
import { describeOwnCluster } from '../describe-cluster.ts'
import { createKubectl } from '../kubectl.ts'
import { waitFor } from '../machine/waiting.ts'
import { clientPod, installOurs, readyPod, serverObjects, untilServed } from '../mcp-pods.ts'
import { loadClient, loadServer } from '../node-images.ts'
import { webContainer } from '../web-container.ts'

const NAMESPACE = 'beside'
const AGENTS = 'agents'
const STRANGERS = 'strangers'
const OVERLAY = new URL('../overlays/companions', import.meta.url).pathname
const CONTROLLER = new URL('../../../manifests/base/companions', import.meta.url).pathname
const SERVICE = `outrigger-deployment-server.${NAMESPACE}`
const MCP_PORT = 15_200
const POLICIES = `/apis/networking.k8s.io/v1/namespaces/${NAMESPACE}/networkpolicies`

/** Connects, or says within three seconds that it cannot. */
const CONNECT = `
const [host, port] = process.argv.slice(1)
const socket = require('node:net').connect({ host, port: Number(port) })
const say = (word) => { console.log(word); process.exit() }
socket.on('connect', () => say('connected'))
socket.on('error', (error) => say('no way: ' + error.code))
setTimeout(() => say('no way'), 3000)
`

const web = (name: string): Json => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { app: name } },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [{ ...webContainer(8080), ports: [{ name: 'http', containerPort: 8080 }] }],
  },
})

describeOwnCluster('full', 'companions', (target) => {
  const kubectl = createKubectl(target)
  let api: Api
  let server = ''

  const addressOf = async (name: string): Promise<string> => {
    await kubectl.ready(STRANGERS, name)
    const { body } = await api.get(`/api/v1/namespaces/${STRANGERS}/pods/${name}`)
    return String(at(body, 'status', 'podIP'))
  }
  const connect = async (
    namespace: string,
    [pod, container]: readonly [string, string],
    host: string,
    port: number,
  ): Promise<string> => {
    const exec = ['-n', namespace, 'exec', pod, '-c', container, '--', 'node', '-e', CONNECT]
    return (await kubectl.run(...exec, host, String(port))).trim()
  }
  const fromServer = (host: string, port: number): Promise<string> =>
    connect(NAMESPACE, [server, 'server'], host, port)

  beforeAll(async () => {
    await loadServer(target, 'glibc')
    await loadClient(target)
    api = await installOurs(target, OVERLAY)
    await kubectl.run('apply', '-k', CONTROLLER)
    for (const name of [NAMESPACE, AGENTS, STRANGERS]) await api.createNamespace(name)
    for (const name of [AGENTS, STRANGERS]) {
      await api.apply([clientPod('client')], name)
      await kubectl.ready(name, 'client')
    }
    const ports = [{ port: 80, targetPort: 'http' }]
    const service = { metadata: { name: 'web' }, spec: { selector: { app: 'web' }, ports } }
    const objects = [web('web'), web('other'), { apiVersion: 'v1', kind: 'Service', ...service }]
    await api.apply(objects, STRANGERS)
    const annotations = {
      'outrigger.dev/ingress-from': AGENTS,
      'outrigger.dev/egress-mode': 'enforce',
      'outrigger.dev/egress': `web.${STRANGERS}.svc:80`,
    }
    await api.apply(serverObjects('glibc', 'server', { annotations }), NAMESPACE)
    server = String(at(await readyPod(api, NAMESPACE, 'server'), 'metadata', 'name'))
    await waitFor('the policy', async () =>
      (await api.get(`${POLICIES}/outrigger-deployment-server`)).status === 200 ? true : undefined,
    )
  })
  afterAll(async () => {
    for (const name of [NAMESPACE, AGENTS, STRANGERS])
      await api.remove(`/api/v1/namespaces/${name}`)
    await kubectl.run('delete', '--ignore-not-found', '-k', CONTROLLER)
  })

  test('who is named calls the server by the Service beside it', async () => {
    const client = { namespace: AGENTS, name: 'client' }
    const url = `http://${SERVICE}:${MCP_PORT}/mcp`
    expect(await untilServed(target, client, url)).toBe('Echo: hello')
  })

  test('who is not named does not reach it', async () => {
    expect(await connect(AGENTS, ['client', 'client'], SERVICE, MCP_PORT)).toBe('connected')
    expect(await connect(STRANGERS, ['client', 'client'], SERVICE, MCP_PORT)).toMatch(/^no way/)
  })

  test('the pod reaches the Service that is declared, and its pods alone', async () => {
    const [declared, other] = [await addressOf('web'), await addressOf('other')]
    expect(await fromServer(declared, 8080)).toBe('connected')
    expect(await fromServer(`web.${STRANGERS}.svc.cluster.local`, 80)).toBe('connected')
    expect(await fromServer(other, 8080)).toMatch(/^no way/)
    expect(await connect(STRANGERS, ['client', 'client'], other, 8080)).toBe('connected')
  })

  test('and not the API server, for which nobody has asked', async () => {
    expect(await fromServer('kubernetes.default.svc.cluster.local', 443)).toMatch(/^no way/)
    expect(await connect(STRANGERS, ['client', 'client'], 'kubernetes.default', 443)).toBe(
      'connected',
    )
  })
})
