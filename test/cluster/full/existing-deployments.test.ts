// What people run already, in images of their own kinds: one annotation on the Deployment, and its
// old Service and its pod's own address lead to the sidecar, at the server's port as before.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { startRegistry, type Registry } from '../../support/registry.ts'
import { at, list, type Api, type Json } from '../api.ts'
import { describeOwnCluster } from '../describe-cluster.ts'
import { addImages, untilIndexIsRead } from '../image-index.ts'
import { layerOf } from '../images/layers.ts'
import { pushImage } from '../images/push.ts'
import { createKubectl } from '../kubectl.ts'
import { words } from '../machine/run.ts'
import { waitFor } from '../machine/waiting.ts'
import { callOnce, clientPod, installOurs, readyPod } from '../mcp-pods.ts'
import { loadClient } from '../node-images.ts'
import { podProcesses } from '../pod-processes.ts'
import { deploymentOf } from '../pods.ts'
import { SHAPES, type Shape } from '../shapes.ts'
import { toolCalls } from '../tool-calls.ts'

const NAMESPACE = 'existing'
const CLIENT = { namespace: NAMESPACE, name: 'client' }
const REPOSITORY = 'servers'

const service = (name: string, port: number): Json => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { selector: { app: name }, ports: [{ port: 80, targetPort: port }] },
})

/** As it stands in somebody's repository. */
const manifest = (shape: Shape, image: string): readonly Json[] => {
  const { name, port, container = {}, spec = {}, objects = [] } = shape
  const server = { name: 'server', image, ports: [{ containerPort: port }], ...container }
  const initContainers = list(spec, 'initContainers').map((each) => Object.assign({ image }, each))
  const pod = {
    metadata: {},
    spec: { ...spec, initContainers, terminationGracePeriodSeconds: 5, containers: [server] },
  }
  return [...objects, deploymentOf(pod, name), service(name, port)]
}

/** npm's and pip's registry: files, and a server of files. */
const packageIndex = (image: string): readonly Json[] => {
  const command = words('python3 -m http.server --directory /packages 8080')
  const pod = { metadata: {}, spec: { containers: [{ name: 'files', image, command }] } }
  return [deploymentOf(pod, 'packages'), service('packages', 8080)]
}

describeOwnCluster('full', 'existing Deployments', (target) => {
  const kubectl = createKubectl(target)
  const clusterId = target.own.dir.split('/').at(-1) ?? ''
  const warnings = new Map<string, string>()
  let registry: Registry
  let api: Api

  const image = (tag: string): string => `${registry.host}/${REPOSITORY}:${tag}`

  beforeAll(async () => {
    registry = await startRegistry()
    const packages = { name: 'packages', layers: ['python', 'packages'], image: {} } as const
    for (const { name, layers, image: config } of [packages, ...SHAPES]) {
      const place = { registry: registry.host, repository: REPOSITORY, tag: name }
      const made = []
      for (const layer of layers) made.push(await layerOf(layer, target.own))
      await pushImage(place, made, config)
    }
    await loadClient(target)
    api = await installOurs(target)
    const images = SHAPES.map(({ name }) => image(name))
    await addImages(target, registry.host, images)
    await api.createNamespace(NAMESPACE)
    // The platform team's word; the Deployments' authors say nothing but `inject`.
    await kubectl.run(...words(`annotate namespace ${NAMESPACE} outrigger.dev/auth=none`))
    await api.apply([clientPod('client'), ...packageIndex(image('packages'))], NAMESPACE)
    await readyPod(api, NAMESPACE, 'packages')
    await untilIndexIsRead(api)
    for (const shape of SHAPES) await api.apply(manifest(shape, image(shape.name)), NAMESPACE)
    for (const { name } of SHAPES) {
      const annotate = words(`annotate deployment ${name} outrigger.dev/inject=true`)
      const { code, stderr } = await kubectl.attempt('-n', NAMESPACE, ...annotate)
      expect({ name, code }).toEqual({ name, code: 0 })
      warnings.set(name, stderr)
    }
  })

  afterAll(async () => {
    await api?.remove(`/api/v1/namespaces/${NAMESPACE}`)
    await registry?.stop()
  })

  describe.each(SHAPES)('$name', ({ name, port, tool, args, answer, uid }) => {
    let pod: Json

    beforeAll(async () => {
      const status = words(`rollout status deployment/${name} --timeout=120s`)
      await kubectl.attempt('-n', NAMESPACE, ...status)
      pod = await readyPod(api, NAMESPACE, name)
    })

    test('comes up with the sidecar, and nobody is told that it is gone around', () => {
      const names = list(pod, 'spec', 'initContainers').map((each) => at(each, 'name'))
      expect(names).toContain('outrigger-sidecar')
      expect(at(pod, 'spec', 'containers', 0, 'image')).toMatch(/@sha256:[0-9a-f]{64}$/)
      expect(warnings.get(name)).not.toMatch(/around the sidecar|will be denied/)
    })

    test('runs as the user that it should, and nothing in the pod as root', () => {
      const processes = podProcesses(clusterId, String(at(pod, 'metadata', 'uid')))
      const uids = new Set(processes.map((process) => process.uid))
      expect(uids).toEqual(new Set([uid, 21_520]))
    })

    test.each([
      { way: 'its old Service', host: () => `${name}.${NAMESPACE}` },
      { way: "the pod's own address", host: () => `${String(at(pod, 'status', 'podIP'))}:${port}` },
    ])('a call by $way is answered, and has gone through the sidecar', async ({ host }) => {
      const before = await toolCalls(pod)
      const url = `http://${host()}/mcp`
      // kube-proxy writes its rules a moment after Ready; who is refused until then has reached nobody.
      const said = await waitFor(`${url} to lead somewhere`, async () => {
        const told = await callOnce(target, CLIENT, { era: 'legacy', url, tool, args })
        return /ECONNREFUSED|EAI_AGAIN/.test(told) ? undefined : told
      })
      expect(said).toMatch(answer)
      expect((await toolCalls(pod)) - before).toBe(1)
    })
  })
})
