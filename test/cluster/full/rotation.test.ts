// Both certificates of the webhook rotate, several times each, and its Deployment rolls, once between two authorities and once in
// the midst of their change, while a hundred pods a second come through admission: no call of the API server's fails.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { shortDigest } from '../../../certs/authorities.ts'
import { at, createApi, list, type Api, type Reply } from '../api.ts'
import { describeOwnCluster } from '../describe-cluster.ts'
import { hasSidecar, refusals, startCreating } from '../dry-creates.ts'
import { createKubectl } from '../kubectl.ts'
import { words } from '../machine/run.ts'
import { waitFor } from '../machine/waiting.ts'
import { installOurs, isReady } from '../mcp-pods.ts'
import { writeOverlay } from '../overlay.ts'

const DEV = join(import.meta.dirname, '../../../manifests/overlays/dev')
const [NAMESPACE, OPTED_IN] = ['rotating', 'rotating-in']
const PODS = '/api/v1/namespaces/outrigger-system/pods'
const SECRET = '/api/v1/namespaces/outrigger-system/secrets/outrigger-ca'
/** Four of them, 25 pods a second each. */
const [CREATORS_OF_EACH, EVERY_MS] = [2, 40]
/** A leaf is renewed after 40 s, an authority after two minutes, and signs once it has been trusted for three seconds. */
const LIVES = ['--leaf-lifetime=60s', '--ca-lifetime=180s']
const PATIENCE_SECONDS = 300
const KEPT = 5

/** overlays/dev with short lives. */
const writeShort = (folder: string): string => {
  const target = { kind: 'Deployment', name: 'outrigger-webhook' }
  const container = '/spec/template/spec/containers/0'
  const patch = [
    ...LIVES.map((value) => ({ op: 'add', path: `${container}/args/-`, value })),
    // The node is shared with all that asks, and who asks for little gets next to nothing.
    { op: 'replace', path: `${container}/resources/requests/cpu`, value: '400m' },
  ]
  const config = readFileSync(join(DEV, 'config.yaml'), 'utf8')
  const more = { patches: [{ target, patch: JSON.stringify(patch) }] }
  return writeOverlay(folder, { on: 'overlays/dev', config, more })
}

/** What comes of pods without end is counted; of what should not be the first few are kept. */
class Load {
  readonly refused: unknown[] = []
  readonly bare: unknown[] = []
  made = 0
  private readonly end: () => Promise<void>
  private readonly from = performance.now()

  constructor(api: Api) {
    const each = [{ namespace: NAMESPACE }, { namespace: OPTED_IN, annotations: {} }]
    const creators = each.flatMap((one) => Array.from({ length: CREATORS_OF_EACH }, () => one))
    this.end = startCreating(api, creators, {
      everyMs: EVERY_MS,
      hear: (reply) => this.hear(reply),
    })
  }

  async close(): Promise<void> {
    await this.end()
    const seconds = (performance.now() - this.from) / 1000
    const pace = (this.made / seconds).toFixed(0)
    process.stderr.write(`${this.made} pods in ${seconds.toFixed(0)} s, ${pace} a second\n`)
  }

  private hear(reply: Reply): void {
    this.made += 1
    const [refusal] = refusals([reply])
    if (refusal !== undefined && this.refused.length < KEPT) this.refused.push(refusal)
    if (refusal === undefined && !hasSidecar(reply) && this.bare.length < KEPT)
      this.bare.push(at(reply.body, 'spec'))
  }
}

/** A replica's leaf: who has signed it, and when it ends. */
interface Served {
  readonly authority: string
  readonly until: string
}
type Replicas = ReadonlyMap<string, Served>

const servedIn = (metrics: string): Served => ({
  authority: /^outrigger_certificate_signed_by\{authority="([^"]+)"\} 1$/m.exec(metrics)?.[1] ?? '',
  until: /^outrigger_certificate_not_after_seconds (\S+)$/m.exec(metrics)?.[1] ?? '',
})

/** Of calls to webhooks of ours those that the API server counts as failed, whatever it made of that. */
const failedCalls = (metrics: string): number =>
  metrics
    .split('\n')
    .filter(
      (line) =>
        line.includes('outrigger.dev"') &&
        ((line.startsWith('apiserver_admission_webhook_rejection_count{') &&
          line.includes('error_type="calling_webhook_error"')) ||
          line.startsWith('apiserver_admission_webhook_fail_open_count{')),
    )
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)

