// manifests/base is a chart, too: Helm makes the objects that kustomize makes, takes over what was installed without it,
// and leaves nothing behind.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { parseAllDocuments } from 'yaml'
import { isObject, objectAt, stringAt, type JsonObject } from '../../../shared/json.ts'
import { at, list, type Api, type Json } from '../api.ts'
import { describeOwnCluster } from '../describe-cluster.ts'
import { createKubectl } from '../kubectl.ts'
import { attempt, run, words, type Ended } from '../machine/run.ts'
import { waitFor } from '../machine/waiting.ts'
import { installOurs } from '../mcp-pods.ts'
import { serverPod } from '../pods.ts'

const MANIFESTS = join(import.meta.dirname, '../../../manifests')
const BASE = join(MANIFESTS, 'base')
const CERT_MANAGER = join(MANIFESTS, 'overlays/cert-manager')
const DEV_CONFIG = `--set-file=config=${MANIFESTS}/overlays/dev/config.yaml`
const SYSTEM = words('--namespace outrigger-system')
const CONFIGURATION =
  '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/outrigger'
const CA = '/api/v1/namespaces/outrigger-system/secrets/outrigger-ca'
const DIGEST = `sha256:${'a'.repeat(64)}`

const kindAndName = (object: unknown): string =>
  `${String(at(object, 'kind'))} ${String(at(object, 'metadata', 'name'))}`

const byName = (one: unknown, other: unknown): number =>
  String(at(one, 'name')) < String(at(other, 'name')) ? -1 : 1

/** Kustomize takes policies for objects of a namespace, and kubectl does as if it had not. */
const ofNoNamespace = (object: JsonObject): JsonObject => {
  if (stringAt(object, 'kind')?.startsWith('ValidatingAdmission') !== true) return object
  const { namespace: _namespace, ...metadata } = { ...objectAt(object, 'metadata') }
  return { ...object, metadata }
}

/** An entry that a component changes comes first. */
const inOrder = (object: JsonObject): JsonObject =>
  Array.isArray(object['webhooks'])
    ? { ...object, webhooks: object['webhooks'].toSorted(byName) }
    : object

/** In one order, but for the namespace: Helm makes none that it stands in itself. */
const objectsOf = (text: string): readonly JsonObject[] =>
  parseAllDocuments(text)
    .map((document): unknown => document.toJS())
    .filter((object) => isObject(object))
    .filter(({ kind }) => kind !== 'Namespace')
    .map((object) => inOrder(ofNoNamespace(object)))
    .sort((one, other) => (kindAndName(one) < kindAndName(other) ? -1 : 1))

const asking = (): Json => serverPod('by-helm')

