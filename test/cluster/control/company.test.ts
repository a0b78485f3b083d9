// Ours is not the only plugin: another mutating webhook before or after us with reinvocation,
// LimitRange and ResourceQuota. Pods still come up, injected once.

import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import {
  startAdmissionServer,
  type AdmissionServer,
  type PatchOperation,
} from '../admission-server.ts'
import { at, createApi, list, type Json } from '../api.ts'
import { describeOwnCluster } from '../describe-cluster.ts'
import { deploymentOf, INJECT, serverContainer, serverPod } from '../pods.ts'
import { waitFor } from '../machine/waiting.ts'
import { startWebhook, type WebhookProcess } from '../webhook-process.ts'

const LABEL = 'test.example.com/beside'

const namesOf = (pod: unknown, part: string): readonly unknown[] =>
  list(pod, 'spec', part).map((each) => at(each, 'name'))

/** Adds a container and an environment variable, as many webhooks do; idempotent. */
const addContainer = (pod: unknown): readonly PatchOperation[] =>
  namesOf(pod, 'containers').includes('beside')
    ? []
    : [
        { op: 'add', path: '/spec/containers/-', value: serverContainer({ name: 'beside' }) },
        {
          op: 'add',
          path: '/spec/containers/0/env',
          value: [{ name: 'ADDED', value: 'yes' }],
        },
      ]

/** Puts a native sidecar first, as a mesh does. */
const prependSidecar = (pod: unknown): readonly PatchOperation[] => {
  const sidecar = serverContainer({ name: 'mesh', restartPolicy: 'Always' })
  if (namesOf(pod, 'initContainers').includes('mesh')) return []
  return at(pod, 'spec', 'initContainers') === undefined
    ? [{ op: 'add', path: '/spec/initContainers', value: [sidecar] }]
    : [{ op: 'add', path: '/spec/initContainers/0', value: sidecar }]
}

/** Wraps every command, as secret injectors do. */
const wrapCommand = (pod: unknown): readonly PatchOperation[] =>
  list(pod, 'spec', 'containers').flatMap((container, index) => {
    const command = list(container, 'command')
    if (command.length === 0 || command.includes('/wrap')) return []
    return [
      { op: 'replace', path: `/spec/containers/${index}/command`, value: ['/wrap', ...command] },
    ]
  })

