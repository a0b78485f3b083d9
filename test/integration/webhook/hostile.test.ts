// Ordinary reviews beside a loop of hostile ones, against the webhook as a process of its own: nobody
// waits long for somebody else's pod. The wait is counted in time that the webhook's one thread spent on
// a processor meanwhile, since the machine has other things to do; of several windows the best counts.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import { postReview, reviewOf } from '../../support/admission.ts'
import { caBundlesOf, kubeconfigFor, startFakeKube } from '../../support/fake-kube.ts'
import { hostilePods } from '../../support/hostile-pods.ts'
import { mainThreadMs } from '../../support/proc.ts'
import {
  shippedConfiguration,
  startReplica,
  WEBHOOK_SERVICE,
} from '../../support/webhook-replica.ts'

const HOSTILE = [
  '4,000 unknown keys',
  'unknown keys under our prefix',
  'containers, one of them the server',
  'volumes',
  'environment variables',
  'a word of a command',
  'empty mappings',
  '3,000 levels',
]
const WINDOWS = 10
const REVIEWS = 60
const EVERY_MS = 50
const MOST_MS = 100

type Post = (body: Buffer) => Promise<number>

/** What each of 60 reviews waited for, 20 a second, the slowest last; `clock` is the webhook's own. */
const window = async (
  post: Post,
  body: Buffer,
  clock: () => number,
): Promise<readonly number[]> => {
  const pending: Promise<number>[] = []
  for (let review = 0; review < REVIEWS; review += 1) {
    const start = clock()
    pending.push(post(body).then(() => clock() - start))
    await sleep(EVERY_MS)
  }
  return (await Promise.all(pending)).sort((a, b) => a - b)
}

test('20 ordinary reviews a second beside a loop of hostile ones wait less than 100 ms', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'outrigger-hostile-'))
  const kube = await startFakeKube(shippedConfiguration())
  kube.addNamespace('servers', {})
  writeFileSync(join(directory, 'kubeconfig'), kubeconfigFor(kube))
  const { running, port } = await startReplica(join(directory, 'kubeconfig'))
  const [bundle] = caBundlesOf(kube.configuration())
  const ca = Buffer.from(bundle ?? '', 'base64').toString()
  const agents = [new Agent({ keepAlive: true }), new Agent({ keepAlive: true })] as const
  const postBy =
    (agent: Agent): Post =>
    async (body) => {
      const url = `https://127.0.0.1:${port}/mutate`
      return (await postReview(url, ca, body, { servername: WEBHOOK_SERVICE, agent })).status
    }
  const pods = new Map(hostilePods(3_000_000))
  const bodyOf = (pod: string): Buffer =>
    Buffer.from(JSON.stringify(reviewOf({})).replace('"object":{}', () => `"object":${pod}`))
  const hostile = HOSTILE.map((name) => bodyOf(pods.get(name)?.() ?? ''))
  const ordinary = bodyOf(
    '{"metadata":{"annotations":{"outrigger.dev/inject":"true","outrigger.dev/auth":"none"}},"spec":{"containers":[{"name":"c","image":"i","command":["x"]}]}}',
  )
  const clock = (): number => mainThreadMs(running.pid)
  expect(clock()).toBeGreaterThan(0)
  const attack = { isOver: false, sent: 0 }
  const loop = async (): Promise<void> => {
    while (!attack.isOver) {
      const body = hostile[attack.sent % hostile.length]
      const status = body && (await postBy(agents[0])(body))
      // One that has taken too long to come, on a busy machine, is not judged: it is no attack, and comes again.
      expect([200, 503]).toContain(status)
      if (status === 200) attack.sent += 1
    }
  }
  const attacking = loop()
  try {
    let best = Infinity
    for (let round = 0; round < WINDOWS && best >= MOST_MS; round += 1) {
      const before = attack.sent
      const times = await window(postBy(agents[1]), ordinary, clock)
      // Of 60 the slowest: no less than the 99th of 100.
      if (attack.sent > before) best = Math.min(best, times.at(-1) ?? Infinity)
    }
    expect(best).toBeLessThan(MOST_MS)
  } finally {
    attack.isOver = true
    await attacking
    for (const agent of agents) agent.destroy()
    await running.stop()
    await kube.close()
    rmSync(directory, { recursive: true })
  }
})
