import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { Agent } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { objectAt, stringAt, stringsAt, withAt, type JsonObject } from '../../../shared/json.ts'
import { postReview, reviewOf, type Reply } from '../../support/admission.ts'
import {
  caBundlesOf,
  kubeconfigFor,
  startFakeKube,
  type FakeKube,
} from '../../support/fake-kube.ts'
import { bundleIn } from '../../support/known-bundle.ts'
import {
  shippedConfiguration as manifest,
  startReplica,
  WEBHOOK_SERVICE as SERVICE,
  type WebhookReplica,
} from '../../support/webhook-replica.ts'

const pod: JsonObject = { spec: { containers: [{ name: 'c', image: 'i', command: ['x'] }] } }

let directory: string
let kube: FakeKube
let replicas: WebhookReplica[] = []

const start = async (...more: readonly string[]): Promise<WebhookReplica> => {
  const replica = await startReplica(join(directory, 'kubeconfig'), more)
  replicas.push(replica)
  return replica
}

const review = ({ port }: WebhookReplica, namespace: string, agent?: Agent): Promise<Reply> =>
  postReview(
    `https://127.0.0.1:${port}/mutate`,
    bundleIn(kube),
    JSON.stringify(reviewOf(pod, { namespace })),
    { servername: SERVICE, ...(agent ? { agent } : {}) },
  )

const LABELLED = { 'outrigger.dev/injection': 'enabled' }
const decisionOf = ({ body }: Reply): string | undefined =>
  stringAt(body, 'response', 'auditAnnotations', 'decision')

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'outrigger-webhook-'))
  kube = await startFakeKube(manifest())
  writeFileSync(join(directory, 'kubeconfig'), kubeconfigFor(kube))
})

afterEach(async () => {
  for (const { running } of replicas) await running.stop()
  replicas = []
  await kube.close()
  rmSync(directory, { recursive: true })
})

