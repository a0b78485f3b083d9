// Another version of the webhook over the one that serves, back again, and away, as README.md says under "Upgrading",
// while pods are created all the time and a client calls a server.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { spokenCommands } from '../../support/readme.ts'
import { at, list, type Api, type Reply } from '../api.ts'
import { describeOwnCluster } from '../describe-cluster.ts'
import { OWN_IMAGES } from '../images/dockerfile.ts'
import { hasSidecar, refusals, startCreating } from '../dry-creates.ts'
import { createKubectl } from '../kubectl.ts'
import { run, words } from '../machine/run.ts'
import { waitFor } from '../machine/waiting.ts'
import {
  clientPod,
  installOurs,
  readyPod,
  serverObjects,
  startClient,
  untilServed,
  type CallLine,
  type PodRun,
} from '../mcp-pods.ts'
import { startsOf } from '../mounted.ts'
import { loadClient, loadServer } from '../node-images.ts'
import { writeOverlay } from '../overlay.ts'

const REPOSITORY = join(import.meta.dirname, '../../..')
const DEV = join(REPOSITORY, 'manifests/overlays/dev')
const OTHER_TAG = 'upgraded'
const [NAMESPACE, OPTED_IN] = ['upgrading', 'upgrading-in']
const CLIENT = { namespace: NAMESPACE, name: 'client' }
const URL_OF_SERVER = `http://server.${NAMESPACE}/mcp`
const EVERY_MS = 30
/** As long as README.md leaves the API server between two commands. */
const KNOWN_MS = 2000
/** They have 30 s to end, and then the kubelet has to come to it. */
const GONE_SECONDS = 180
const REGISTRATION = '/apis/admissionregistration.k8s.io/v1'

/** overlays/dev as another version has it: another image of the webhook's, and a configuration that warns of more. */
const writeUpgraded = (folder: string): string => {
  const config = readFileSync(join(DEV, 'config.yaml'), 'utf8')
  return writeOverlay(folder, {
    on: 'overlays/dev',
    config: config.replace('\nfloor:\n', '\nfloor:\n  warn: strict\n'),
    more: { images: [{ name: 'outrigger-webhook', newTag: OTHER_TAG }] },
  })
}

/** The commands by which README.md has Outrigger taken away, in its order. */
const removal = (): readonly string[] => {
  const readme = readFileSync(join(REPOSITORY, 'README.md'), 'utf8')
  const [, section = ''] = readme.split('\n### Upgrading\n')
  return spokenCommands(section.split('\n## ')[0] ?? '', /^kubectl delete /)
}

/** Creates pods until it is told to end. */
const startAll = (api: Api): (() => Promise<readonly Reply[]>) => {
  const replies: Reply[] = []
  const creators = [{ namespace: NAMESPACE }, { namespace: OPTED_IN, annotations: {} }]
  const hear = (reply: Reply): void => void replies.push(reply)
  const end = startCreating(api, creators, { everyMs: EVERY_MS, hear })
  return async () => {
    await end()
    return replies
  }
}