describeOwnCluster('full', 'the chart', (target) => {
  const kubectl = createKubectl(target)
  const { helm } = target.own
  let folder: string
  let api: Api

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'outrigger-chart-'))
    api = await installOurs(target)
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const template = (...args: readonly string[]): Promise<Ended> =>
    attempt([helm, 'template', 'outrigger', BASE, ...SYSTEM, ...args])

  const rendered = async (...args: readonly string[]): Promise<readonly JsonObject[]> => {
    const { code, stdout, stderr } = await template(...args)
    expect([code, stderr]).toEqual([0, ''])
    return objectsOf(stdout)
  }

  const named = async (name: string, ...args: readonly string[]): Promise<unknown> =>
    (await rendered(...args)).find((object) => kindAndName(object) === name)

  const kustomized = async (path: string): Promise<readonly JsonObject[]> =>
    objectsOf(await kubectl.run('kustomize', path))

  /** An overlay that adds a component: paths of kustomize are relative. */
  const withEveryConnection = (): string => {
    const lines = [
      'apiVersion: kustomize.config.k8s.io/v1beta1',
      'kind: Kustomization',
      'resources: [base]',
      'components: [every-connection]',
    ]
    writeFileSync(join(folder, 'kustomization.yaml'), lines.join('\n'))
    return folder
  }

  describe('has the objects of', () => {
    test('manifests/base', async () => {
      expect(await rendered()).toEqual(await kustomized(BASE))
    })

    test('manifests/overlays/dev, by its configuration alone', async () => {
      expect(await rendered(DEV_CONFIG)).toEqual(await kustomized(`${MANIFESTS}/overlays/dev`))
    })

    test('manifests/base/companions, where the configuration has them', async () => {
      const config = join(folder, 'companions.yaml')
      writeFileSync(config, 'sidecar: { image: x }\ncompanions: {}\n')
      const ours = (await rendered('--set=companions=true', `--set-file=config=${config}`)).filter(
        (object) => !kindAndName(object).startsWith('ConfigMap '),
      )
      const both = [...(await kustomized(BASE)), ...(await kustomized(`${BASE}/companions`))]
      expect(ours).toEqual(
        both
          .filter((object) => !kindAndName(object).startsWith('ConfigMap '))
          .sort((one, other) => (kindAndName(one) < kindAndName(other) ? -1 : 1)),
      )
      const { code, stderr } = await template('--set=companions=true')
      expect([code, stderr]).toEqual([1, expect.stringContaining('add `companions: {}` to it')])
    })

    test('manifests/base/resolve-images, where the floor asks for it', async () => {
      const config = join(folder, 'resolve-images.yaml')
      writeFileSync(config, 'sidecar: { image: x }\nfloor: { resolveImages: true }\n')
      const values = ['--set=companions=true', '--set=resolveImages=true']
      const ours = await rendered(...values, `--set-file=config=${config}`)
      const wanted = await kustomized(`${BASE}/resolve-images`)
      const names = wanted.map(kindAndName)
      expect(names).toHaveLength(4)
      expect(ours.filter((object) => names.includes(kindAndName(object)))).toEqual(wanted)
      for (const [args, why] of [
        [values, 'add `resolveImages: true` to its floor'],
        [['--set=resolveImages=true', `--set-file=config=${config}`], 'set companions: true, too'],
      ] as const) {
        const { code, stderr } = await template(...args)
        expect([code, stderr]).toEqual([1, expect.stringContaining(why)])
      }
    })

    test('manifests/base/own-accounts, where the floor asks for it', async () => {
      const config = join(folder, 'own-accounts.yaml')
      const floor = "{ ownServiceAccounts: ['*'] }"
      writeFileSync(config, `sidecar: { image: x }\ncompanions: {}\nfloor: ${floor}\n`)
      const values = ['--set=companions=true', '--set=ownServiceAccounts=true']
      const ours = await rendered(...values, `--set-file=config=${config}`)
      const wanted = await kustomized(`${BASE}/own-accounts`)
      const names = wanted.map(kindAndName)
      expect(names).toHaveLength(6)
      expect(ours.filter((object) => names.includes(kindAndName(object)))).toEqual(wanted)
      writeFileSync(config, 'sidecar: { image: x }\ncompanions: {}\n')
      for (const [args, why] of [
        [
          [...values, `--set-file=config=${config}`],
          "add `ownServiceAccounts: ['*']` to its floor",
        ],
        [['--set=ownServiceAccounts=true'], 'set companions: true, too'],
      ] as const) {
        const { code, stderr } = await template(...args)
        expect([code, stderr]).toEqual([1, expect.stringContaining(why)])
      }
    })

    test('manifests/overlays/cert-manager, with companions and without', async () => {
      const certManager = '--set=certManager=true'
      expect(await rendered(certManager)).toEqual(await kustomized(CERT_MANAGER))
      const config = join(folder, 'both.yaml')
      writeFileSync(config, 'sidecar: { image: x }\ncompanions: {}\n')
      const whole = await rendered(
        certManager,
        '--set=companions=true',
        `--set-file=config=${config}`,
      )
      const both = [
        ...(await kustomized(CERT_MANAGER)),
        ...(await kustomized(`${BASE}/companions`)),
      ]
      const names = (objects: readonly JsonObject[]): readonly string[] => objects.map(kindAndName)
      expect(names(whole)).toEqual(names(both).toSorted())
      const deployment = 'Deployment outrigger-controller'
      const of = (objects: readonly JsonObject[]): unknown =>
        objects.find((object) => kindAndName(object) === deployment)
      expect(of(whole)).toEqual(of(both))
    })

    test('manifests/components/every-connection', async () => {
      await run(['cp', '-r', BASE, `${MANIFESTS}/components/every-connection`, folder])
      expect(await rendered('--set=everyConnection=true')).toEqual(
        await kustomized(withEveryConnection()),
      )
    })
  })

  test('takes what differs from cluster to cluster as values', async () => {
    const deployment = await named(
      'Deployment outrigger-webhook',
      `--set=replicas=3,image.repository=registry.example/webhook,image.digest=${DIGEST}`,
      '--set=imagePullSecrets[0].name=pull,nodeSelector.pool=system,resources.limits.memory=512Mi',
    )
    expect(at(deployment, 'spec', 'replicas')).toBe(3)
    const pod = at(deployment, 'spec', 'template', 'spec')
    expect(pod).toMatchObject({
      imagePullSecrets: [{ name: 'pull' }],
      nodeSelector: { pool: 'system' },
      containers: [
        {
          image: `registry.example/webhook@${DIGEST}`,
          resources: { limits: { memory: '512Mi' } },
        },
      ],
    })
  })

  test('leaves out the policy that cannot hold where pods may be skipped', async () => {
    const config = join(folder, 'config.yaml')
    writeFileSync(
      config,
      'sidecar: { image: outrigger-sidecar:0.1.0 }\nfloor: { unresolvable: skip }\n',
    )
    const names = (await rendered(`--set-file=config=${config}`)).map(kindAndName)
    expect(names).not.toContain('ValidatingAdmissionPolicyBinding outrigger-opted-in')
    expect(names).toContain('ValidatingAdmissionPolicyBinding outrigger-asked')
  })

  test.each([
    ['a value that is none', ['--set=replica=3'], "'replica' not allowed"],
    ['another namespace', ['--namespace=elsewhere'], 'add --namespace outrigger-system'],
    ['a configuration that is no YAML', ['--set=config=a: [b'], 'config is no YAML'],
    ['a digest that is none', ['--set=image.digest=latest'], 'image/digest'],
  ])('refuses %s', async (_name, args, words) => {
    const { code, stderr } = await template(...args)
    expect(code).toBe(1)
    expect(stderr).toContain(words)
  })

  test('takes over what kubectl installed, keeps keys and certificates, and leaves nothing', async () => {
    const line = [helm, '--kubeconfig', target.kubeconfig]
    const bundles = async (): Promise<unknown> => [
      at((await api.get(CA)).body, 'data'),
      list((await api.get(CONFIGURATION)).body, 'webhooks').map((one) =>
        at(one, 'clientConfig', 'caBundle'),
      ),
    ]
    const before = await bundles()
    expect(JSON.stringify(before)).not.toContain('null')
    const upgrade = [
      ...line,
      ...words('upgrade --install outrigger --force-conflicts'),
      BASE,
      ...SYSTEM,
      DEV_CONFIG,
    ]
    await run([...upgrade, '--take-ownership'])
    await run([...upgrade, '--set=resources.limits.memory=300Mi'])
    expect(await bundles()).toEqual(before)
    const rollout = words('rollout status deployment/outrigger-webhook --timeout=300s')
    await kubectl.run('-n', 'outrigger-system', ...rollout)
    await api.createNamespace('by-helm')
    await waitFor('a pod with its sidecar', async () => {
      const { status, body } = await api.create(asking(), 'by-helm')
      if (status !== 201) throw new Error(JSON.stringify(body))
      return list(body, 'spec', 'initContainers').length === 1 ? true : undefined
    })
    await run([...line, ...words('uninstall outrigger --wait'), ...SYSTEM])
    expect((await api.get(CONFIGURATION)).status).toBe(404)
    const kinds =
      'mutatingwebhookconfigurations,validatingwebhookconfigurations,validatingadmissionpolicies,validatingadmissionpolicybindings,clusterroles,clusterrolebindings'
    const part = ['get', kinds, '-l', 'app.kubernetes.io/part-of=outrigger', '-o', 'name']
    expect(await kubectl.run(...part)).toBe('')
    const bare = { ...serverPod('bare'), metadata: { name: 'bare' } }
    expect((await api.create(bare, 'by-helm')).status).toBe(201)
    await api.remove('/api/v1/namespaces/by-helm')
  })
})
