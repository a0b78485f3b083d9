// An image with only an ENTRYPOINT comes up by itself: the webhook denies its pod, the controller hears of it, asks the registry
// and writes the image index, the kubelet brings that to the webhook, and the ReplicaSet's next try is injected.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { parse, stringify } from 'yaml'
import { INDEX_CONFIG_MAP, INDEX_KEY } from '../../../shared/image-index.ts'
import { buildImage } from '../../support/oci-image.ts'
import { LOGIN, startRegistry, type Registry } from '../../support/registry.ts'
import { accountKubeconfig } from '../account-kubeconfig.ts'
import { at, list, type Api, type Json } from '../api.ts'
import { startController, type ControllerProcess } from '../controller-process.ts'
import { describeOwnCluster } from '../describe-cluster.ts'
import { layerOf } from '../images/layers.ts'
import { pushImage } from '../images/push.ts'
import { createKubectl } from '../kubectl.ts'
import { waitFor } from '../machine/waiting.ts'
import { installOurs, podsOf, readyPod } from '../mcp-pods.ts'
import { deploymentOf, INJECT } from '../pods.ts'

const NAMESPACE = 'looked-up'
const SYSTEM = 'outrigger-system'
const ACCOUNT = 'outrigger-controller'
const MANIFESTS = join(import.meta.dirname, '../../../manifests')
const LOOK_UPS = join(MANIFESTS, 'base/resolve-images')
/** Of base/companions what a controller needs that is a process of this test. */
const OF_CONTROLLER = ['service-account', 'rbac', 'lease'].flatMap((name) => [
  '-f',
  join(MANIFESTS, `base/companions/${name}.yaml`),
])
const ENTRYPOINT = [
  'node',
  '/app/node_modules/@modelcontextprotocol/server-everything/dist/index.js',
]
/** A ReplicaSet tries again after 41, 82, 164 and 328 s; which of them finds what the kubelet has brought is the machine's matter. */
const COMES_UP_SECONDS = 360