describeOwnCluster('full', 'another version of the webhook', (target) => {
  const kubectl = createKubectl(target)
  let api: Api
  let calls: PodRun<CallLine>
  let began: unknown
  const upgraded = mkdtempSync(join(tmpdir(), 'outrigger-upgraded-'))

  const starts = async (): Promise<unknown> => startsOf(await readyPod(api, NAMESPACE, 'server'))

  /** What README.md's second step is, while pods are created. */
  const applied = async (overlay: string): Promise<readonly Reply[]> => {
    const end = startAll(api)
    await kubectl.run('apply', '-k', overlay)
    await kubectl.run(...words('-n outrigger-system rollout status deployment/outrigger-webhook --timeout=300s')) // prettier-ignore
    // Those before are told to end, and serve until then.
    const areGone = async (): Promise<true | undefined> => {
      const { body } = await api.get('/api/v1/namespaces/outrigger-system/pods')
      const ending = list(body, 'items').filter(
        (pod) => at(pod, 'metadata', 'deletionTimestamp') !== undefined,
      )
      return ending.length === 0 ? true : undefined
    }
    await waitFor('those before to be gone', areGone, GONE_SECONDS)
    await pause(KNOWN_MS)
    return end()
  }

  const isStrict = (reply: Reply | undefined): boolean =>
    reply?.warnings.some((text) => text.includes('(rule image-digest)')) === true

  beforeAll(async () => {
    writeUpgraded(upgraded)
    await Promise.all([loadClient(target), loadServer(target, 'static')])
    api = await installOurs(target)
    const tool = ['ctr', '--address', join(target.own.dir, 'containerd.sock')]
    const image = OWN_IMAGES.webhook
    const other = image.replace(/[^:]+$/, OTHER_TAG)
    await run([...tool, ...words('--namespace k8s.io images tag --force'), image, other])
    await api.createNamespace(NAMESPACE)
    await api.createNamespace(OPTED_IN, { 'outrigger.dev/injection': 'enabled' })
    await api.apply([clientPod('client')], NAMESPACE)
    await api.apply(serverObjects('static', 'server'), NAMESPACE)
    await kubectl.ready(NAMESPACE, 'client')
    await untilServed(target, CLIENT, URL_OF_SERVER)
    began = await starts()
    const call = {
      era: 'modern',
      url: URL_OF_SERVER,
      tool: 'echo',
      args: { message: 'x' },
    } as const
    calls = startClient(target, CLIENT, { ...call, count: 1_000_000, pauseMs: 100 })
  })

  afterAll(async () => {
    rmSync(upgraded, { recursive: true })
    calls?.stop()
    for (const name of [NAMESPACE, OPTED_IN]) await api?.remove(`/api/v1/namespaces/${name}`)
  })

  test.each([
    { what: 'comes over the one that serves', overlay: upgraded, isOther: true },
    { what: 'goes back to the one before', overlay: DEV, isOther: false },
  ])('$what: no pod is refused, or comes without its sidecar', async ({ overlay, isOther }) => {
    const replies = await applied(overlay)
    expect(refusals(replies)).toEqual([])
    expect(replies.filter((reply) => !hasSidecar(reply))).toEqual([])
    expect(replies.length).toBeGreaterThan(100)
    // By their warnings the two are told from each other: it is another that judges in the end.
    expect([replies.at(0), replies.at(-1)].map(isStrict)).toEqual([!isOther, isOther])
  })

  test('goes by the commands of README.md, in their order: no pod is refused, and nothing is left', async () => {
    const end = startAll(api)
    for (const command of removal()) {
      const [, ...args] = words(command)
      await kubectl.run(...args, ...(args.at(-1) === '-k' ? [DEV] : []))
      await pause(KNOWN_MS)
    }
    const replies = await end()
    expect(refusals(replies)).toEqual([])
    expect([replies.at(0), replies.at(-1)].map((one) => one && hasSidecar(one))).toEqual([
      true,
      false,
    ])
    for (const kind of [
      'mutatingwebhookconfigurations',
      'validatingwebhookconfigurations',
      'validatingadmissionpolicies',
      'validatingadmissionpolicybindings',
    ]) {
      const { body } = await api.get(`${REGISTRATION}/${kind}`)
      const names = list(body, 'items').map((item) => String(at(item, 'metadata', 'name')))
      expect([kind, names.filter((name) => name.includes('outrigger'))]).toEqual([kind, []])
    }
    expect((await api.get('/api/v1/namespaces/outrigger-system')).status).toBe(404)
  })

  test('leaves pods as they are: they serve, and are anybody’s again', async () => {
    expect(await untilServed(target, CLIENT, URL_OF_SERVER)).toBe('Echo: hello')
    calls.stop()
    const made = await calls.done
    expect(made.filter(({ ok }) => !ok)).toEqual([])
    expect(made.length).toBeGreaterThan(50)
    expect(await starts()).toEqual(began)
    const pod = await readyPod(api, NAMESPACE, 'server')
    const path = `/api/v1/namespaces/${NAMESPACE}/pods/${String(at(pod, 'metadata', 'name'))}`
    const unmarked = { metadata: { labels: { 'outrigger.dev/injected': null } } }
    expect((await api.patch(path, unmarked)).status).toBe(200)
    const labels = { metadata: { labels: { 'outrigger.dev/injection': null } } }
    expect((await api.patch(`/api/v1/namespaces/${OPTED_IN}`, labels)).status).toBe(200)
  })
})
