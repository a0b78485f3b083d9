// The ways to a server that nothing holds on loopback, and to what else it serves: its port's name, TLS
// with a certificate of the pod's own, other ports.

import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { startRegistry, type Registry } from '../../support/registry.ts'
import { at, list, type Api, type Json } from '../api.ts'
import { describeOwnCluster } from '../describe-cluster.ts'
import { layerOf } from '../images/layers.ts'
import { pushImage } from '../images/push.ts'
import { certificateSecret } from '../certificate-secret.ts'
import { waitFor } from '../machine/waiting.ts'
import { callOnce, clientPod, installOurs, isReady, podsOf, readyPod } from '../mcp-pods.ts'
import { loadClient } from '../node-images.ts'
import { deploymentOf, INJECT } from '../pods.ts'
import { toolCalls } from '../tool-calls.ts'

const NAMESPACE = 'ways-in'
const CLIENT = { namespace: NAMESPACE, name: 'client' }
const PORT = 8000
const HEALTH_PORT = 9100
const SIDECAR_PORT = 15_200
const IMAGE = {
  cmd: ['python3', '/app/server.py'],
  env: ['PATH=/usr/local/bin:/usr/bin:/bin', 'PYTHONPATH=/app/packages'],
  user: '1000',
}

const WEB = { ports: [{ name: 'web', containerPort: PORT }] }
// Named in the spec, so that the shim holds it; the image alone tells it otherwise, and is in no index.
const KNOWN = { command: ['python3', '/app/server.py'] }

const TLS: Json = {
  ...WEB,
  env: [{ name: 'TLS', value: '/tls' }],
  readinessProbe: {
    httpGet: { path: '/health', port: 'web', scheme: 'HTTPS' },
    periodSeconds: 1,
  },
  volumeMounts: [
    { name: 'tls', mountPath: '/tls', readOnly: true },
    { name: 'ca', mountPath: '/ca', readOnly: true },
  ],
}

interface Way {
  readonly name: string
  readonly targetPort: number | string
  readonly annotations?: Json
  readonly container: Json
}

const CA = { 'outrigger.dev/ca-file': '/ca/tls.crt' }
const WAYS = {
  named: { name: 'named', targetPort: 'web', container: WEB },
  tls: { name: 'tls', targetPort: SIDECAR_PORT, annotations: CA, container: TLS },
  stranger: { name: 'stranger', targetPort: SIDECAR_PORT, annotations: CA, container: TLS },
  carried: {
    name: 'carried',
    targetPort: PORT,
    container: {
      ...KNOWN,
      env: [{ name: 'HEALTH_PORT', value: String(HEALTH_PORT) }],
      ports: [...WEB.ports, { name: 'health', containerPort: HEALTH_PORT }],
      readinessProbe: { httpGet: { path: '/health', port: 'web' }, periodSeconds: 1 },
      startupProbe: {
        httpGet: { path: '/', port: 'health' },
        periodSeconds: 1,
        failureThreshold: 60,
      },
    },
  },
} as const satisfies Readonly<Record<string, Way>>

const objectsOf = ({ name, targetPort, annotations = {}, container }: Way, image: string) => {
  const server = { name: 'server', image, ...container }
  // A certificate that did not sign the server's stands beside the right one.
  const secrets = { tls: 'certificate', ca: name === 'stranger' ? 'other' : 'certificate' }
  const volumes = Object.entries(secrets).map(([volume, secretName]) => ({
    name: volume,
    secret: { secretName },
  }))
  const security = { runAsUser: 1000 }
  const spec = { volumes, securityContext: security, containers: [server] }
  const pod = {
    metadata: { annotations: { ...INJECT, ...annotations } },
    spec: { ...spec, terminationGracePeriodSeconds: 5 },
  }
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { selector: { app: name }, ports: [{ port: 80, targetPort }] },
  }
  return [deploymentOf(pod, name), service]
}

