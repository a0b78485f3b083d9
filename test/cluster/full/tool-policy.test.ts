// A tool policy in its ConfigMap, changed by `kubectl apply` under a living session: the kubelet brings the file, the sidecar
// sees it, and nothing starts anew.

import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { setTimeout as pause } from 'node:timers/promises'
import { POLICY_DIR } from '../../../shared/names.ts'
import type { Api, Json } from '../api.ts'
import { describeOwnCluster } from '../describe-cluster.ts'
import { createKubectl } from '../kubectl.ts'
import { installOurs, readyPod, serverObjects } from '../mcp-pods.ts'
import { brought, changedAt, startsOf } from '../mounted.ts'
import { loadServer } from '../node-images.ts'
import { PodSession } from '../pod-session.ts'

const NAMESPACE = 'tool-policy'
const ALLOW = '{ name: echoes, effect: allow, tools: [echo] }'
const DENY = '{ name: no-echoes, effect: deny, tools: [echo] }'
const BLOCK = '{ name: gone, effect: deny }'
/** How soon after its file's change a policy has to hold, as the sidecar promises it. */
const PROMISED_MS = 5000

const configMap = (...rules: readonly string[]): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'policy', namespace: NAMESPACE },
    data: { 'policy.yaml': `version: 1\nrules:\n${rules.map((rule) => `  - ${rule}\n`).join('')}` },
  })

const ECHO = { method: 'tools/call', params: { name: 'echo', arguments: { message: 'hello' } } }

describeOwnCluster('full', 'a tool policy', (target) => {
  const kubectl = createKubectl(target)
  let api: Api
  let pod: Json
  let session: PodSession

  const starts = async () => startsOf(await readyPod(api, NAMESPACE, 'server'))

  beforeAll(async () => {
    await loadServer(target, 'static')
    api = await installOurs(target)
    await api.createNamespace(NAMESPACE)
    await kubectl.apply(configMap(ALLOW))
    const annotations = { 'outrigger.dev/tool-policy': 'policy' }
    await api.apply(serverObjects('static', 'server', { annotations }), NAMESPACE)
    pod = await readyPod(api, NAMESPACE, 'server')
    session = new PodSession(pod)
    await session.open()
  })

  afterAll(async () => await api?.remove(`/api/v1/namespaces/${NAMESPACE}`))

  test('is what a call passes, and what a list shows', async () => {
    expect((await session.post(ECHO)).text).toContain('Echo: hello')
    const { text } = await session.post({ method: 'tools/list' })
    expect([...text.matchAll(/"name":"(\w+)"/g)].map(([, name]) => name)).toEqual(['echo'])
  })

  test('that is applied anew holds without a restart, in the session that is there', async () => {
    const before = await starts()
    const changed = await brought(target, { pod, folder: POLICY_DIR }, () =>
      kubectl.apply(configMap(ALLOW, DENY)),
    )
    await pause(Math.max(0, changed + PROMISED_MS - Date.now()))
    expect((await session.post(ECHO)).text).toContain('"rule":"no-echoes"')
    expect((await session.post({ method: 'tools/list' })).text).toContain('"tools":[]')
    expect(await starts()).toEqual(before)
  })

  test('that blocks a caller ends the session that is there, soon after its file has changed', async () => {
    const before = await starts()
    const was = changedAt(target, pod, POLICY_DIR)
    const ended = session.untilEnded()
    await kubectl.apply(configMap(ALLOW, BLOCK))
    const endedAt = await ended
    const changed = changedAt(target, pod, POLICY_DIR)
    expect(changed).toBeGreaterThan(was)
    expect(endedAt - changed).toBeLessThan(PROMISED_MS)
    expect(await session.post(ECHO)).toMatchObject({ status: 403 })
    expect(await starts()).toEqual(before)
  })
})
