// An annotated Deployment of a stdio server comes up in every kind of image, and a client in another
// pod calls its tools through a Service, in both eras.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { at, list, type Api, type Json } from '../api.ts'
import { describeOwnCluster } from '../describe-cluster.ts'
import { muslObstacle } from '../images/roots.ts'
import { SERVER_KINDS, type ServerKind } from '../images/servers.ts'
import { createKubectl } from '../kubectl.ts'
import {
  callOnce,
  clientPod,
  readyPod,
  serverObjects,
  untilServed,
  installOurs,
} from '../mcp-pods.ts'
import { loadClient, loadServer } from '../node-images.ts'
import { words } from '../machine/run.ts'
import { podProcesses, type PodProcess } from '../pod-processes.ts'

const obstacle = muslObstacle()
if (obstacle !== undefined) process.stderr.write(`skipped: servers in a musl image: ${obstacle}\n`)
const KINDS = SERVER_KINDS.filter((kind) => kind !== 'musl' || obstacle === undefined)

const NAMESPACE = 'servers'
const CLIENT = { namespace: NAMESPACE, name: 'client' }

describeOwnCluster('full', 'servers', (target) => {
  const kubectl = createKubectl(target)
  const clusterId = target.own.dir.split('/').at(-1) ?? ''
  let api: Api
  const pods = new Map<ServerKind, Json>()

  const processesOf = (kind: ServerKind): readonly PodProcess[] =>
    podProcesses(clusterId, String(at(pods.get(kind), 'metadata', 'uid')))
  const serverPodName = (kind: ServerKind): string => String(at(pods.get(kind), 'metadata', 'name'))

  beforeAll(async () => {
    await Promise.all([loadClient(target), ...KINDS.map((kind) => loadServer(target, kind))])
    api = await installOurs(target)
    await api.createNamespace(NAMESPACE)
    await api.apply([clientPod('client')], NAMESPACE)
    for (const kind of KINDS) await api.apply(serverObjects(kind, kind), NAMESPACE)
    for (const kind of KINDS) pods.set(kind, await readyPod(api, NAMESPACE, kind))
    await kubectl.ready(NAMESPACE, 'client')
    for (const kind of KINDS) {
      await untilServed(target, CLIENT, `http://${kind}.${NAMESPACE}/mcp`)
    }
  })

  afterAll(async () => await api.remove(`/api/v1/namespaces/${NAMESPACE}`))

  describe.each(KINDS)('in a %s image', (kind) => {
    test.each(['legacy', 'modern'] as const)('answers a %s client in another pod', async (era) => {
      const url = `http://${kind}.${NAMESPACE}/mcp`
      const args = { message: 'through the pipes' }
      expect(await callOnce(target, CLIENT, { era, url, tool: 'echo', args })).toBe(
        'Echo: through the pipes',
      )
    })

    test('runs the shim first, as another user than the sidecar, and nothing is privileged', () => {
      const processes = processesOf(kind)
      const shim = processes.find(({ command }) => command.startsWith('/outrigger/bin/shim serve'))
      const sidecar = processes.find(({ command }) => command.includes('sidecar.'))
      expect(shim?.uid).not.toBe(sidecar?.uid)
      expect(sidecar?.uid).toBe(21_520)
      for (const { uid } of processes) expect(uid).not.toBe(0)
    })

    test('has no token in the spec', () => {
      const pod = pods.get(kind)
      expect(JSON.stringify(at(pod, 'spec'))).not.toMatch(/serviceaccount|kube-api-access/)
      expect(list(pod, 'spec', 'initContainers').map((each) => at(each, 'name'))).toEqual([
        'outrigger-sidecar',
      ])
    })
  })

  test.each(KINDS.filter((kind) => kind !== 'static'))(
    'the %s server is confined, and sees neither token, pipes nor the other container',
    async (kind) => {
      const look = [
        'grep -E "^(CapEff|NoNewPrivs|Seccomp):" /proc/self/status',
        'ls /var/run/secrets/kubernetes.io 2>&1 | tail -1',
        'ls /outrigger/run/pipes 2>&1 | tail -1',
        'echo x 2>&1 > /outrigger/bin/x || echo bin-is-read-only',
        'echo x 2>&1 > /app/x || echo root-is-read-only',
        'echo x > /tmp/x && echo tmp-is-writable',
        'ls /outrigger/bin',
      ].join('; ')
      const { stdout } = await kubectl.attempt(
        ...words(`-n ${NAMESPACE} exec ${serverPodName(kind)} -c server -- sh -c`),
        look,
      )
      expect(stdout).toMatch(/CapEff:\t0000000000000000/)
      expect(stdout).toMatch(/NoNewPrivs:\t1/)
      expect(stdout).toMatch(/Seccomp:\t2/)
      expect(stdout).toMatch(/kubernetes.io.*No such file/)
      expect(stdout).toMatch(/pipes.*Permission denied/)
      expect(stdout).toMatch(/bin-is-read-only/)
      expect(stdout).toMatch(/root-is-read-only/)
      expect(stdout).toMatch(/tmp-is-writable/)
      expect(stdout).toMatch(/^shim$/m)
    },
  )
})