describeOwnCluster('full', 'ways in', (target) => {
  let registry: Registry
  let api: Api

  const get = async (path: string): Promise<Json> =>
    (await api.get(`/api/v1/namespaces/${NAMESPACE}/${path}`)).body

  /** The ports by which a Service's endpoints are reached, as the endpoint controller has them. */
  const endpointPorts = async (service: string): Promise<readonly unknown[]> => {
    const query = `labelSelector=kubernetes.io%2Fservice-name%3D${service}`
    const path = `/apis/discovery.k8s.io/v1/namespaces/${NAMESPACE}/endpointslices?${query}`
    const { body } = await api.get(path)
    return list(body, 'items').flatMap((slice) =>
      list(slice, 'ports').map((port) => at(port, 'port')),
    )
  }

  const call = (url: string): Promise<string> =>
    waitFor(`${url} to lead somewhere`, async () => {
      const options = { url, tool: 'echo', args: { message: 'hello' } }
      const told = await callOnce(target, CLIENT, { era: 'legacy', ...options })
      return /ECONNREFUSED|EAI_AGAIN/.test(told) ? undefined : told
    })

  beforeAll(async () => {
    registry = await startRegistry()
    const place = { registry: registry.host, repository: 'servers', tag: 'ways' }
    const layers = [await layerOf('python', target.own), await layerOf('python-server', target.own)]
    await pushImage(place, layers, IMAGE)
    await loadClient(target)
    api = await installOurs(target)
    await api.createNamespace(NAMESPACE)
    const secrets = [await certificateSecret('certificate'), await certificateSecret('other')]
    await api.apply([clientPod('client'), ...secrets], NAMESPACE)
    const image = `${registry.host}/servers:ways`
    for (const way of Object.values(WAYS)) await api.apply(objectsOf(way, image), NAMESPACE)
  })

  afterAll(async () => {
    await api?.remove(`/api/v1/namespaces/${NAMESPACE}`)
    await registry?.stop()
  })

  test("a Service that targets the port's name leads to the sidecar", async () => {
    const pod = await readyPod(api, NAMESPACE, 'named')
    expect(list(pod, 'spec', 'containers', 0, 'ports')).toEqual([
      { containerPort: PORT, protocol: 'TCP' },
    ])
    await waitFor('its endpoints', async () =>
      (await endpointPorts('named')).length > 0 ? true : undefined,
    )
    expect(await endpointPorts('named')).toEqual([SIDECAR_PORT])
    const before = await toolCalls(pod)
    expect(await call(`http://named.${NAMESPACE}/mcp`)).toBe('Echo: hello')
    expect((await toolCalls(pod)) - before).toBe(1)
  })

  test('a server behind TLS is reached by its own certificate, and its HTTPS probe goes on', async () => {
    const pod = await readyPod(api, NAMESPACE, 'tls')
    const probe = at(pod, 'spec', 'containers', 0, 'readinessProbe', 'httpGet')
    expect(probe).toMatchObject({ path: '/health', scheme: 'HTTPS' })
    const before = await toolCalls(pod)
    expect(await call(`http://tls.${NAMESPACE}/mcp`)).toBe('Echo: hello')
    expect((await toolCalls(pod)) - before).toBe(1)
  })

  test("a server whose certificate is another's is never served, and the log says why", async () => {
    const said = await waitFor('the sidecar to say why', async () => {
      const [pod] = await podsOf(api, NAMESPACE, 'stranger')
      const name = String(at(pod, 'metadata', 'name'))
      const log = await get(`pods/${name}/log?container=outrigger-sidecar`)
      return /certificate/.test(String(log['text']))
        ? { pod, text: String(log['text']) }
        : undefined
    })
    expect(said.text).toMatch(/ca-file/)
    expect(isReady(said.pod)).toBe(false)
  })

  test('another port passes the sidecar as it is, and the probes ask the server on loopback', async () => {
    const pod = await readyPod(api, NAMESPACE, 'carried')
    const ip = String(at(pod, 'status', 'podIP'))
    expect(await (await fetch(`http://${ip}:${HEALTH_PORT}/`)).text()).toBe('well')
    const probe = ['readinessProbe', 'exec', 'command']
    expect(at(pod, 'spec', 'containers', 0, ...probe)).toContain('/health')
    expect(await call(`http://carried.${NAMESPACE}/mcp`)).toBe('Echo: hello')
    const status = list(pod, 'status', 'containerStatuses')[0]
    expect(at(status, 'restartCount')).toBe(0)
  })
})
