// Audit records of pods, read as their users read them: from the log and from the volume, under load and after a kill; and
// what a pod says whose collector wants headers that its namespace has not.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { z } from 'zod'
import { readCheckpoints, verifyFiles } from '../../../cli/audit/verify.ts'
import { AUDIT_DIR, SIDECAR_CONTAINER } from '../../../shared/names.ts'
import { endProcess } from '../../support/end-process.ts'
import { CHECKOUT_CLI } from '../../support/outrigger-run.ts'
import { at, list, type Api, type Json } from '../api.ts'
import { describeOwnCluster } from '../describe-cluster.ts'
import { createKubectl } from '../kubectl.ts'
import { waitFor } from '../machine/waiting.ts'
import { installOurs, isReady, podsOf, readyPod, serverObjects } from '../mcp-pods.ts'
import { loadServer } from '../node-images.ts'
import { podProcesses } from '../pod-processes.ts'
import { PodSession } from '../pod-session.ts'
import type { AuditRecord } from '../../../shared/audit/record.ts'
import { recordsIn } from '../records.ts'

const NAMESPACE = 'audit'
const OVERLAY = new URL('../overlays/audit', import.meta.url).pathname
const AUDIT_README = readFileSync(
  new URL('../../../shared/audit/README.md', import.meta.url),
  'utf8',
)
const MIB = 1024 * 1024
const SIZE_MIB = 8
/** So many calls fill more than one file; each has as much on record as one may have. */
const CALLS = 500
const SESSIONS = 4

const ECHO = { method: 'tools/call', params: { name: 'echo', arguments: { message: 'hello' } } }
const WORDS = Object.fromEntries(
  Array.from({ length: 20 }, (_none, at) => [`m${at}`, 'some words '.repeat(40)]),
)
const LARGE = { method: 'tools/call', params: { name: 'echo', arguments: { message: 'x', ...WORDS } } } // prettier-ignore

/** Each file of the volume with what it takes of it, by Node: there is no other program in the sidecar's image. */
const EACH_FILE = `
const { readdirSync, readFileSync, statSync } = require('node:fs')
for (const name of readdirSync('${AUDIT_DIR}').filter((each) => !each.startsWith('.')).sort()) {
  const file = '${AUDIT_DIR}/' + name
  console.log(JSON.stringify({ name, text: readFileSync(file, 'utf8'), blocks: statSync(file).blocks }))
}`

const fileLine = z.object({ name: z.string(), text: z.string(), blocks: z.number() })

const filesIn = (lines: string) =>
  lines
    .split('\n')
    .filter(Boolean)
    .map((line) => fileLine.parse(JSON.parse(line)))

const serverOf = (name: string, sink: string) => {
  const annotations = {
    'outrigger.dev/audit-sink': sink,
    ...(sink === 'file' ? { 'outrigger.dev/audit-size': `${SIZE_MIB}Mi` } : {}),
  }
  return serverObjects('static', name, { annotations })
}

const nameOf = (pod: Json): string => String(at(pod, 'metadata', 'name'))

const sidecarOf = (pod: Json): unknown =>
  list(pod, 'status', 'initContainerStatuses').find((one) => at(one, 'name') === SIDECAR_CONTAINER)