describeOwnCluster('control', 'company', (target) => {
  const api = createApi(target.api)
  let webhook: WebhookProcess
  beforeAll(async () => {
    webhook = await startWebhook(target, 'overlays/dev')
  })
  afterAll(() => webhook.close())

  describe('a second mutating webhook', () => {
    let beside: AdmissionServer | undefined
    afterEach(async () => await beside?.close())

    test.each([
      { name: 'adds a container after us', order: 'zz-beside', answer: addContainer },
      { name: 'adds a container before us', order: 'aa-beside', answer: addContainer },
      { name: 'puts a sidecar before ours', order: 'zz-mesh', answer: prependSidecar },
      { name: 'has put a sidecar first', order: 'aa-mesh', answer: prependSidecar },
      { name: 'wraps the command after us', order: 'zz-wrap', answer: wrapCommand },
      { name: 'has wrapped the command', order: 'aa-wrap', answer: wrapCommand },
    ])('$name', async ({ order, answer }) => {
      await api.createNamespace(order, { [LABEL]: 'yes' })
      beside = await startAdmissionServer(api, { name: order, namespaceLabel: LABEL, answer })
      const annotations = { ...INJECT, 'outrigger.dev/container': 'server' }
      const { status, body } = await waitFor('both webhooks to be called', async () => {
        const reply = await api.create(serverPod('pod', { annotations }), order, '?dryRun=All')
        return beside?.reviews.length === 0 ? undefined : reply
      })
      expect({ status, message: body['message'] }).toEqual({ status: 201 })
      const init = namesOf(body, 'initContainers')
      expect(init.filter((name) => name === 'outrigger-sidecar')).toHaveLength(1)
      const command = list(body, 'spec', 'containers', 0, 'command')
      expect(command.filter((word) => word === '/outrigger/bin/shim')).toHaveLength(1)
      expect(new Set(namesOf(body, 'volumes')).size).toBe(namesOf(body, 'volumes').length)
      expect(JSON.stringify(at(body, 'spec', 'containers', 0))).not.toMatch(/kube-api-access/)
      if (answer === addContainer) {
        expect(namesOf(body, 'containers')).toContain('beside')
        expect(at(body, 'spec', 'containers', 0, 'env', 0, 'name')).toBe('ADDED')
      }
      if (answer === prependSidecar) expect(init).toContain('mesh')
      // Whoever wraps, the shim is the first process of the server's container.
      expect(command[0]).toBe('/outrigger/bin/shim')
      if (answer === wrapCommand) expect(command).toContain('/wrap')
    })
  })

  describe('limits of a namespace', () => {
    const limitRange = (limits: Json): Json => ({
      apiVersion: 'v1',
      kind: 'LimitRange',
      metadata: { name: 'limits' },
      spec: { limits: [{ type: 'Container', ...limits }] },
    })
    const quota = (hard: Json): Json => ({
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'quota' },
      spec: { hard },
    })
    const both = { cpu: '1', memory: '512Mi' }
    const resources = { requests: { cpu: '100m', memory: '64Mi' }, limits: both }

    test.each([
      {
        name: 'a LimitRange with a maximum and no default',
        namespace: 'limit-max',
        objects: [limitRange({ max: both })],
        container: { resources },
      },
      {
        name: 'a LimitRange with maximum, minimum and defaults, and a server that says nothing',
        namespace: 'limit-default',
        objects: [
          limitRange({
            max: both,
            min: { cpu: '10m', memory: '16Mi' },
            default: { cpu: '500m', memory: '128Mi' },
            defaultRequest: { cpu: '50m', memory: '64Mi' },
          }),
        ],
        container: {},
      },
      {
        name: 'a ResourceQuota on limits and requests',
        namespace: 'quota-limits',
        objects: [
          quota({
            'limits.cpu': '8',
            'limits.memory': '8Gi',
            'requests.cpu': '4',
            'requests.memory': '4Gi',
          }),
        ],
        container: { resources },
      },
      {
        // The LimitRange fills the server's requests with its limits, which makes the pod
        // Guaranteed; so it stays, and the sidecar's requests are its limits.
        name: 'both at once',
        namespace: 'limit-quota',
        objects: [
          limitRange({ max: both, default: { cpu: '500m', memory: '128Mi' } }),
          quota({ 'limits.cpu': '8', 'limits.memory': '8Gi' }),
        ],
        container: {},
      },
    ])('$name', async ({ namespace, objects, container }) => {
      await api.createNamespace(namespace)
      await api.apply(objects, namespace)
      await api.apply([deploymentOf(serverPod('x', { container }), 'tools')], namespace)
      const pod = await waitFor(`a pod in ${namespace}`, async () => {
        const { body } = await api.get(`/api/v1/namespaces/${namespace}/pods`)
        return list(body, 'items')[0]
      })
      const init = namesOf(pod, 'initContainers')
      expect(init.filter((name) => name === 'outrigger-sidecar')).toHaveLength(1)
      const limits = at(
        pod,
        'spec',
        'initContainers',
        init.indexOf('outrigger-sidecar'),
        'resources',
      )
      const most = { cpu: '1', memory: '256Mi' }
      const requests = namespace === 'limit-quota' ? most : { cpu: '50m', memory: '96Mi' }
      expect(limits).toEqual({ requests, limits: most })
    })

    test('a quota counts the sidecar, and says so when it is full', async () => {
      await api.createNamespace('quota-full')
      await api.apply([quota({ 'limits.cpu': '1500m', 'limits.memory': '1Gi' })], 'quota-full')
      const limits = { cpu: '1', memory: '128Mi' }
      const pod = serverPod('pod', { container: { resources: { limits } } })
      const { status, body } = await waitFor('the quota', async () => {
        const reply = await api.create(pod, 'quota-full', '?dryRun=All')
        return /status unknown/.test(String(reply.body['message'])) ? undefined : reply
      })
      expect(status).toBe(403)
      expect(body['message']).toMatch(/exceeded quota: quota, requested: limits.cpu=2/)
    })
  })
})
