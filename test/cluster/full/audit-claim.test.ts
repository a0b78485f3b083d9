// Audit records on a claim that the cluster configuration names: the sidecar writes there, each pod in a folder of its own, and
// what came back under the same name goes on where the one before has ended.

import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { recordSchema, type AuditRecord } from '../../../shared/audit/record.ts'
import { AUDIT_DIR, AUDIT_FILE } from '../../../shared/names.ts'
import { CHECKOUT_CLI } from '../../support/outrigger-run.ts'
import { at, type Api, type Json } from '../api.ts'
import { describeOwnCluster } from '../describe-cluster.ts'
import { createKubectl } from '../kubectl.ts'
import { waitFor } from '../machine/waiting.ts'
import { installOurs, readyPod, serverObjects } from '../mcp-pods.ts'
import { loadServer } from '../node-images.ts'
import { writeOverlay } from '../overlay.ts'
import { PodSession } from '../pod-session.ts'

const NAMESPACE = 'audit-claim'
const CLAIM = 'outrigger-records'
const ECHO = { method: 'tools/call', params: { name: 'echo', arguments: { message: 'hello' } } }

const CONFIG = {
  sidecar: { image: 'outrigger-sidecar:0.1.0' },
  settings: { auth: 'none', 'audit-sink': 'file', 'audit-attempts': 'true', 'audit-size': '8Mi' },
  audit: { claim: CLAIM },
  floor: { allowAnonymous: true, allowAdvisoryIsolation: true },
}

/** A volume of the node's, which nobody provisions, and the claim that has it. */
const volumeOf = (path: string): Json => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name: CLAIM },
  spec: {
    capacity: { storage: '64Mi' },
    accessModes: ['ReadWriteMany'],
    persistentVolumeReclaimPolicy: 'Retain',
    storageClassName: '',
    claimRef: { namespace: NAMESPACE, name: CLAIM },
    hostPath: { path, type: 'Directory' },
  },
})
const claim: Json = {
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: CLAIM },
  spec: {
    accessModes: ['ReadWriteMany'],
    storageClassName: '',
    volumeName: CLAIM,
    resources: { requests: { storage: '64Mi' } },
  },
}

/** A server whose pods come back under the names that they had. */
const statefulSet = (name: string): Json => {
  const [deployment] = serverObjects('static', name)
  const spec = at(deployment, 'spec')
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name },
    spec: { ...(typeof spec === 'object' ? spec : {}), serviceName: name },
  }
}

const uidOf = (pod: Json): string => String(at(pod, 'metadata', 'uid'))

const eventsOf = <Event extends AuditRecord['event']>(
  records: readonly AuditRecord[],
  event: Event,
) => records.filter((one): one is Extract<AuditRecord, { event: Event }> => one.event === event)

const echoesOf = (records: readonly AuditRecord[]) =>
  eventsOf(records, 'call').filter(({ message }) => message.tool === 'echo')

describeOwnCluster('full', 'audit records on a claim', (target) => {
  const kubectl = createKubectl(target)
  const overlay = mkdtempSync(join(tmpdir(), 'outrigger-claim-'))
  const volume = join(target.own.dir, 'records')
  let api: Api

  const call = async (pod: Json): Promise<void> => {
    const session = new PodSession(pod)
    await session.open()
    expect((await session.post(ECHO)).text).toContain('Echo: hello')
  }

  const filesIn = (folder: string): readonly string[] =>
    readdirSync(join(volume, folder))
      .filter((name) => name.startsWith(AUDIT_FILE))
      .map((name) => join(volume, folder, name))

  const recordsIn = (folder: string): readonly AuditRecord[] =>
    filesIn(folder)
      .flatMap((file) => readFileSync(file, 'utf8').split('\n').filter(Boolean))
      .map((line) => recordSchema.parse(JSON.parse(line)))
      .toSorted((one, other) => one.time.localeCompare(other.time))

  beforeAll(async () => {
    writeOverlay(overlay, { on: 'base', config: JSON.stringify(CONFIG) })
    await loadServer(target, 'static')
    api = await installOurs(target, overlay)
    mkdirSync(volume)
    // Of such a volume Kubernetes changes nobody's rights.
    chmodSync(volume, 0o777)
    await api.createNamespace(NAMESPACE)
    await api.apply([volumeOf(volume)])
    await api.apply([claim, statefulSet('kept'), ...serverObjects('static', 'other')], NAMESPACE)
    await Promise.all(['kept', 'other'].map((name) => readyPod(api, NAMESPACE, name)))
  })

  afterAll(async () => {
    rmSync(overlay, { recursive: true })
    await api?.remove(`/api/v1/namespaces/${NAMESPACE}`)
    await api?.remove(`/api/v1/persistentvolumes/${CLAIM}`)
  })

  test('verify over a pod that was deleted and the one that came in its place', async () => {
    const first = await readyPod(api, NAMESPACE, 'kept')
    await call(first)
    await kubectl.run('-n', NAMESPACE, 'delete', 'pod', 'kept-0')
    const second = await waitFor(
      'the pod in its place',
      async () => {
        const pod = await readyPod(api, NAMESPACE, 'kept')
        return uidOf(pod) === uidOf(first) ? undefined : pod
      },
      120,
    )
    await call(second)
    // What a call has come to is written once its answer is under way.
    const records = await waitFor('the records of both calls', async () => {
      const all = recordsIn('kept-0')
      return echoesOf(all).length < 2 ? undefined : all
    })
    const [before, after] = eventsOf(records, 'begin')
    expect(after?.before?.instance).toBe(before?.instance)
    expect(echoesOf(records).map(({ instance }) => instance)).toEqual([
      before?.instance,
      after?.instance,
    ])
    const args = ['audit', 'verify', ...filesIn('kept-0')]
    const { status, stdout } = spawnSync(process.execPath, [CHECKOUT_CLI, ...args])
    // The first has ended as it should, and the second runs still.
    const told = `records, all as they were written; instance ${after?.instance} has no last record`
    expect([status, stdout.toString()]).toEqual([0, expect.stringContaining(told)])
  })

  test('of each pod are in a folder of its own, and it sees no other', async () => {
    const pod = await readyPod(api, NAMESPACE, 'other')
    const name = String(at(pod, 'metadata', 'name'))
    expect(readdirSync(volume).sort()).toEqual(['kept-0', name].sort())
    const list = `console.log(require('fs').readdirSync('${AUDIT_DIR}').join('\\n'))`
    const seen = await kubectl.run('-n', NAMESPACE, 'exec', name, '-c', 'outrigger-sidecar', '--', 'node', '-e', list) // prettier-ignore
    expect(seen.split('\n').filter(Boolean).sort()).toEqual(readdirSync(join(volume, name)).sort())
  })
})