describe('the webhook as a process', () => {
  test('fills the empty Secret, writes caBundle and no other field, and is trusted for it', async () => {
    kube.addNamespace('servers', {})
    const replica = await start()
    expect(Object.keys(objectAt(kube.secret(), 'data')).sort()).toEqual(['ca.crt', 'ca.key'])
    expect(kube.writes).toHaveLength(3)
    const written = [kube.configuration(), kube.validating()]
    const bundles = written.flatMap(caBundlesOf)
    expect(new Set(bundles).size).toBe(1)
    for (const configuration of written) {
      const bare = JSON.stringify(configuration).replaceAll(/,"caBundle":"[^"]*"/g, '')
      expect(JSON.parse(bare)).toEqual(manifest())
    }
    expect(stringAt(kube.secret(), 'data', 'ca.crt')).toBe(bundles[0])
    expect(decisionOf(await review(replica, 'servers'))).toBe('skip')
  })

  test('takes the image index while it runs, as a kubelet writes a ConfigMap that changes', async () => {
    kube.addNamespace('servers', LABELLED)
    const [mount, digest] = [join(directory, 'images'), `sha256:${'a'.repeat(64)}`]
    mkdirSync(mount)
    const replica = await start(`--images=${mount}/index.json`)
    const spec = { containers: [{ name: 'c', image: 'acme/echo:1' }] }
    const metadata = { annotations: { 'outrigger.dev/auth': 'none' } }
    const decide = async (): Promise<string | undefined> => {
      const body = JSON.stringify(reviewOf({ metadata, spec }, { namespace: 'servers' }))
      const url = `https://127.0.0.1:${replica.port}/mutate`
      return decisionOf(await postReview(url, bundleIn(kube), body, { servername: SERVICE }))
    }
    expect(await decide()).toBe('deny')
    const index = {
      version: 1,
      tags: { 'docker.io/acme/echo:1': digest },
      images: { [digest]: { 'linux/amd64': { entrypoint: ['echo'] } } },
    }
    // A directory of the version, and a link that is swapped to it.
    mkdirSync(join(mount, '..1'))
    writeFileSync(join(mount, '..1', 'index.json'), JSON.stringify(index))
    symlinkSync('..1', join(mount, '..data'))
    symlinkSync('..data/index.json', join(mount, 'index.json'))
    while ((await decide()) === 'deny') await after(50)
    expect(await decide()).toBe('inject')
  })

  test('takes another configuration while it runs, and keeps the last good one', async () => {
    kube.addNamespace('servers', LABELLED)
    const mount = join(directory, 'config')
    /** As a kubelet does: a directory of the version, and a link that is swapped to it. */
    const put = (version: string, text: string): void => {
      mkdirSync(join(mount, version), { recursive: true })
      writeFileSync(join(mount, version, 'config.yaml'), text)
      symlinkSync(version, join(mount, '..next'))
      renameSync(join(mount, '..next'), join(mount, '..data'))
    }
    put('..1', 'sidecar: { image: first }\n')
    symlinkSync('..data/config.yaml', join(mount, 'config.yaml'))
    const replica = await start(`--config=${mount}/config.yaml`)
    const spec = { containers: [{ name: 'c', image: 'i', command: ['x'] }] }
    const metadata = { annotations: { 'outrigger.dev/auth': 'none' } }
    const body = JSON.stringify(reviewOf({ metadata, spec }, { namespace: 'servers' }))
    const decide = async (): Promise<string | undefined> => {
      const url = `https://127.0.0.1:${replica.port}/mutate`
      return decisionOf(await postReview(url, bundleIn(kube), body, { servername: SERVICE }))
    }
    const metric = async (line: string): Promise<boolean> => {
      const response = await fetch(`http://127.0.0.1:${replica.adminPort}/metrics`)
      return (await response.text()).split('\n').includes(line)
    }
    expect(await decide()).toBe('deny')
    put('..2', 'sidecar: { image: second }\nfloor: { allowAnonymous: true }\n')
    while ((await decide()) === 'deny') await after(50)
    expect(await decide()).toBe('inject')
    expect(await metric('outrigger_floor_relaxed{relaxation="allowAnonymous"} 1')).toBe(true)
    put('..3', 'sidecar: { image: third }\nflor: {}\n')
    while (!(await metric('outrigger_config_refused 1'))) await after(50)
    expect(await decide()).toBe('inject')
    put('..4', 'sidecar: { image: fourth }\n')
    while ((await decide()) === 'inject') await after(50)
    expect(await metric('outrigger_config_refused 0')).toBe(true)
    expect(await metric('outrigger_config_changes_total{outcome="taken"} 2')).toBe(true)
    expect(await metric('outrigger_floor_relaxed{relaxation="allowAnonymous"} 1')).toBe(false)
  })

  test('a second replica shares the authority and writes nothing', async () => {
    kube.addNamespace('servers', {})
    const first = await start()
    const writes = kube.writes.length
    const second = await start()
    expect(kube.writes).toHaveLength(writes)
    expect((await review(first, 'servers')).status).toBe(200)
    expect((await review(second, 'servers')).status).toBe(200)
  })

  test('knows namespaces from the list, from the watch, and by asking; others are refused', async () => {
    kube.addNamespace('listed', LABELLED)
    const replica = await start()
    const auth = { 'outrigger.dev/auth': 'none' }
    const asked = withAt(pod, ['metadata', 'annotations'], auth)
    const decide = async (namespace: string): Promise<string | undefined> => {
      const body = JSON.stringify(reviewOf(asked, { namespace }))
      const url = `https://127.0.0.1:${replica.port}/mutate`
      return decisionOf(await postReview(url, bundleIn(kube), body, { servername: SERVICE }))
    }
    expect(await decide('listed')).toBe('inject')
    kube.hideNamespace('hidden', LABELLED)
    expect(await decide('hidden')).toBe('inject')
    kube.addNamespace('watched', LABELLED)
    expect(await decide('watched')).toBe('inject')
    expect(await review(replica, 'missing')).toMatchObject({
      body: { response: { allowed: false, status: { code: 503 } } },
    })
  })

  test('knows Services from the list, from the watch and from the next list, and warns of them', async () => {
    kube.addNamespace('servers', LABELLED)
    const spec = { selector: { app: 'echo' }, ports: [{ port: 80, targetPort: 8000 }] }
    for (const name of ['one', 'two', 'three']) kube.putService('servers', name, spec)
    kube.putService('elsewhere', 'other', spec)
    const replica = await start()
    const metadata = { labels: { app: 'echo' }, annotations: { 'outrigger.dev/auth': 'none' } }
    const containers = [{ name: 'c', image: 'i', ports: [{ containerPort: 8000 }] }]
    const named = async (): Promise<readonly string[]> => {
      const object = { metadata, spec: { containers } }
      const body = JSON.stringify(reviewOf(object, { namespace: 'servers' }))
      const url = `https://127.0.0.1:${replica.port}/mutate`
      const reply = await postReview(url, bundleIn(kube), body, { servername: SERVICE })
      const lines = stringsAt(reply.body, 'response', 'warnings') ?? []
      return lines.flatMap((line) => /^Service (\S+): its port 80/.exec(line)?.[1] ?? []).sort()
    }
    const until = async (wanted: readonly string[]): Promise<void> => {
      while (JSON.stringify(await named()) !== JSON.stringify(wanted)) await after(50)
    }
    expect(await named()).toEqual(['one', 'three', 'two'])
    kube.removeService('servers', 'two')
    await until(['one', 'three'])
    kube.endWatches()
    // Nobody watches now: only another list shows them.
    kube.removeService('servers', 'three')
    kube.putService('servers', 'four', spec)
    await until(['four', 'one'])
  })

  test('serves without the right to list Services, and its metrics say so', async () => {
    kube.addNamespace('servers', {})
    kube.rights.services = false
    const replica = await start()
    const metrics = await (await fetch(`http://127.0.0.1:${replica.adminPort}/metrics`)).text()
    expect(metrics).toContain('outrigger_watch_listed{resource="services"} 0')
    expect(metrics).toContain('outrigger_watch_listed{resource="namespaces"} 1')
  })

  test('no call is lost while one replica takes the place of another', async () => {
    kube.addNamespace('servers', {})
    const old = await start('--drain-delay', '5')
    const next = await start()
    const agent = new Agent({ keepAlive: true, maxSockets: 4 })
    const isReady = async ({ adminPort }: WebhookReplica): Promise<boolean> =>
      (await fetch(`http://127.0.0.1:${adminPort}/readyz`)).ok
    const stopping = old.running.stop()
    let served = 0
    let target = old
    for (let call = 0; call < 300; call += 1) {
      // A Service's endpoints follow readiness; the connection may be an old one all the same.
      if (target === old && !(await isReady(old))) target = next
      const reply = await review(target, 'servers', agent)
      expect(reply.status).toBe(200)
      served += 1
    }
    agent.destroy()
    await stopping
    expect({ served, isSwitched: target === next }).toEqual({ served: 300, isSwitched: true })
  })

  test('a stored authority that cannot be used ends the process with words that say what to do', async () => {
    await start()
    await replicas.pop()?.running.stop()
    const data = {
      ...objectAt(kube.secret(), 'data'),
      'ca.key': Buffer.from('x').toString('base64'),
    }
    const metadata = objectAt(kube.secret(), 'metadata')
    await fetch(`${kube.url}/api/v1/namespaces/outrigger-system/secrets/outrigger-ca`, {
      method: 'PATCH',
      body: JSON.stringify({ metadata, data }),
    })
    await expect(start()).rejects.toThrow(/outrigger-system\/outrigger-ca.*empty the Secret/s)
  })

  test('without an API server it does not start', async () => {
    await kube.close()
    await expect(start()).rejects.toThrow('ended before it was ready')
    kube = await startFakeKube(manifest())
  })
})