/** What the README has a namespace grant, as it stands there, but for its name. */
const roleOfReadme = (): string => {
  const readme = readFileSync(join(MANIFESTS, '../webhook/README.md'), 'utf8')
  const [, part = ''] = readme.split('### Looked up by the controller')
  const [, yaml = ''] = /```yaml\n([^`]+)```/.exec(part) ?? []
  return yaml.replaceAll('team-a', NAMESPACE)
}

/** Nobody says what it runs. */
const deployment = (name: string, image: string, imagePullSecrets: readonly Json[] = []): Json =>
  deploymentOf(
    {
      metadata: { annotations: INJECT },
      spec: {
        terminationGracePeriodSeconds: 5,
        imagePullSecrets,
        containers: [{ name: 'server', image, resources: { limits: { memory: '512Mi' } } }],
      },
    },
    name,
  )

describeOwnCluster('full', 'look-ups', (target) => {
  const kubectl = createKubectl(target)
  let registry: Registry
  let closed: Registry
  let controller: ControllerProcess
  let api: Api

  const config = (): string => {
    const dev = parse(readFileSync(join(MANIFESTS, 'overlays/dev/config.yaml'), 'utf8'))
    const floor = { ...dev.floor, resolveImages: true }
    const registries = Object.fromEntries(
      [registry, closed].map(({ host }) => [host, { allowPlainHttp: true }]),
    )
    const file = join(target.own.dir, 'look-ups-config.yaml')
    writeFileSync(file, stringify({ ...dev, floor, registries }))
    return file
  }

  beforeAll(async () => {
    registry = await startRegistry()
    closed = await startRegistry({ isPrivate: true })
    await closed.push('servers', 'closed', await buildImage({ config: { Entrypoint: ENTRYPOINT } }))
    const layers = [await layerOf('node', target.own), await layerOf('everything', target.own)]
    const place = { registry: registry.host, repository: 'servers', tag: 'everything' }
    await pushImage(place, layers, { entrypoint: ENTRYPOINT, user: '1000' })
    api = await installOurs(target)
    await kubectl.run('apply', '-n', SYSTEM, ...OF_CONTROLLER)
    await kubectl.run('apply', '-k', LOOK_UPS)
    await api.createNamespace(NAMESPACE)
    const kubeconfig = await accountKubeconfig(target, { namespace: SYSTEM, name: ACCOUNT })
    controller = await startController(target, { kubeconfig, config: config(), port: 18_083 })
  })
  afterAll(async () => {
    await controller?.stop()
    await api?.remove(`/api/v1/namespaces/${NAMESPACE}`)
    await kubectl.run('delete', '--ignore-not-found', '-k', LOOK_UPS)
    await kubectl.run('delete', '--ignore-not-found', '-n', SYSTEM, ...OF_CONTROLLER)
    await registry?.stop()
    await closed?.stop()
  })

  test('an image with only an ENTRYPOINT comes up without anybody’s help', async () => {
    await api.apply([deployment('server', `${registry.host}/servers:everything`)], NAMESPACE)
    await waitFor(
      'a pod of it',
      async () => ((await podsOf(api, NAMESPACE, 'server')).length > 0 ? true : undefined),
      COMES_UP_SECONDS,
    )
    const status = ['rollout', 'status', 'deployment/server', '--timeout=120s']
    await kubectl.attempt('-n', NAMESPACE, ...status)
    const pod = await readyPod(api, NAMESPACE, 'server')
    expect(at(pod, 'spec', 'containers', 0, 'image')).toMatch(/:everything@sha256:[0-9a-f]{64}$/)
    expect(list(pod, 'spec', 'containers', 0, 'command')).toEqual(
      expect.arrayContaining(['serve', ...ENTRYPOINT]),
    )
    const read = 'outrigger_controller_images_total{result="read"}'
    await waitFor('it is counted', async () =>
      (await controller.metrics()).get(read) === 1 ? true : undefined,
    )
  })

  /** What its Deployment is told of an image. */
  const told = (name: string): Promise<string> =>
    waitFor(`an Event of ${name}`, async () => {
      const { body } = await api.get(`/api/v1/namespaces/${NAMESPACE}/events`)
      const found = list(body, 'items').find(
        (one) => at(one, 'reason') === 'ImageUnread' && at(one, 'involvedObject', 'name') === name,
      )
      return found === undefined
        ? undefined
        : `${String(at(found, 'involvedObject', 'kind'))}: ${String(at(found, 'message'))}`
    })

  test('one that cannot be looked up is told to its Deployment, with why', async () => {
    await api.apply([deployment('missing', `${registry.host}/servers:none`)], NAMESPACE)
    expect(await told('missing')).toMatch(
      /^Deployment: its image .*:none could not be looked up.*status 404/,
    )
  })

  test('one of a private registry is looked up once its namespace lets the pull secret be read', async () => {
    const auths = { [closed.host]: LOGIN }
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'registry' },
      type: 'kubernetes.io/dockerconfigjson',
      stringData: { '.dockerconfigjson': JSON.stringify({ auths }) },
    }
    const image = `${closed.host}/servers:closed`
    await api.apply([secret, deployment('closed', image, [{ name: 'registry' }])], NAMESPACE)
    expect(await told('closed')).toContain('has none for it: a Role for these Secrets')
    const file = join(target.own.dir, 'pull-secrets.yaml')
    writeFileSync(file, roleOfReadme())
    await kubectl.run('apply', '-f', file)
    const index = await waitFor('its tag in the index', async () => {
      const path = `/api/v1/namespaces/${SYSTEM}/configmaps/${INDEX_CONFIG_MAP}`
      const text = String(at((await api.get(path)).body, 'data', INDEX_KEY))
      return text.includes(`"${image}"`) ? text : undefined
    })
    expect(index).not.toContain(LOGIN.password)
  })
})
