// What ends from outside comes back, and the client with it: the server's process, the shim, the
// sidecar, the whole pod in a rollout. No child outlives its sidecar.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { endProcess } from '../../support/end-process.ts'
import { at, list, type Api } from '../api.ts'
import { describeOwnCluster } from '../describe-cluster.ts'
import { createKubectl } from '../kubectl.ts'
import { words } from '../machine/run.ts'
import { waitFor } from '../machine/waiting.ts'
import {
  clientPod,
  readyPod,
  serverObjects,
  startClient,
  untilServed,
  installOurs,
  type CallLine,
} from '../mcp-pods.ts'
import { loadClient, loadServer } from '../node-images.ts'
import { podProcesses, type PodProcess } from '../pod-processes.ts'

const NAMESPACE = 'recovery'
const CLIENT = { namespace: NAMESPACE, name: 'client' }
const URL_OF_SERVER = `http://server.${NAMESPACE}/mcp`

const isChild = ({ command }: PodProcess): boolean => command.startsWith('/mcp-server')
const isShim = ({ command }: PodProcess): boolean => command.startsWith('/outrigger/bin/shim serve')
const isSidecar = ({ command }: PodProcess): boolean => command.includes('/app/sidecar')

const failures = (lines: readonly CallLine[]): readonly CallLine[] => lines.filter(({ ok }) => !ok)

describeOwnCluster('full', 'recovery', (target) => {
  const kubectl = createKubectl(target)
  const clusterId = target.own.dir.split('/').at(-1) ?? ''
  let api: Api

  const processes = async (): Promise<readonly PodProcess[]> =>
    podProcesses(clusterId, String(at(await readyPod(api, NAMESPACE, 'server'), 'metadata', 'uid')))

  beforeAll(async () => {
    await Promise.all([loadClient(target), loadServer(target, 'static')])
    api = await installOurs(target)
    await api.createNamespace(NAMESPACE)
    await api.apply([clientPod('client'), ...serverObjects('static', 'server')], NAMESPACE)
    await kubectl.ready(NAMESPACE, 'client')
    await readyPod(api, NAMESPACE, 'server')
    await untilServed(target, CLIENT, URL_OF_SERVER)
  })

  afterAll(async () => await api.remove(`/api/v1/namespaces/${NAMESPACE}`))

  describe.each(['legacy', 'modern'] as const)('under a %s client', (era) => {
    // What a test before has ended may be in the kubelet's back-off still: 10 s, then 20 s, and so on.
    beforeEach(async () => {
      await readyPod(api, NAMESPACE, 'server')
      await untilServed(target, CLIENT, URL_OF_SERVER)
    })

    test.each([
      { what: 'the server', is: isChild },
      { what: 'the shim', is: isShim },
      { what: 'the sidecar', is: isSidecar },
    ])('kill $what: the pod recovers, and the client with it', async ({ is }) => {
      const client = startClient(target, CLIENT, {
        era,
        url: URL_OF_SERVER,
        tool: 'echo',
        args: { message: 'x' },
        // It calls for as long as the pod takes to come back: what is refused is refused at once.
        count: 100_000,
        pauseMs: 100,
      })
      try {
        await waitFor('five calls', async () => client.lines.filter(({ ok }) => ok)[4])
        const before = await processes()
        const victims = before.filter(is)
        const seen = client.lines.length
        // The shim is several processes, and the first to go takes the others along.
        expect(victims.filter(({ pid }) => endProcess(pid))).not.toHaveLength(0)
        // Whoever calls before the pod is back is told; then everybody is served.
        const isServed = (): boolean => {
          const last = client.lines.slice(seen + 1).slice(-5)
          return last.length === 5 && failures(last).length === 0
        }
        await waitFor('five calls in a row', async () => (isServed() ? true : undefined), 120)
        const after = await processes()
        const children = before.filter(isChild).map(({ pid }) => pid)
        const survivors = after.filter(({ pid }) => children.includes(pid))
        expect({ survivors }).toEqual({ survivors: [] })
      } finally {
        client.stop()
      }
    })
  })

  test('a rollout under calling clients loses no call in flight', async () => {
    const options = { url: URL_OF_SERVER, tool: 'wait', args: { milliseconds: 300 } }
    const clients = (['legacy', 'modern', 'modern'] as const).map((era) =>
      startClient(target, CLIENT, { ...options, era, count: 60, pauseMs: 20 }),
    )
    await waitFor('the first calls', async () =>
      clients.every(({ lines }) => lines.length >= 3) ? true : undefined,
    )
    await kubectl.run('-n', NAMESPACE, 'rollout', 'restart', 'deployment/server')
    await kubectl.run('-n', NAMESPACE, 'rollout', 'status', 'deployment/server', '--timeout=120s')
    const all = (await Promise.all(clients.map(({ done }) => done))).flat()
    expect(all).toHaveLength(180)
    // A legacy session ends with its pod, and a call on a connection that was kept open may still
    // come to the pod that stops: both are told so before the call is begun, and may try again.
    const lost = failures(all).filter(
      ({ step, message = '' }) => step === 'call' && !/session|404|try again/i.test(message),
    )
    expect(lost).toEqual([])
  })

  test('a server that is broken from the start never becomes Ready, and says why', async () => {
    const container = { command: ['/mcp-server-that-is-not-there'] }
    await api.apply(serverObjects('static', 'broken', { container }), NAMESPACE)
    const event = await waitFor(
      'an Event that says why',
      async () => {
        const { body } = await api.get(`/api/v1/namespaces/${NAMESPACE}/events`)
        return list(body, 'items').find(
          (item) =>
            String(at(item, 'involvedObject', 'name')).startsWith('broken') &&
            /mcp-server-that-is-not-there|cannot execute|No such file/.test(
              String(at(item, 'message')),
            ),
        )
      },
      90,
    )
    expect(event).toBeDefined()
    const log = await kubectl.run(
      ...words(`-n ${NAMESPACE} logs deployment/broken -c outrigger-sidecar`),
    )
    expect(log).toMatch(/mcp-server-that-is-not-there/)
    const { body } = await api.get(`/apis/apps/v1/namespaces/${NAMESPACE}/deployments/broken`)
    expect(at(body, 'status', 'availableReplicas')).toBeUndefined()
  })

  test('a Job completes when nobody has called for its idle-timeout', async () => {
    const [deployment] = serverObjects('static', 'job', {
      annotations: { 'outrigger.dev/idle-timeout': '3s' },
      spec: { restartPolicy: 'Never' },
    })
    const template = at(deployment, 'spec', 'template')
    await api.apply(
      [{ apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'job' }, spec: { template } }],
      NAMESPACE,
    )
    const path = `/apis/batch/v1/namespaces/${NAMESPACE}/jobs/job`
    const status = await waitFor(
      'the Job to end',
      async () => {
        const { body } = await api.get(path)
        const ended = at(body, 'status', 'succeeded') ?? at(body, 'status', 'failed')
        return ended === undefined ? undefined : at(body, 'status')
      },
      90,
    )
    expect(status).toMatchObject({ succeeded: 1 })
  })
})
