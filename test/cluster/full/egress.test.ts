// A server under `egress-mode: enforce` on a real kubelet, restricted as injection makes it, in every kind of image and over HTTP:
// what it declares it reaches through the proxy, everything else is refused and on record.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { ADMIN_PORT, SIDECAR_CONTAINER } from '../../../shared/names.ts'
import { at, type Api, type Json } from '../api.ts'
import { describeOwnCluster } from '../describe-cluster.ts'
import { muslObstacle } from '../images/roots.ts'
import { createKubectl } from '../kubectl.ts'
import { waitFor } from '../machine/waiting.ts'
import { installOurs, readyPod, serverObjects } from '../mcp-pods.ts'
import { EGRESS_IMAGE, loadEgressServer, loadServer } from '../node-images.ts'
import { PodSession } from '../pod-session.ts'
import { recordsIn } from '../records.ts'
import { webContainer } from '../web-container.ts'

const NAMESPACE = 'egress'
const OVERLAY = new URL('../overlays/egress', import.meta.url).pathname
const SCRIPT = new URL('../../fixtures/egress/pod-server.ts', import.meta.url)
const [WEB_PORT, UDP_PORT] = [8080, 8081]
/** What only the far pod says. */
const FAR = 'far'
const PATH = `/echo?msg=${FAR}`

const obstacle = muslObstacle()
if (obstacle !== undefined) process.stderr.write(`skipped: egress in a musl image: ${obstacle}\n`)

/** The script, mounted: images of Node have none of ours. */
const scripted = (
  ...words: readonly string[]
): { readonly container: Json; readonly spec: Json } => ({
  container: {
    command: ['node', '--no-warnings', '/app/egress/server.mts', ...words],
    volumeMounts: [{ name: 'script', mountPath: '/app/egress', readOnly: true }],
  },
  spec: { volumes: [{ name: 'script', configMap: { name: 'script' } }] },
})

const overHttp = (): { readonly container: Json; readonly spec: Json } => {
  const { container, spec } = scripted('8000')
  return { container: { ...container, ports: [{ containerPort: 8000 }] }, spec }
}

const SERVERS = [
  { name: 'glibc', image: 'glibc', parts: scripted() },
  { name: 'musl', image: 'musl', parts: scripted() },
  {
    name: 'static',
    image: 'static',
    parts: { container: { image: EGRESS_IMAGE, command: ['/egress-server'] } },
  },
  { name: 'http', image: 'glibc', parts: overHttp() },
] as const
const HERE = SERVERS.filter(({ image }) => image !== 'musl' || obstacle === undefined)

const DECLARED = ['web.egress.svc:80', '8090=web.egress.svc:80']

/** One pod whom two Services lead to: by one name it is declared, by the other it is not. */
const far = (): readonly Json[] => [
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', labels: { app: 'web' } },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [webContainer(WEB_PORT, UDP_PORT)],
    },
  },
  ...['web', 'other'].map((name) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: WEB_PORT }] },
  })),
]

interface Attempt {
  readonly name: string
  readonly tool: 'fetch' | 'dial'
  readonly args: (farAddress: string) => Json
  /** What the server has come to. */
  readonly says: RegExp
  /** What is on record of it; a kind of socket that nobody gets is no attempt. */
  readonly record?: (farAddress: string) => Json
}

/** Node asks by CONNECT for everything, Go in absolute form for plain HTTP. */
const BY_HTTP = expect.stringMatching(/^(connect|http)$/)
const NO_RIGHT = /EACCES|permission denied/

