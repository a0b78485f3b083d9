// How a pod ends and what survives: a drain under calls in flight, a container that comes back, a sidecar that comes
// back, a Job that completes.

import { describe, expect, test } from '@jest/globals'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { openStream } from '../../support/event-stream.ts'
import { Container, startPod, startSidecarProgram, type Pod } from '../../support/pod.ts'
import { processTree, stillRunning } from '../../support/process-tree.ts'
import {
  askModern,
  modern,
  modernCall,
  note,
  openLegacy,
  PUPPET,
  rpc,
  textOf,
  toolCall,
} from '../../support/puppet.ts'
import { INITIALIZE, JSON_HEADERS, messageIn, send } from '../../support/raw-http.ts'
import { removeFolder } from '../../support/remove-folder.ts'
import { until } from '../../support/waiting.ts'
import type { SidecarDocument } from '../../../shared/sidecar-config.ts'

/** Nothing here takes so long. */
const GRACE_SECONDS = 240

const withPod = async (
  document: SidecarDocument,
  use: (pod: Pod, held: Held) => Promise<void>,
): Promise<void> => {
  const held = new Held()
  const pod = await startPod(PUPPET, document)
  try {
    await pod.served()
    await use(pod, held)
  } finally {
    held.release()
    await pod.stop()
    await held.remove()
  }
}

/** Calls that take until somebody releases them. */
class Held {
  private readonly folder = mkdtempSync(join(tmpdir(), 'outrigger-held-'))
  private readonly file = join(this.folder, 'released')

  /** What the tool `until` is asked. */
  saying(text: string): { readonly text: string; readonly file: string } {
    return { text, file: this.file }
  }

  release(): void {
    writeFileSync(this.file, '')
  }

  async remove(): Promise<void> {
    await removeFolder(this.folder)
  }
}

/** Starts calls of both eras and a subscription, drains, and looks at what became of them. */
const drainUnderCalls = async (pod: Pod, held: Held, drain: () => void): Promise<void> => {
  const sessions = await Promise.all([openLegacy(pod.url), openLegacy(pod.url)])
  const listening = await sessions[0].listen()
  const subscription = (
    await openStream(pod.url, modern('subscriptions/listen', { notifications: {} }))
  ).read()
  await subscription.event()
  const calls = Promise.all([
    ...sessions.map(async (session) =>
      textOf(messageIn(await session.post(toolCall('until', held.saying('legacy'))))),
    ),
    askModern(pod.url, modernCall('until', held.saying('modern'))).then(textOf),
  ])
  await pod.admin.reaches('outrigger_requests_in_flight', 4)
  drain()
  for (;;) {
    const { status, text } = await pod.admin.get('/readyz')
    if (status === 200) continue
    expect(text).toBe('the sidecar is draining\n')
    break
  }
  expect((await fetch(new URL('/', pod.url))).headers.get('connection')).toBe('close')
  expect(textOf(await askModern(pod.url, modernCall('echo', { text: 'still' })))).toBe('still')
  held.release()
  expect(await calls).toEqual(['legacy', 'legacy', 'modern'])
  await subscription.ended()
  expect(subscription.events.at(-1)?.data).toBe(
    '{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","_meta":{"io.modelcontextprotocol/subscriptionId":1}}}',
  )
  await listening.ended()
}

describe('a drain loses no call', () => {
  test('when the sidecar gets SIGTERM, and the sidecar is gone after it', () =>
    withPod({ graceSeconds: GRACE_SECONDS }, async (pod, held) => {
      const sidecar = processTree(pod.pid).slice(0, 1)
      await drainUnderCalls(pod, held, () => process.kill(pod.pid, 'SIGTERM'))
      await until(() => stillRunning(sidecar).length === 0, 'the sidecar has ended')
      expect(pod.stderr()).not.toContain('still in flight')
    }))

  test("when the server's container gets SIGTERM, and a new container is served", () =>
    withPod({ graceSeconds: GRACE_SECONDS }, async (pod, held) => {
      await drainUnderCalls(pod, held, () => pod.container.signal('SIGTERM'))
      expect(await pod.container.exited).toBe(0)
      pod.restart()
      await pod.served()
      const session = await openLegacy(pod.url)
      expect(await session.call('echo', { text: 'again' })).toBe('again')
    }))
})