describeOwnCluster('full', 'audit records', (target) => {
  const kubectl = createKubectl(target)
  const clusterId = target.own.dir.split('/').at(-1) ?? ''
  const dir = mkdtempSync(join(tmpdir(), 'audit-'))
  let api: Api

  const filesOnVolume = async (pod: Json) => {
    const node = ['exec', nameOf(pod), '-c', SIDECAR_CONTAINER, '--', 'node', '-e', EACH_FILE]
    return filesIn(await kubectl.run('-n', NAMESPACE, ...node))
  }

  const logOf = (pod: Json): Promise<string> =>
    kubectl.run('-n', NAMESPACE, 'logs', nameOf(pod), '-c', SIDECAR_CONTAINER)

  const kept = (name: string, text: string): string => {
    const path = join(dir, name)
    writeFileSync(path, text)
    return path
  }

  /** The files of a pod's volume, here. */
  const filesOf = async (pod: Json): Promise<readonly string[]> => {
    return (await filesOnVolume(pod)).map(({ name, text }) => kept(`${nameOf(pod)}-${name}`, text))
  }

  const call = async (pod: Json, message: object, count: number): Promise<void> => {
    const session = new PodSession(pod)
    await session.open()
    // Of a tool that no list has named all arguments are left out.
    await session.post({ method: 'tools/list' })
    for (let done = 0; done < count; done++) await session.post(message)
  }

  beforeAll(async () => {
    await loadServer(target, 'static')
    api = await installOurs(target, OVERLAY)
    await api.createNamespace(NAMESPACE)
    const all = [...serverOf('told', 'stdout'), ...serverOf('filed', 'file'), ...serverOf('sent', 'otlp')] // prettier-ignore
    await api.apply(all, NAMESPACE)
    await Promise.all(['told', 'filed'].map((name) => readyPod(api, NAMESPACE, name)))
  })

  afterAll(async () => {
    rmSync(dir, { recursive: true, force: true })
    await api?.remove(`/api/v1/namespaces/${NAMESPACE}`)
  })

  test('on standard output are read from the log, and verify', async () => {
    const pod = await readyPod(api, NAMESPACE, 'told')
    await call(pod, ECHO, 3)
    const isEcho = (one: AuditRecord): boolean =>
      one.event === 'call' && one.message.tool === 'echo'
    const log = await waitFor('a checkpoint behind the calls', async () => {
      const text = await logOf(pod)
      const last = recordsIn(text).filter(isEcho)[2]?.seq ?? Infinity
      const told = [...text.matchAll(/"outrigger":"audit-checkpoint".*?"seq":(\d+)/g)]
      return Number(told.at(-1)?.[1] ?? 0) >= last ? text : undefined
    })
    const args = ['audit', 'tail', '-', '--tool', 'echo', '--outcome', 'ok', '-o', 'json']
    const { stdout } = spawnSync(process.execPath, [CHECKOUT_CLI, ...args], { input: log })
    expect(recordsIn(stdout.toString())).toMatchObject(
      Array.from({ length: 3 }, () => ({
        event: 'call',
        pod: `${NAMESPACE}/${nameOf(pod)}`,
        message: { tool: 'echo' },
      })),
    )
    const lines = log.split('\n').filter((line) => line.startsWith('{"v":1,'))
    const records = kept('told.jsonl', lines.map((line) => `${line}\n`).join(''))
    const checkpoints = await readCheckpoints(kept('told.log', log), undefined)
    expect(await verifyFiles([records], checkpoints.ok ? checkpoints.value : [])).toMatchObject({
      value: { isWhole: true, verified: { checkpoints: expect.any(Number) } },
    })
  })

  test('on the volume fill file after file, and the pod stays', async () => {
    const pod = await readyPod(api, NAMESPACE, 'filed')
    await Promise.all(Array.from({ length: SESSIONS }, () => call(pod, LARGE, CALLS / SESSIONS)))
    const files = await filesOf(pod)
    expect(files.length).toBeGreaterThan(2)
    const script = `fs.readFileSync("${AUDIT_DIR}/audit.jsonl", "utf8")`
    expect(AUDIT_README).toContain(`-- node -p '${script}'`)
    const read = await kubectl.run('-n', NAMESPACE, 'exec', nameOf(pod), '-c', SIDECAR_CONTAINER, '--', 'node', '-p', script) // prettier-ignore
    expect(recordsIn(read).length).toBeGreaterThan(0)
    const used = (await filesOnVolume(pod)).reduce((sum, { blocks }) => sum + blocks * 512, 0)
    expect(used).toBeGreaterThan(2 * MIB)
    expect(used).toBeLessThan(SIZE_MIB * MIB)
    const checkpoints = await readCheckpoints(kept('filed.log', await logOf(pod)), undefined)
    expect(await verifyFiles(files, checkpoints.ok ? checkpoints.value : [])).toMatchObject({
      value: { isWhole: true },
    })
    const still = await readyPod(api, NAMESPACE, 'filed')
    expect([nameOf(still), at(still, 'status', 'phase')]).toEqual([nameOf(pod), 'Running'])
    expect(sidecarOf(still)).toMatchObject({ restartCount: 0 })
  })

  test('verify over a sidecar that was killed and the one behind it', async () => {
    const pod = await readyPod(api, NAMESPACE, 'filed')
    const uid = String(at(pod, 'metadata', 'uid'))
    const sidecar = podProcesses(clusterId, uid).find(({ command }) => command.includes('/app/sidecar')) // prettier-ignore
    expect(endProcess(sidecar?.pid ?? 0)).toBe(true)
    const again = await waitFor(
      'the sidecar that is begun anew',
      async () => {
        const [own] = await podsOf(api, NAMESPACE, 'filed')
        const count = at(sidecarOf(own ?? {}), 'restartCount')
        return own && isReady(own) && count === 1 ? own : undefined
      },
      120,
    )
    await call(again, ECHO, 1)
    // What a call has come to is written once its answer is under way.
    const [first, second] = await waitFor('the record of the last call', async () => {
      const written = (await filesOnVolume(again)).flatMap(({ text }) => recordsIn(text))
      const begun = written.flatMap((one) => (one.event === 'begin' ? [one] : []))
      const inOrder = begun.toSorted((one, other) => one.time.localeCompare(other.time))
      const last = inOrder.at(-1)?.instance
      const isThere = written.some((one) => one.event === 'call' && one.instance === last)
      return isThere && inOrder.length > 1 ? inOrder : undefined
    })
    expect(second?.before?.instance).toBe(first?.instance)
    expect(await verifyFiles(await filesOf(again), [])).toMatchObject({ value: { isWhole: true } })
  })

  test('for a collector whose headers the namespace lacks: an event names the Secret', async () => {
    const message = await waitFor(
      'an event of the Secret',
      async () => {
        const { body } = await api.get(`/api/v1/namespaces/${NAMESPACE}/events`)
        return list(body, 'items')
          .filter((item) => String(at(item, 'involvedObject', 'name')).startsWith('sent-'))
          .map((item) => String(at(item, 'message')))
          .find((text) => text.includes('outrigger-records'))
      },
      120,
    )
    expect(message).toContain('not found')
    const [pod] = await podsOf(api, NAMESPACE, 'sent')
    expect(isReady(pod)).toBe(false)
  })
})