const ATTEMPTS: readonly Attempt[] = [
  {
    name: 'reaches what it declares, through the proxy',
    tool: 'fetch',
    args: () => ({ url: `http://web.${NAMESPACE}.svc${PATH}` }),
    says: /200 far/,
    record: () => ({
      how: BY_HTTP,
      verdict: 'allowed',
      rule: DECLARED[0],
      destination: expect.objectContaining({
        host: `web.${NAMESPACE}.svc.cluster.local`,
        port: 80,
      }),
    }),
  },
  {
    name: 'reaches what it declares, by a forward',
    tool: 'fetch',
    args: () => ({ url: `http://127.0.0.1:8090${PATH}` }),
    says: /200 far/,
    record: () => ({ how: 'forward', verdict: 'allowed', rule: DECLARED[1] }),
  },
  {
    name: 'is refused the same pod by a name that it does not declare',
    tool: 'fetch',
    args: () => ({ url: `http://other.${NAMESPACE}.svc${PATH}` }),
    says: /\b403\b/,
    record: () => ({
      how: BY_HTTP,
      verdict: 'denied',
      why: 'undeclared',
      destination: expect.objectContaining({
        host: `other.${NAMESPACE}.svc.cluster.local`,
        port: 80,
      }),
    }),
  },
  {
    name: 'is refused the same pod past the proxy',
    tool: 'dial',
    args: (address) => ({ protocol: 'tcp', address: `${address}:${WEB_PORT}` }),
    says: NO_RIGHT,
    record: (address) => ({
      how: 'direct',
      verdict: 'denied',
      destination: expect.objectContaining({ address, port: WEB_PORT, protocol: 'tcp' }),
    }),
  },
  {
    name: 'gets no UDP',
    tool: 'dial',
    args: (address) => ({ protocol: 'udp', address: `${address}:${UDP_PORT}` }),
    says: NO_RIGHT,
  },
]

describeOwnCluster('full', 'egress under enforcement', (target) => {
  const kubectl = createKubectl(target)
  const pods = new Map<string, Json>()
  let api: Api | undefined
  let farAddress: string

  const podOf = (name: string): Json => pods.get(name) ?? {}
  const recordsOf = async (name: string) => {
    const pod = String(at(podOf(name), 'metadata', 'name'))
    return recordsIn(await kubectl.run('-n', NAMESPACE, 'logs', pod, '-c', SIDECAR_CONTAINER))
  }

  beforeAll(async () => {
    await Promise.all([loadServer(target, 'glibc'), loadEgressServer(target)])
    if (obstacle === undefined) await loadServer(target, 'musl')
    api = await installOurs(target, OVERLAY)
    await api.createNamespace(NAMESPACE)
    const data = { 'server.mts': readFileSync(SCRIPT, 'utf8') }
    const script = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'script' }, data }
    await api.apply([script, ...far()], NAMESPACE)
    for (const { name, image, parts } of HERE) {
      const annotations = {
        'outrigger.dev/egress': DECLARED.join(', '),
        'outrigger.dev/audit-sink': 'stdout',
        'outrigger.dev/transport': name === 'http' ? 'http' : 'stdio',
      }
      await api.apply(serverObjects(image, name, { ...parts, annotations }), NAMESPACE)
    }
    for (const { name } of HERE) pods.set(name, await readyPod(api, NAMESPACE, name))
    await kubectl.ready(NAMESPACE, 'web')
    const { body } = await api.get(`/api/v1/namespaces/${NAMESPACE}/pods/web`)
    farAddress = String(at(body, 'status', 'podIP'))
  })

  afterAll(async () => await api?.remove(`/api/v1/namespaces/${NAMESPACE}`))

  test('who is not confined reaches the far pod, by TCP and by UDP', async () => {
    const answer = await fetch(`http://${farAddress}:${WEB_PORT}${PATH}`)
    expect(await answer.text()).toBe(FAR)
    const socket = createSocket('udp4')
    const heard = once(socket, 'message')
    socket.send(`echo ${FAR}`, UDP_PORT, farAddress)
    expect(String((await heard)[0]).trim()).toBe(FAR)
    socket.close()
  })

  describe.each(HERE)('$name', ({ name }) => {
    test('is restricted, and held', async () => {
      const pod = podOf(name)
      expect(at(pod, 'spec', 'securityContext')).toMatchObject({
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      })
      expect(at(pod, 'spec', 'containers', 0, 'securityContext')).toMatchObject({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      })
      const address = String(at(pod, 'status', 'podIP'))
      const answer = await fetch(`http://${address}:${ADMIN_PORT}/readyz`)
      expect(await answer.text()).toContain('egress_enforcement="enforced"')
      expect(answer.status).toBe(200)
    })

    test.each(ATTEMPTS)('$name', async ({ tool, args, says, record }) => {
      const session = new PodSession(podOf(name))
      await session.open()
      const params = { name: tool, arguments: args(farAddress) }
      const { text } = await session.post({ method: 'tools/call', params })
      expect(text).toMatch(says)
      if (!record) return
      const isIt = expect.objectContaining({
        event: 'egress',
        enforcement: 'enforced',
        ...record(farAddress),
      })
      await waitFor('its record', async () =>
        (await recordsOf(name)).some((one) => isIt.asymmetricMatch(one)) ? true : undefined,
      )
    })
  })
})