describeOwnCluster('full', 'certificates that rotate under a webhook that rolls', (target) => {
  const kubectl = createKubectl(target)
  const short = mkdtempSync(join(tmpdir(), 'outrigger-rotation-'))
  let api: Api = createApi(target.api)

  const textAt = async (path: string): Promise<string> => {
    const { text } = (await api.get(path)).body
    return typeof text === 'string' ? text : ''
  }

  /** Two Ready replicas and no other, by name. */
  const replicas = async (): Promise<Replicas | undefined> => {
    const pods = list((await api.get(PODS)).body, 'items')
    if (pods.length !== 2 || !pods.every(isReady)) return undefined
    const served = new Map<string, Served>()
    for (const pod of pods) {
      const name = String(at(pod, 'metadata', 'name'))
      served.set(name, servedIn(await textAt(`${PODS}/${name}:8081/proxy/metrics`)))
    }
    return served
  }

  const until = (what: string, isSo: (served: Replicas) => boolean): Promise<Replicas> =>
    waitFor(
      what,
      async () => {
        const served = await replicas()
        if (served && isSo(served)) return served
        throw new Error(JSON.stringify([...(served ?? [])]))
      },
      PATIENCE_SECONDS,
    )

  /** The same processes serve by another leaf each. */
  const untilRenewed = (before: Replicas): Promise<Replicas> =>
    until('other leaves of the same replicas', (served) =>
      [...before].every(([name, leaf]) => {
        const now = served.get(name)
        return now !== undefined && now.until !== '' && now.until !== leaf.until
      }),
    )

  /** An authority of the Secret's, by the beginning of its digest. */
  const stored = async (key: 'ca.crt' | 'next.crt'): Promise<string | undefined> => {
    const text = at((await api.get(SECRET)).body, 'data', key)
    return typeof text === 'string' && text !== ''
      ? shortDigest(Buffer.from(text, 'base64').toString())
      : undefined
  }

  /** Both replicas serve by a leaf of such an authority. */
  const untilSigned = (what: string, isSo: (authority: string) => boolean): Promise<Replicas> =>
    until(what, (served) =>
      [...served.values()].every(({ authority }) => authority !== '' && isSo(authority)),
    )

  /** Rolls, until those before are gone. */
  const rolled = async (before: Replicas): Promise<Replicas> => {
    await kubectl.run(...words('-n outrigger-system rollout restart deployment/outrigger-webhook'))
    return until('other replicas', (served) =>
      [...before.keys()].every((name) => !served.has(name)),
    )
  }

  /** What the README has one do for another authority at once; it is made when a replica looks next. */
  const emptied = async (): Promise<string> => {
    const before = await stored('ca.crt')
    expect((await api.patch(SECRET, { data: null })).status).toBe(200)
    const made = async (): Promise<string | undefined> => {
      const now = await stored('ca.crt')
      return now === before ? undefined : now
    }
    return waitFor('another authority', made, PATIENCE_SECONDS)
  }

  beforeAll(async () => {
    api = await installOurs(target, writeShort(short))
    await api.createNamespace(NAMESPACE)
    await api.createNamespace(OPTED_IN, { 'outrigger.dev/injection': 'enabled' })
  })

  // All of it: an authority of so short a life is nobody's to go on with.
  afterAll(async () => {
    for (const name of [NAMESPACE, OPTED_IN]) await api.remove(`/api/v1/namespaces/${name}`)
    await kubectl.run('delete', '--ignore-not-found', '-k', short)
    rmSync(short, { recursive: true })
  })

  test('every pod is created, and injected, and the API server counts no failed call', async () => {
    const failedBefore = failedCalls(await textAt('/metrics'))
    const authorities = new Set([await stored('ca.crt')])
    const load = new Load(api)
    try {
      const first = await until('two replicas', () => true)
      const second = await emptied()
      authorities.add(second)
      const handed = await untilSigned(`leaves of ${second}`, (by) => by === second)
      expect([...handed.keys()].toSorted()).toEqual([...first.keys()].toSorted())
      const renewed = await untilRenewed(await rolled(handed))
      const third = await waitFor('the next authority', () => stored('next.crt'), PATIENCE_SECONDS)
      await rolled(renewed)
      // By the next, or where to roll has taken longer than that lives, by one after it.
      await untilSigned('leaves of later authorities', (by) => !authorities.has(by))
      authorities.add(third)
      // What is answered last is answered by these.
      const made = load.made
      const isMore = async () => (load.made > made + 100 ? true : undefined)
      await waitFor('more pods', isMore, PATIENCE_SECONDS)
    } finally {
      await load.close()
    }
    expect(load.refused).toEqual([])
    expect(load.bare).toEqual([])
    expect(load.made).toBeGreaterThan(300)
    expect(authorities.size).toBe(3)
    expect(failedCalls(await textAt('/metrics')) - failedBefore).toBe(0)
  })
})
