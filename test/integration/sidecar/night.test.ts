// A night of faults, and what an operator who slept through it reads in the morning: from the log and the metrics alone
// each fault can be named, with its time, its session and its cause.

import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseSidecarConfig } from '../../../shared/sidecar-config.ts'
import { processOf } from '../../../sidecar/life/process.ts'
import { startSidecar, type Sidecar } from '../../../sidecar/sidecar.ts'
import { adminOf, type Admin } from '../../support/admin.ts'
import { makeMemoryGroup, type MemoryGroup } from '../../support/memory-group.ts'
import { Night, toldMetrics, type Hour } from '../../support/night.ts'
import { Container } from '../../support/pod.ts'
import {
  askModern,
  modernCall,
  openLegacy,
  PUPPET,
  rpc,
  toolCall,
  type LegacySession,
} from '../../support/puppet.ts'
import { INITIALIZE, JSON_HEADERS, send } from '../../support/raw-http.ts'
import { removeFolder } from '../../support/remove-folder.ts'
import { until } from '../../support/waiting.ts'

const GOLDEN = new URL('../../golden/night.txt', import.meta.url)
const PROCESSES = 3
const REQUEST_TIMEOUT_MS = 60_000

const night = new Night('03:00:00')
/** By how much the sidecar's own clock, which knows no hours, is ahead. */
let laterMs = 0
let runDir: string
let sidecar: Sidecar
let admin: Admin
let url: string
const containers: Container[] = []

/** What the server's container may use; a server that eats as much is ended by the kernel. */
const MEMORY_MIB = 384
/** Where this machine lets none be made, a file counts what the kernel would, and a signal does as it does. */
let group: MemoryGroup | undefined
const kills = (): string => join(runDir, 'memory.events')

const startContainer = (): Container => {
  const more = group === undefined ? ['--memory-events', kills()] : []
  const container = new Container(runDir, PUPPET, { more, group })
  containers.push(container)
  return container
}

beforeAll(async () => {
  runDir = mkdtempSync(join(tmpdir(), 'outrigger-night-'))
  writeFileSync(kills(), 'oom_kill 0\n')
  group = makeMemoryGroup(MEMORY_MIB * 1024 * 1024)
  const config = parseSidecarConfig({
    settings: { auth: 'none', 'max-processes': `${PROCESSES}` },
    host: '127.0.0.1',
    port: 0,
    adminPort: 0,
    isolation: 'advisory',
    runDir,
  })
  if (!config.ok) throw new Error(config.error.join())
  sidecar = await startSidecar({
    config: config.value,
    log: night.log,
    serverLog: night.log,
    now: () => performance.now() + laterMs,
    wallMs: () => Date.now(),
    process: processOf(process, undefined),
  })
  url = `http://127.0.0.1:${sidecar.port}/mcp`
  admin = adminOf(sidecar.adminPort)
})

afterAll(async () => {
  await sidecar.close()
  for (const container of containers) container.signal('SIGKILL')
  await Promise.all(containers.map(({ exited }) => exited))
  await until(() => isRemoved(group), 'the memory group is empty')
  await removeFolder(runDir)
})

/** What has been killed leaves it a moment later. */
const isRemoved = (one: MemoryGroup | undefined): boolean => {
  try {
    one?.remove()
    return true
  } catch {
    return false
  }
}

const ENDED = 'a server process has ended'
const FAILED = 'a request failed'

const soon = (act: () => unknown, message: string, more?: number): Promise<void> =>
  night.soon(act, message, more)

/** Waits until the server has so many calls. */
const asked = (calls = 1): Promise<void> => admin.reaches('outrigger_requests_in_flight', calls)

/** A session whose server has answered a call. */
const opened = async (): Promise<LegacySession> => {
  const session = await openLegacy(url)
  await session.call('echo', { text: 'hello' })
  return session
}

const crash = async (): Promise<void> => {
  const session = await opened()
  await soon(() => session.post(toolCall('exit', { code: 3 })), FAILED)
}

const killed = async (): Promise<void> => {
  const session = await opened()
  await soon(() => session.post(toolCall('kill', { signal: 'SIGSEGV' })), FAILED)
}

