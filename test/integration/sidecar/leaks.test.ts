// Two hundred sessions are dropped in every ugly way, and nothing is left of them: no process, no descriptor, no entry
// of a map. Then the sidecar itself is killed.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { adminOf, type Admin } from '../../support/admin.ts'
import { freePort } from '../../support/free-port.ts'
import { openStream, sendAndLeave } from '../../support/event-stream.ts'
import { startOutrigger, type Bridge } from '../../support/outrigger-run.ts'
import { processTree } from '../../support/process-tree.ts'
import { INITIALIZE, JSON_HEADERS, send } from '../../support/raw-http.ts'
import { until } from '../../support/waiting.ts'

const SERVER = ['sh', fileURLToPath(new URL('../../fixtures/leaky-server.sh', import.meta.url))]
const TIMES = 25
const AT_ONCE = 20

const marker = randomUUID()
/** What is killed leaves its own folder there. */
const folder = mkdtempSync(join(tmpdir(), 'outrigger-leaks-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The processes that the server's container's environment has reached. */
const marked = (): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(marker)
      } catch {
        return false
      }
    })
    .map(Number)

const descriptors = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length

/** Where all places are taken or starts come too fast, as the answer says: later. */
const open = async (url: string): Promise<string> => {
  for (;;) {
    const { status, headers, text } = await send(url, INITIALIZE, JSON_HEADERS)
    const id = headers['mcp-session-id']
    if (typeof id === 'string') return id
    if (status !== 503) throw new Error(`HTTP ${status}: ${text}`)
  }
}

const calling = (name: string): string =>
  JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name } })

type Way = readonly [name: string, drop: (url: string) => Promise<unknown>]

const withSession =
  (drop: (url: string, headers: Readonly<Record<string, string>>) => Promise<unknown>) =>
  async (url: string): Promise<unknown> =>
    drop(url, { 'mcp-session-id': await open(url) })

const calledThenDeleted = (tool: string): Way[1] =>
  withSession(async (url, headers) => {
    await send(url, calling(tool), { ...JSON_HEADERS, ...headers })
    await send(url, undefined, headers, { method: 'DELETE' })
  })

const WAYS: readonly Way[] = [
  ['ended by its client', calledThenDeleted('echo')],
  ['left while it was being opened', (url) => sendAndLeave(url, INITIALIZE)],
  [
    'left in the middle of a call',
    withSession((url, headers) => sendAndLeave(url, calling('silent'), headers)),
  ],
  [
    'left in the middle of a stream',
    withSession(async (url, headers) => {
      const stream = await openStream(url, { headers, body: calling('streaming') })
      await stream.read().event()
      stream.destroy()
    }),
  ],
  [
    'with a server that is killed',
    withSession((url, headers) => send(url, calling('killed'), { ...JSON_HEADERS, ...headers })),
  ],
  [
    'with a server that heeds neither the end of its input nor SIGTERM',
    calledThenDeleted('stubborn'),
  ],
  ['with a grandchild that keeps stdout open', calledThenDeleted('grandchild')],
  ['with a daemon that left the session', calledThenDeleted('daemon')],
]

const startLeaky = async (flags: readonly string[]): Promise<Bridge> =>
  startOutrigger(SERVER, {
    flags: ['--max-processes', '64', ...flags],
    env: { OUTRIGGER_TEST_MARKER: marker, TMPDIR: folder },
  })

describe('200 sessions, opened and dropped', () => {
  let bridge: Bridge
  let admin: Admin
  let before: { readonly sidecar: number; readonly shim: number }
  let shim = 0

  const count = (): typeof before => ({ sidecar: descriptors(bridge.pid), shim: descriptors(shim) })

  beforeAll(async () => {
    const port = await freePort()
    admin = adminOf(port)
    const times = ['--idle-timeout', '1s', '--request-timeout', '1s']
    bridge = await startLeaky(['--admin-port', `${port}`, ...times])
    shim = processTree(bridge.pid).find(({ command }) => command === 'shim')?.pid ?? 0
    await calledThenDeleted('echo')(bridge.url)
    await admin.idle()
    before = count()
  })

  afterAll(() => bridge.stop())

  test('leave no process, no descriptor and no entry', async () => {
    const drops = Array.from({ length: TIMES }, () => WAYS).flat()
    const next = async (): Promise<void> => {
      for (let way = drops.pop(); way; way = drops.pop()) await way[1](bridge.url)
    }
    await Promise.all(Array.from({ length: AT_ONCE }, next))
    await admin.idle()
    const own = [bridge.pid, shim]
    await until(() => marked().every((pid) => own.includes(pid)), 'no process is left')
    // The count before may have held a connection of the test's own that was just closing.
    await until(
      () => count().sidecar <= before.sidecar && count().shim <= before.shim,
      'no more descriptors than before are open',
    )
    expect((await admin.get('/readyz')).status).toBe(200)
  })
})

/** Requests on one connection, none of which waits for the answer to the one before. */
const pipeline = (url: string, session: string, requests: readonly string[]): Socket => {
  const { hostname, port, pathname } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => undefined)
  for (const body of requests) {
    const method = body === '' ? 'GET' : 'POST'
    const length = `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n`
    socket.write(
      `${method} ${pathname} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json, text/event-stream\r\nMcp-Session-Id: ${session}\r\n${body === '' ? '' : length}\r\n${body}`,
    )
  }
  return socket
}

describe('requests behind one that is never answered', () => {
  let bridge: Bridge
  let admin: Admin

  beforeAll(async () => {
    const port = await freePort()
    admin = adminOf(port)
    bridge = await startLeaky(['--admin-port', `${port}`, '--idle-timeout', '1s'])
  })

  afterAll(() => bridge.stop())

  test('go with their client', async () => {
    const session = await open(bridge.url)
    const requests = [calling('silent'), '', calling('silent')]
    const socket = pipeline(bridge.url, session, requests)
    await admin.reaches('outrigger_requests_in_flight', 2)
    socket.destroy()
    await send(bridge.url, undefined, { 'mcp-session-id': session }, { method: 'DELETE' })
    await admin.idle()
    const other = await open(bridge.url)
    pipeline(bridge.url, other, ['', '']).end()
    await admin.idle()
  })

  test('are bounded: with too many the connection is cut, and others are served', async () => {
    const session = await open(bridge.url)
    const requests = Array.from({ length: 300 }, () => calling('silent'))
    const socket = pipeline(bridge.url, session, requests)
    // Whichever way it is cut.
    await new Promise((resolve) => socket.once('close', resolve))
    const called = await send(bridge.url, calling('echo'), {
      ...JSON_HEADERS,
      'mcp-session-id': session,
    })
    expect(called.status).toBe(200)
  })
})

test('a killed sidecar takes every process with it', async () => {
  const bridge = await startLeaky([])
  for (const tool of ['stubborn', 'grandchild', 'daemon', 'echo']) {
    const headers = { ...JSON_HEADERS, 'mcp-session-id': await open(bridge.url) }
    await send(bridge.url, calling(tool), headers)
  }
  expect(marked().length).toBeGreaterThan(7)
  process.kill(bridge.pid, 'SIGKILL')
  await until(() => marked().length === 0, 'no process is left')
  await bridge.stop()
  expect(marked()).toEqual([])
})
