// Many who each stay within what one may have: what all of them make us hold together has one bound, others are served
// meanwhile, and nothing is left of it when they have gone.

import { readFileSync, mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { startPod, type Pod } from '../../support/pod.ts'
import { openSession, send, type RawSession } from '../../support/raw-http.ts'

const SERVER = fileURLToPath(new URL('../../fixtures/raw-server.ts', import.meta.url))
const MIB = 1024 * 1024
/** Less than half of what each flood would take. */
const MOST_GROWTH_MIB = 192
const KINDS = ['bodies', 'lines', 'answers', 'batches', 'inputs', 'events']

let folder: string
let pod: Pod
let sockets: Socket[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'outrigger-memory-'))
  sockets = []
})

afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  await pod.stop()
  rmSync(folder, { recursive: true, force: true })
})

const start = async (model: string): Promise<RawSession> => {
  pod = await startPod([process.execPath, SERVER, folder, join(folder, 'mood')], {
    settings: { 'process-model': model },
    memoryBytes: 256 * MIB,
  })
  await pod.served()
  return openSession(pod.url)
}

const residentMib = (line: 'VmRSS' | 'VmHWM'): number => {
  const status = readFileSync(`/proc/${pod.pid}/status`, 'latin1')
  return Number(new RegExp(`^${line}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / 1024
}

const heldMib = async (): Promise<number> => {
  const held = await Promise.all(
    KINDS.map((kind) => pod.admin.metric(`outrigger_memory_held_bytes\\{kind="${kind}"\\}`)),
  )
  return held.reduce((sum, bytes) => sum + bytes) / MIB
}

/** A client that sends this much of its request and reads nothing. */
const mute = (session: RawSession, declared: number, body: string | Buffer): void => {
  const { hostname, port } = new URL(pod.url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => undefined)
  socket.write(
    `POST /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: application/json, text/event-stream\r\nContent-Type: application/json\r\nMcp-Session-Id: ${session.id}\r\nContent-Length: ${declared}\r\n\r\n`,
  )
  socket.write(body)
  sockets.push(socket)
}

const call = (tool: string): string =>
  `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${tool}"}}`

const halfSent = (_flood: RawSession, witness: RawSession): void => {
  const body = Buffer.alloc(4 * MIB - 10, 'x')
  for (let count = 0; count < 120; count++) mute(witness, 4 * MIB, body)
}

const slowReaders = (flood: RawSession): void => {
  for (let count = 0; count < 25; count++) mute(flood, call('14 MB').length, call('14 MB'))
}

const longLines = (flood: RawSession): void => {
  mute(flood, call('long notices').length, call('long notices'))
}

test.each([
  ['120 bodies of 4 MiB that stay incomplete', 'session', [halfSent]],
  ['25 clients that do not read an answer of 14 MB', 'session', [slowReaders]],
  [
    'servers that write lines of 15 MiB while nobody reads',
    'session',
    [longLines, longLines, longLines],
  ],
])('%s', async (_name, model, floods) => {
  const witness = await start(model)
  const sessions = await Promise.all(floods.map(() => openSession(pod.url)))
  expect(await witness.call('none')).toContain('"result":{}')
  const before = residentMib('VmRSS')
  floods.forEach((flood, index) => flood(sessions[index] ?? witness, witness))
  // There is more than fits.
  while ((await pod.admin.metric('outrigger_memory_waits')) === 0) await pause(10)
  for (let count = 0; count < 20; count++) {
    expect(await heldMib()).toBeLessThanOrEqual(64)
    expect(await witness.call('none')).toContain('"result":{}')
    await pause(50)
  }
  expect(residentMib('VmHWM') - before).toBeLessThan(MOST_GROWTH_MIB)
  for (const socket of sockets) socket.destroy()
  for (const { id } of sessions) {
    await send(pod.url, undefined, { 'mcp-session-id': id }, { method: 'DELETE' })
  }
  while ((await heldMib()) > 0) await pause(50)
  expect(await pod.admin.metric('outrigger_memory_waits')).toBe(0)
  expect(await witness.call('none')).toContain('"result":{}')
})