const outOfMemory = async (): Promise<void> => {
  const session = await opened()
  writeFileSync(kills(), 'oom_kill 1\n')
  const call =
    group === undefined
      ? toolCall('kill', { signal: 'SIGKILL' })
      : toolCall('eat', { mebibytes: MEMORY_MIB })
  await soon(() => session.post(call), FAILED)
  expect(group?.kills() ?? 1).toBe(1)
}

const timeout = async (): Promise<void> => {
  const session = await opened()
  const call = session.post(toolCall('later', { ms: 600_000, text: '' }))
  await asked()
  laterMs += REQUEST_TIMEOUT_MS
  await call
  await soon(() => session.end(), ENDED)
}

const junk = async (): Promise<void> => {
  const session = await opened()
  await session.post(toolCall('say', { lines: ['Listening on stdio!'] }))
  await soon(() => session.end(), ENDED)
}

const wrongToken = async (): Promise<void> => {
  const session = await opened()
  await session.post(rpc('tools/call', { name: 'echo', _meta: { progressToken: {} } }))
  await soon(() => session.end(), ENDED)
}

const noCapacity = async (): Promise<void> => {
  const sessions: LegacySession[] = []
  for (let place = 0; place < PROCESSES; place++) sessions.push(await opened())
  const calls = sessions.map((session) =>
    session.post(toolCall('later', { ms: 600_000, text: '' })),
  )
  await asked(PROCESSES)
  await soon(() => send(url, INITIALIZE, JSON_HEADERS), FAILED)
  for (const session of sessions) await soon(() => session.end(), ENDED)
  await Promise.all(calls)
}

const slowReader = async (): Promise<void> => {
  const { body, headers } = modernCall(
    'flood',
    { count: 600, bytes: 65_536 },
    { progressToken: 'slow' },
  )
  await soon(() => {
    // Nobody takes what comes.
    const sent = request(url, { method: 'POST', agent: false }, () => undefined)
    for (const [name, value] of Object.entries(headers)) sent.setHeader(name, value)
    sent.on('error', () => undefined)
    sent.end(body)
  }, 'a client was cut off: it does not read what it is sent')
  // The server goes on meanwhile: it has written all that it was asked for when it answers this.
  await askModern(url, modernCall('echo', { text: 'hello' }))
}

const shimGone = async (): Promise<void> => {
  const session = await opened()
  const call = session.post(toolCall('later', { ms: 600_000, text: '' }))
  await asked()
  await soon(() => containers.at(-1)?.signal('SIGKILL'), FAILED)
  await call
  await soon(startContainer, ENDED)
}

const everyNewOneDies = async (): Promise<void> => {
  for (let time = 0; time < 3; time++) {
    const session = await openLegacy(url)
    await soon(() => session.post(toolCall('kill', { signal: 'SIGABRT' })), FAILED)
  }
  await soon(() => askModern(url, modernCall('echo', { text: 'good morning' })), 'ready again')
  expect((await admin.get('/readyz')).status).toBe(200)
}

const HOURS: readonly Hour[] = [
  // The process that was asked what it speaks has ended then.
  ['03:00:00', 'the pod starts', () => soon(startContainer, ENDED)],
  ['03:05:00', 'a server crashes', crash],
  ['03:10:00', 'a server is killed', killed],
  ['03:15:00', 'the kernel ends a server for want of memory', outOfMemory],
  ['03:20:00', 'a server does not answer', timeout],
  ['03:25:00', 'a server writes what is no message', junk],
  ['03:30:00', 'a client sends a progress token of the wrong type', wrongToken],
  ['03:35:00', 'all processes are in use', noCapacity],
  ['03:40:00', 'a client does not read', slowReader],
  ['03:45:00', 'the shim goes, and a new one comes', shimGone],
  ['03:50:00', 'every new session dies, until a call is answered', everyNewOneDies],
]

const METRICS = ['faults_total', 'exits_total', 'clients_cut_off_total', 'ends_total', 'ready']

test('a night’s log and metrics name each fault, its time, its session and its cause', async () => {
  const told = await night.play(HOURS)
  const { text } = await admin.get('/metrics')
  const whole = [...told, ...toldMetrics(text, METRICS)].join('\n')
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(GOLDEN, whole)
  expect(whole).toBe(readFileSync(GOLDEN, 'utf8'))
})
