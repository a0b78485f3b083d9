// Sessions in a Deployment of several replicas, behind a Service that leads every connection to any of them: each call finds the one
// that holds its session, whichever it came to, while one of them goes and others come. The network keeps to the companions' policies.

import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { z } from 'zod'
import { at, type Api, type Json } from '../api.ts'
import { describeOwnCluster } from '../describe-cluster.ts'
import { createKubectl } from '../kubectl.ts'
import { waitFor } from '../machine/waiting.ts'
import { clientPod, installOurs, isReady, podsOf, serverObjects, startInPod } from '../mcp-pods.ts'
import { loadClient, loadServer } from '../node-images.ts'
import { PodSession } from '../pod-session.ts'

const NAMESPACE = 'several'
const AGENTS = 'several-agents'
const OVERLAY = new URL('../overlays/companions', import.meta.url).pathname
const CONTROLLER = new URL('../../../manifests/base/companions', import.meta.url).pathname
const DEPLOYMENT = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/server`
const SESSIONS = 24
const ADMIN_PORT = 15_201

const lineSchema = z.object({
  session: z.number(),
  said: z.enum(['open', 'called', 'over', 'failed']),
  id: z.string().optional(),
  calls: z.number().default(0),
  message: z.string().optional(),
})
type Line = z.output<typeof lineSchema>

const nameOf = (pod: Json): string => String(at(pod, 'metadata', 'name'))
const addressOf = (pod: Json): string => String(at(pod, 'status', 'podIP'))

/** Where a session is held, as its id says: between its random bytes and its MAC. */
const holderOf = (id: string): string =>
  [...Buffer.from(id, 'base64url').subarray(16, -16)].join('.')

describeOwnCluster('full', 'several replicas', (target) => {
  const kubectl = createKubectl(target)
  let api: Api

  /** So many pods that are Ready, and none on its way out that a Service may still lead to. */
  const ready = (count: number): Promise<readonly Json[]> =>
    waitFor(
      `${count} Ready pods`,
      async () => {
        const pods = (await podsOf(api, NAMESPACE, 'server')).filter(isReady)
        return pods.length === count ? pods : undefined
      },
      240,
    )
  const hopsOf = async (pod: Json): Promise<number> => {
    const reply = await fetch(`http://${addressOf(pod)}:${ADMIN_PORT}/metrics`)
    const counts = (await reply.text()).matchAll(/^outrigger_replica_hops_total\{.*\} (\d+)$/gm)
    return [...counts].reduce((sum, [, count]) => sum + Number(count), 0)
  }

  /** The clients' lines as they come. */
  const startSessions = () =>
    startInPod(
      target,
      { namespace: AGENTS, name: 'client' },
      ['pod-sessions.ts', `http://server.${NAMESPACE}/mcp`, String(SESSIONS), '250'],
      lineSchema,
    )
  const sessionsIn = (lines: readonly Line[], said: Line['said']): readonly Line[] =>
    lines.filter((line) => line.said === said)
  const callsOf = (lines: readonly Line[], session: number): number =>
    lines.filter((line) => line.session === session && line.said === 'called').length

  beforeAll(async () => {
    await Promise.all([loadClient(target), loadServer(target, 'static')])
    api = await installOurs(target, OVERLAY)
    await kubectl.run('apply', '-k', CONTROLLER)
    for (const name of [NAMESPACE, AGENTS]) await api.createNamespace(name)
    const annotations = {
      'outrigger.dev/ingress-from': AGENTS,
      'outrigger.dev/egress-mode': 'enforce',
      'outrigger.dev/egress': 'none',
      'outrigger.dev/max-processes': '40',
    }
    const spec = { terminationGracePeriodSeconds: 60 }
    await api.apply([clientPod('client')], AGENTS)
    await api.apply(serverObjects('static', 'server', { annotations, spec }), NAMESPACE)
    await api.patch(DEPLOYMENT, { spec: { replicas: 3 } })
    await kubectl.ready(AGENTS, 'client')
  })
  afterAll(async () => {
    for (const name of [NAMESPACE, AGENTS]) await api.remove(`/api/v1/namespaces/${name}`)
    await kubectl.run('delete', '--ignore-not-found', '-k', CONTROLLER)
  })

  test('each finds the sessions of the others, once the kubelet has brought their keys', async () => {
    const pods = await ready(3)
    for (const pod of pods) {
      for (const other of pods) {
        // A session that began before there were keys is its pod's alone: each try begins another.
        await waitFor(
          `${nameOf(other)} finds a session of ${nameOf(pod)}`,
          async () => {
            const session = new PodSession(pod)
            await session.open()
            const { status, text } = await session.postTo(other, { method: 'tools/list' })
            if (status !== 200) throw new Error(`${status} ${text}`)
            return true
          },
          240,
        )
      }
    }
  })

  test('no call of a session is lost while a pod goes and others come, but of those that it held', async () => {
    const pods = await ready(3)
    const clients = startSessions()
    const { lines } = clients
    await waitFor(
      'every session and some calls of each',
      async () => {
        const failed = sessionsIn(lines, 'failed')
        if (failed.length > 0) throw new Error(JSON.stringify(failed[0]))
        const open = sessionsIn(lines, 'open')
        const isCalling = open.every(({ session }) => callsOf(lines, session) >= 5)
        return open.length === SESSIONS && isCalling ? true : undefined
      },
      180,
    )
    const holders = new Map(
      sessionsIn(lines, 'open').map(({ session, id = '' }) => [session, holderOf(id)]),
    )
    expect(pods.map(addressOf)).toEqual(expect.arrayContaining([...new Set(holders.values())]))
    expect(new Set(holders.values()).size).toBeGreaterThan(1)

    const going = pods.find((pod) => [...holders.values()].includes(addressOf(pod)))
    if (!going) throw new Error('no pod holds a session')
    await api.remove(`/api/v1/namespaces/${NAMESPACE}/pods/${nameOf(going)}`)
    await api.patch(DEPLOYMENT, { spec: { replicas: 4 } })
    const left = [...holders].flatMap(([session, holder]) =>
      holder === addressOf(going) ? [] : [session],
    )
    expect(left.length).toBeGreaterThan(0)
    const now = await ready(4)
    await waitFor(
      'the pod is gone',
      async () => {
        const { status } = await api.get(`/api/v1/namespaces/${NAMESPACE}/pods/${nameOf(going)}`)
        return status === 404 ? true : undefined
      },
      120,
    )
    const before = new Map(left.map((session) => [session, callsOf(lines, session)]))
    await waitFor(
      'the sessions that are left to go on',
      async () =>
        left.every((session) => callsOf(lines, session) >= (before.get(session) ?? 0) + 10) ||
        sessionsIn(lines, 'failed').some(({ session }) => left.includes(session)) ||
        undefined,
      180,
    )
    // Those too that have come meanwhile, once the Service leads to them.
    await waitFor(
      'every pod is asked for sessions that it does not hold',
      async () =>
        (await Promise.all(now.map(hopsOf))).every((count) => count > 0) ? true : undefined,
      120,
    )
    clients.stop()
    await clients.done
    const failed = sessionsIn(lines, 'failed')
    expect(failed.filter(({ session }) => left.includes(session))).toEqual([])
    const over = sessionsIn(lines, 'over').map(({ session }) => session)
    expect(new Set(over)).toEqual(new Set(left))
    // Those that it held end as sessions do: their clients are told that there is none.
    expect(failed).toHaveLength(SESSIONS - left.length)
    expect(failed.filter(({ message = '' }) => /session|404/i.test(message))).not.toEqual([])
  })
})
