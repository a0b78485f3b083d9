// A tool policy in its ConfigMap, changed by `kubectl apply` under a living session: the kubelet brings the file, the sidecar
// sees it, and nothing starts anew.

import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { lstatSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { POLICY_DIR } from '../../../shared/names.ts'
import { DEFAULT_SIDECAR_UID } from '../../../webhook/cluster/config-schema.ts'
import { at, list, type Api, type Json } from '../api.ts'
import { describeOwnCluster } from '../describe-cluster.ts'
import { createKubectl } from '../kubectl.ts'
import { waitFor } from '../machine/waiting.ts'
import { installOurs, readyPod, serverObjects } from '../mcp-pods.ts'
import { loadServer } from '../node-images.ts'
import { podProcesses } from '../pod-processes.ts'

const NAMESPACE = 'tool-policy'
const ALLOW = '{ name: echoes, effect: allow, tools: [echo] }'
const DENY = '{ name: no-echoes, effect: deny, tools: [echo] }'
const BLOCK = '{ name: gone, effect: deny }'
/** The kubelet looks at a mounted ConfigMap once a minute or so. */
const KUBELET_SECONDS = 180
/** How soon after its file's change a policy has to hold, as the sidecar promises it. */
const PROMISED_MS = 5000

const configMap = (...rules: readonly string[]): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'policy', namespace: NAMESPACE },
    data: { 'policy.yaml': `version: 1\nrules:\n${rules.map((rule) => `  - ${rule}\n`).join('')}` },
  })

const INITIALIZE = {
  method: 'initialize',
  params: {
    protocolVersion: '2025-06-18',
    capabilities: {},
    clientInfo: { name: 'test', version: '1' },
  },
}
const ECHO = { method: 'tools/call', params: { name: 'echo', arguments: { message: 'hello' } } }

/** A session at a pod's own address. */
class Session {
  private readonly url: string
  private id = ''

  constructor(pod: Json) {
    this.url = `http://${String(at(pod, 'status', 'podIP'))}:15200/mcp`
  }

  private headers(): Record<string, string> {
    return {
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      ...(this.id === '' ? {} : { 'mcp-session-id': this.id }),
    }
  }

  async post(message: object): Promise<{ readonly status: number; readonly text: string }> {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, ...message })
    const answer = await fetch(this.url, { method: 'POST', headers: this.headers(), body })
    this.id ||= answer.headers.get('mcp-session-id') ?? ''
    return { status: answer.status, text: await answer.text() }
  }

  async open(): Promise<void> {
    await this.post(INITIALIZE)
    const body = '{"jsonrpc":"2.0","method":"notifications/initialized"}'
    await fetch(this.url, { method: 'POST', headers: this.headers(), body })
  }

  /** Listens; gives when that has ended, as the file system counts. */
  async untilEnded(): Promise<number> {
    const { body } = await fetch(this.url, { headers: this.headers() })
    try {
      for await (const _chunk of body ?? []) continue
    } catch {
      // Cut off is ended, too.
    }
    return Date.now()
  }
}

describeOwnCluster('full', 'a tool policy', (target) => {
  const kubectl = createKubectl(target)
  const clusterId = target.own.dir.split('/').at(-1) ?? ''
  let api: Api
  let pod: Json
  let session: Session

  /** When the kubelet has last put a ConfigMap into the sidecar's folder: by a link, in one step. */
  const changedAt = (): number => {
    const processes = podProcesses(clusterId, String(at(pod, 'metadata', 'uid')))
    const sidecar = processes.find(({ uid }) => uid === DEFAULT_SIDECAR_UID)
    return lstatSync(`/proc/${sidecar?.pid ?? 0}/root${POLICY_DIR}/..data`).ctimeMs
  }

  const restarts = async (): Promise<readonly unknown[]> => {
    const now = await readyPod(api, NAMESPACE, 'server')
    const statuses = ['initContainerStatuses', 'containerStatuses'].flatMap((name) =>
      list(now, 'status', name),
    )
    return [
      at(now, 'metadata', 'uid'),
      ...statuses.map((one) => [at(one, 'containerID'), at(one, 'restartCount')]),
    ]
  }

  beforeAll(async () => {
    await loadServer(target, 'static')
    api = await installOurs(target)
    await api.createNamespace(NAMESPACE)
    await kubectl.apply(configMap(ALLOW))
    const annotations = { 'outrigger.dev/tool-policy': 'policy' }
    await api.apply(serverObjects('static', 'server', { annotations }), NAMESPACE)
    pod = await readyPod(api, NAMESPACE, 'server')
    session = new Session(pod)
    await session.open()
  })

  afterAll(async () => await api?.remove(`/api/v1/namespaces/${NAMESPACE}`))

  test('is what a call passes, and what a list shows', async () => {
    expect((await session.post(ECHO)).text).toContain('Echo: hello')
    const { text } = await session.post({ method: 'tools/list' })
    expect([...text.matchAll(/"name":"(\w+)"/g)].map(([, name]) => name)).toEqual(['echo'])
  })

  test('that is applied anew holds without a restart, in the session that is there', async () => {
    const before = await restarts()
    const was = changedAt()
    await kubectl.apply(configMap(ALLOW, DENY))
    await waitFor(
      'the kubelet to bring it',
      async () => (changedAt() > was ? true : undefined),
      KUBELET_SECONDS,
    )
    await pause(Math.max(0, changedAt() + PROMISED_MS - Date.now()))
    expect((await session.post(ECHO)).text).toContain('"rule":"no-echoes"')
    expect((await session.post({ method: 'tools/list' })).text).toContain('"tools":[]')
    expect(await restarts()).toEqual(before)
  })

  test('that blocks a caller ends the session that is there, soon after its file has changed', async () => {
    const before = await restarts()
    const was = changedAt()
    const ended = session.untilEnded()
    await kubectl.apply(configMap(ALLOW, BLOCK))
    const endedAt = await ended
    const changed = changedAt()
    expect(changed).toBeGreaterThan(was)
    expect(endedAt - changed).toBeLessThan(PROMISED_MS)
    expect(await session.post(ECHO)).toMatchObject({ status: 403 })
    expect(await restarts()).toEqual(before)
  })
})
