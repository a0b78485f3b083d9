// A tool lock in its ConfigMap, changed by `kubectl apply` under a living session; one that the cluster configuration brings;
// and a cluster configuration that demands one.

import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { LOCK_DIR } from '../../../shared/names.ts'
import { CHECKOUT_CLI } from '../../support/outrigger-run.ts'
import type { Api, Json } from '../api.ts'
import { describeOwnCluster } from '../describe-cluster.ts'
import { createKubectl } from '../kubectl.ts'
import { waitFor } from '../machine/waiting.ts'
import { installOurs, readyPod, serverObjects } from '../mcp-pods.ts'
import { brought, startsOf } from '../mounted.ts'
import { loadServer } from '../node-images.ts'
import { PodSession } from '../pod-session.ts'
import { INJECT, serverPod } from '../pods.ts'

const NAMESPACE = 'tool-lock'
const OVERLAY = new URL('../overlays/tool-lock', import.meta.url).pathname
/** Its tool `drift` makes it change what it says. */
const SCRIPT = fileURLToPath(new URL('../../fixtures/drifting-server.ts', import.meta.url))

/** What `outrigger tools lock` writes of the server with these changes. */
const lockOf = (...changes: readonly string[]): string =>
  execFileSync(
    process.execPath,
    [CHECKOUT_CLI, 'tools', 'lock', '--', process.execPath, SCRIPT, ...changes],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  )

const configMap = (name: string, data: Readonly<Record<string, string>>): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: NAMESPACE },
    data,
  })

const server = (name: string, annotations: Readonly<Record<string, string>>): readonly Json[] =>
  serverObjects('glibc', name, {
    annotations,
    container: {
      command: ['node', '--no-warnings', '/app/drifting/server.mts'],
      volumeMounts: [{ name: 'script', mountPath: '/app/drifting', readOnly: true }],
    },
    spec: { volumes: [{ name: 'script', configMap: { name: 'script' } }] },
  })

const echo = (session: PodSession) =>
  session.post({ method: 'tools/call', params: { name: 'echo', arguments: { text: 'a' } } })

/** The names of the first page. */
const listed = async (session: PodSession): Promise<readonly string[]> => {
  const { text } = await session.post({ method: 'tools/list' })
  return [...text.matchAll(/\{"name":"(\w+)"/g)].map(([, name = '']) => name)
}

const openAt = async (pod: Json): Promise<PodSession> => {
  const session = new PodSession(pod)
  await session.open()
  return session
}

describeOwnCluster('full', 'a tool lock', (target) => {
  const kubectl = createKubectl(target)
  let api: Api
  let pod: Json
  let session: PodSession

  beforeAll(async () => {
    await loadServer(target, 'glibc')
    api = await installOurs(target, OVERLAY)
    await api.createNamespace(NAMESPACE)
    await kubectl.apply(configMap('script', { 'server.mts': readFileSync(SCRIPT, 'utf8') }))
    await kubectl.apply(configMap('lock', { 'lock.yaml': lockOf() }))
    await api.apply(server('server', { 'outrigger.dev/tool-lock': 'lock' }), NAMESPACE)
    await api.apply(server('brought', {}), NAMESPACE)
    pod = await readyPod(api, NAMESPACE, 'server')
    session = await openAt(pod)
  })

  afterAll(async () => await api?.remove(`/api/v1/namespaces/${NAMESPACE}`))

  test('hides and refuses a tool that has changed since', async () => {
    expect((await echo(session)).text).toContain('called echo')
    expect(await listed(session)).toEqual(['drift', 'echo'])
    await session.post({
      method: 'tools/call',
      params: { name: 'drift', arguments: { to: ['description'], tell: true } },
    })
    expect(await listed(session)).toEqual(['drift'])
    expect((await echo(session)).text).toContain('has changed: description differs')
  })

  test('that is applied anew holds without a restart, in the session that is there', async () => {
    const text = lockOf('description')
    await brought(target, { pod, folder: LOCK_DIR }, () =>
      kubectl.apply(configMap('lock', { 'lock.yaml': text })),
    )
    await waitFor('the sidecar to take it', async () =>
      (await echo(session)).text.includes('called echo') ? true : undefined,
    )
    expect(await listed(session)).toEqual(['drift', 'echo'])
    expect(startsOf(await readyPod(api, NAMESPACE, 'server'))).toEqual(startsOf(pod))
  })

  test('of the cluster configuration holds where the namespace has none', async () => {
    const other = await openAt(await readyPod(api, NAMESPACE, 'brought'))
    expect(await listed(other)).toEqual([])
    expect((await echo(other)).text).toContain('the tool lock refuses this: this tool is not in it')
  })

  test('a pod is denied that names none where one is demanded', async () => {
    const { status, body } = await api.create(serverPod('bare'), NAMESPACE)
    expect(status).toBe(403)
    expect(body['message']).toContain(
      'outrigger.dev/tool-lock is missing: the cluster configuration demands a tool lock of every server',
    )
    const annotations = { ...INJECT, 'outrigger.dev/tool-lock': 'lock' }
    const query = '?dryRun=All'
    expect(await api.create(serverPod('named', { annotations }), NAMESPACE, query)).toMatchObject({
      status: 201,
    })
  })
})
