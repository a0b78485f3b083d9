// How servers start that hold a lock, need a while to come and to go, or exit at what they do not know: never two of their
// processes at once before clients have asked for two, and as few as can be before the first client.

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startPod, type Pod } from '../../support/pod.ts'
import { askModern, modern, openLegacy, rpc } from '../../support/puppet.ts'
import { INITIALIZE, JSON_HEADERS, send, type RawReply } from '../../support/raw-http.ts'
import type { SidecarDocument } from '../../../shared/sidecar-config.ts'

const SERVER = fileURLToPath(new URL('../../fixtures/lock-server.ts', import.meta.url))

type Era = 'modern' | 'legacy' | 'exits'
type Kind = {
  readonly era?: Era
  readonly startMs?: number
  readonly endMs?: number
  readonly hasLock?: boolean
}

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'outrigger-lock-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const become = ({ era = 'legacy', startMs = 0, endMs = 0, hasLock = true }: Kind): void =>
  writeFileSync(join(folder, 'kind'), JSON.stringify({ era, startMs, endMs, hasLock }))

/** What its processes have noted so far: starts, and those that another one stood in the way of. */
const noted = (what: 'start' | 'refused'): number =>
  readFileSync(join(folder, 'starts'), 'utf8')
    .split('\n')
    .filter((line) => line === what).length

const withPod = async (
  kind: Kind,
  use: (pod: Pod) => Promise<void>,
  document: SidecarDocument = {},
): Promise<void> => {
  become(kind)
  const pod = await startPod([process.execPath, SERVER, folder], document)
  try {
    await pod.served()
    await use(pod)
  } finally {
    await pod.stop()
  }
}

const LIST = modern('tools/list')
const isServedModern = async (pod: Pod): Promise<boolean> => {
  const reply = await askModern(pod.url, LIST)
  if (reply.includes('"code":"era-not-served"')) return false
  expect(reply).toContain('"resultType":"complete"')
  return true
}
const initialize = (pod: Pod): Promise<RawReply> => send(pod.url, INITIALIZE, JSON_HEADERS)

type Row = readonly [name: string, kind: Kind, startsBeforeReady: number, isModern: boolean]

const ROWS: readonly Row[] = [
  ['of the modern era', { era: 'modern' }, 1, true],
  ['of the modern era that needs a second to exit', { era: 'modern', endMs: 1000 }, 1, true],
  ['of the modern era that needs 2 s to start', { era: 'modern', startMs: 2000 }, 1, true],
  ['of the legacy era', { era: 'legacy' }, 1, false],
  ['of the legacy era that needs a second to exit', { era: 'legacy', endMs: 1000 }, 1, false],
  ['of the legacy era that needs 2 s to start', { era: 'legacy', startMs: 2000 }, 1, false],
  ['that exits at what it does not know', { era: 'exits' }, 2, false],
  ['the same, which needs a second for that', { era: 'exits', endMs: 1000 }, 2, false],
]

describe('a server that holds a lock', () => {
  test.each(ROWS)('%s: its era, its starts, its first session', (_name, kind, starts, isModern) =>
    withPod(kind, async (pod) => {
      expect(noted('start')).toBe(starts)
      expect(await isServedModern(pod)).toBe(isModern)
      // Of a doubt there is an end: it is not asked again.
      const afterwards = noted('start')
      expect(await isServedModern(pod)).toBe(isModern)
      expect(noted('start')).toBe(afterwards)
      expect(noted('refused')).toBe(0)
    }),
  )

  test.each([
    ['at once', 0],
    ['in a second', 1000],
  ])('and goes %s: a client that leaves and comes back at once is served', (_name, endMs) =>
    withPod({ endMs }, async (pod) => {
      for (let times = 0; times < 3; times++) {
        const session = await openLegacy(pod.url)
        expect((await session.post(rpc('ping', {}))).status).toBe(200)
        await session.end()
      }
      expect(noted('refused')).toBe(0)
    }),
  )

  test('a second session while the first lives hears what to set, and the pod stays ready', () =>
    withPod({}, async (pod) => {
      const first = await openLegacy(pod.url)
      for (let times = 0; times < 4; times++) {
        const { text } = await initialize(pod)
        expect(text).toContain('another instance is running')
        expect(text).toContain('outrigger.dev/process-model (now session)')
        expect(text).toContain('outrigger.dev/max-processes')
      }
      expect((await first.post(rpc('ping', {}))).status).toBe(200)
      expect((await pod.admin.get('/readyz')).status).toBe(200)
    }))

  test('two clients at once are two that have asked: both are served where there is no lock', () =>
    withPod({ hasLock: false }, async (pod) => {
      const replies = await Promise.all([initialize(pod), initialize(pod)])
      expect(replies.map(({ status }) => status)).toEqual([200, 200])
    }))

  test('a client that comes before the server has been asked waits for its turn', async () => {
    become({ startMs: 1500, endMs: 500 })
    const pod = await startPod([process.execPath, SERVER, folder])
    try {
      let reply: RawReply
      do reply = await initialize(pod)
      while (reply.status === 503)
      expect(reply.status).toBe(200)
      expect([noted('start'), noted('refused')]).toEqual([2, 0])
    } finally {
      await pod.stop()
    }
  })
})

test('what the server speaks is found again when its container has started again', () =>
  withPod({ era: 'legacy', hasLock: false }, async (pod) => {
    expect(await isServedModern(pod)).toBe(false)
    become({ era: 'modern', hasLock: false })
    pod.container.signal('SIGKILL')
    await pod.container.exited
    pod.restart()
    await pod.served()
    expect(await isServedModern(pod)).toBe(true)
  }))