test('nothing new begins after the lame duck, also in a session that always has a call in flight', () =>
  withPod({ graceSeconds: GRACE_SECONDS }, async (pod, held) => {
    const session = await openLegacy(pod.url, '2025-03-26')
    const inFlight = session.call('until', held.saying('last'))
    await pod.admin.reaches('outrigger_requests_in_flight', 1)
    process.kill(pod.pid, 'SIGTERM')
    let served = 0
    let refused = await session.post(toolCall('echo', { text: 'x' }))
    for (; refused.status === 200; served++) {
      await pause(100)
      refused = await session.post(toolCall('echo', { text: 'x' }))
    }
    expect(served).toBeGreaterThan(0)
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '1'])
    expect(refused.text).toContain('"code":"draining"')
    const batch = await session.post(`[${toolCall('echo', { text: 'x' })}]`)
    expect(batch.status).toBe(503)
    // What belongs to a call in flight goes on, and so does that.
    expect((await session.post(note('notifications/x'))).status).toBe(202)
    held.release()
    expect(await inFlight).toBe('last')
  }))

describe('whoever dies', () => {
  test("the server's container: its sessions end and say why, and the next container is taken", () =>
    withPod({}, async (pod) => {
      const session = await openLegacy(pod.url)
      const pending = session.post(toolCall('say', { isSilent: true }))
      await pod.admin.reaches('outrigger_requests_in_flight', 1)
      pod.container.signal('SIGKILL')
      expect(messageIn(await pending)).toContain('the connection to the server')
      const after = await session.post(rpc('ping', {}))
      expect(after.status).toBe(404)
      expect(after.text).toContain('it may have restarted')
      expect((await pod.admin.get('/readyz')).text).toBe("the server's container has ended\n")
      const opening = await send(pod.url, INITIALIZE, JSON_HEADERS)
      expect({ status: opening.status, retry: opening.headers['retry-after'] }).toEqual({
        status: 503,
        retry: '5',
      })
      pod.restart()
      await pod.served()
      expect(await (await openLegacy(pod.url)).call('echo', { text: 'new' })).toBe('new')
    }))

  test('the sidecar: every child ends at once, and the next sidecar takes the same shim', async () => {
    const runDir = mkdtempSync(join(tmpdir(), 'outrigger-pod-'))
    const first = await startSidecarProgram({ runDir })
    const container = new Container(runDir, PUPPET)
    try {
      await first.admin.ready()
      const pid = Number(await (await openLegacy(first.url)).call('pid'))
      const child = processTree(pid)
      expect(child).toHaveLength(1)
      process.kill(first.pid, 'SIGKILL')
      await until(() => stillRunning(child).length === 0, 'the child has ended')
      await first.stop()
      const second = await startSidecarProgram({ runDir })
      try {
        await second.admin.ready()
        expect(await (await openLegacy(second.url)).call('echo', { text: 'hi' })).toBe('hi')
      } finally {
        process.kill(second.pid, 'SIGKILL')
        await second.stop()
      }
    } finally {
      container.signal('SIGKILL')
      await container.exited
      await removeFolder(runDir)
    }
  })
})

describe('a pod that is to complete', () => {
  const document: SidecarDocument = { exitWhenIdle: true, settings: { 'idle-timeout': '4s' } }

  test.each([
    ['0 where its server was ended in order', undefined, 0],
    ['the code of the server that ended last', 5, 5],
  ])('exits when nobody has used it for the idle time, with %s', (_name, code, expected) =>
    withPod(document, async (pod) => {
      const session = await openLegacy(pod.url)
      if (code === undefined) await session.call('echo', { text: 'work' })
      else await session.post(toolCall('exit', { code }))
      expect(await pod.container.exited).toBe(expected)
    }),
  )
})
