// The sidecar as it is injected, with its default memory limit, under the floods of the pressure
// bench from another pod: it is never killed, and whoever calls beside them is served.

import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { z } from 'zod'
import { at, list, type Api } from '../api.ts'
import { describeOwnCluster } from '../describe-cluster.ts'
import { FLOOD_IMAGE } from '../images/flood-server.ts'
import { createKubectl } from '../kubectl.ts'
import { words } from '../machine/run.ts'
import { waitFor } from '../machine/waiting.ts'
import { clientPod, installOurs, readyPod, serverObjects, startClient } from '../mcp-pods.ts'
import { loadClient, loadFloodServer } from '../node-images.ts'
import { containerMemory, podProcesses } from '../pod-processes.ts'

const NAMESPACE = 'flood'
const CLIENT = { namespace: NAMESPACE, name: 'client' }
const URL_OF_SERVER = `http://server.${NAMESPACE}/mcp`
const MIB = 1024 * 1024

const told = z.object({ name: z.string(), outcome: z.string() })

describeOwnCluster('full', 'a flood', (target) => {
  const kubectl = createKubectl(target)
  const clusterId = target.own.dir.split('/').at(-1) ?? ''
  let api: Api

  const call = (count: number, pauseMs: number) =>
    startClient(target, CLIENT, {
      era: 'legacy',
      url: URL_OF_SERVER,
      tool: 'small',
      count,
      pauseMs,
    })

  /** The sidecar's container as the API tells of it. */
  const sidecarStatus = async (): Promise<unknown> =>
    list(await readyPod(api, NAMESPACE, 'server'), 'status', 'initContainerStatuses').find(
      (status) => at(status, 'name') === 'outrigger-sidecar',
    )

  const sidecarPid = async (): Promise<number> => {
    const uid = String(at(await readyPod(api, NAMESPACE, 'server'), 'metadata', 'uid'))
    const isSidecar = ({ command }: { command: string }) => command.includes('/app/sidecar')
    return podProcesses(clusterId, uid).find(isSidecar)?.pid ?? 0
  }

  beforeAll(async () => {
    await Promise.all([loadClient(target), loadFloodServer(target)])
    api = await installOurs(target)
    await api.createNamespace(NAMESPACE)
    const container = {
      image: FLOOD_IMAGE,
      command: ['/flood-server'],
      resources: { limits: { memory: '2Gi' } },
    }
    // Enough for every session of the floods, and for the one beside them.
    const annotations = { 'outrigger.dev/max-processes': '80' }
    const objects = serverObjects('static', 'server', { container, annotations })
    await api.apply([clientPod('client'), ...objects], NAMESPACE)
    await kubectl.ready(NAMESPACE, 'client')
    await readyPod(api, NAMESPACE, 'server')
    await waitFor('the server to be served', async () =>
      (await call(1, 0).done)[0]?.ok === true ? true : undefined,
    )
  })

  afterAll(async () => await api.remove(`/api/v1/namespaces/${NAMESPACE}`))

  test('the kernel holds the sidecar to the limit that it is injected with', async () => {
    expect(containerMemory(await sidecarPid()).limitBytes).toBe(256 * MIB)
  })

  test('the sidecar survives, and a living session is served meanwhile', async () => {
    const pid = await sidecarPid()
    const beside = call(100_000, 100)
    await waitFor('the session beside', async () => beside.lines[0])
    const flood = [...words('exec client -- node --no-warnings /app/fixtures/pod-flood.ts')]
    const ended = await kubectl.attempt('-n', NAMESPACE, ...flood, URL_OF_SERVER)
    beside.stop()
    const lines = await beside.done
    expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 0, stderr: '' })
    const floods = ended.stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => told.parse(JSON.parse(line)))
    expect(floods.length).toBeGreaterThanOrEqual(5)
    // They have come to where they should be borne: of the bodies that wait for answers, some have them.
    const whole = floods.find(({ name }) => name.includes('whole bodies'))
    expect(whole?.outcome).toMatch(/\b\d+ x 200\b/)
    expect(lines.length).toBeGreaterThan(50)
    expect(lines.filter(({ ok }) => !ok)).toEqual([])
    expect(await sidecarPid()).toBe(pid)
    expect(await sidecarStatus()).toMatchObject({ restartCount: 0, lastState: {} })
    expect(containerMemory(pid).kills).toBe(0)
  })
})
