// What servers reach through the proxy, as records, calls, metrics and the log have it: `outrigger run` with the real shim and
// real processes of a server that reaches what its callers say.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { recordSchema, type AuditRecord } from '../../../../shared/audit/record.ts'
import { adminOf, type Admin } from '../../../support/admin.ts'
import { freePort } from '../../../support/free-port.ts'
import { startOutrigger, type Bridge } from '../../../support/outrigger-run.ts'
import { openLegacy, rpc, type LegacySession } from '../../../support/puppet.ts'
import { until } from '../../../support/waiting.ts'

const SERVER = fileURLToPath(new URL('../../../fixtures/reaching-server.ts', import.meta.url))

let dir: string
let file: string
let bridge: Bridge | undefined
let admin: Admin
let hosts: Server[]

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'outrigger-egress-'))
  file = join(dir, 'audit.jsonl')
  hosts = []
})
afterEach(async () => {
  await bridge?.stop()
  bridge = undefined
  for (const host of hosts) host.close()
  rmSync(dir, { recursive: true, force: true, maxRetries: 10 })
})

/** A host that answers with what it is told, behind a word of its own; its port. */
const aHost = async (word: string): Promise<number> => {
  const host = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.on('data', (bytes) => socket.write(`${word}:${bytes.toString()}`))
  })
  hosts.push(host)
  await new Promise<void>((resolve) => void host.listen(0, '127.0.0.1', resolve))
  return portOf(host.address())
}

const portOf = (address: AddressInfo | string | null): number =>
  typeof address === 'object' && address ? address.port : 0

interface Start {
  readonly egress?: string
  readonly mode?: 'enforce' | 'observe'
  readonly more?: Readonly<Record<string, unknown>>
  readonly settings?: Readonly<Record<string, string>>
}

const start = async ({
  egress,
  mode = 'enforce',
  more = {},
  settings = {},
}: Start): Promise<void> => {
  const path = join(dir, 'config.yaml')
  const adminPort = await freePort()
  writeFileSync(
    path,
    JSON.stringify({
      settings: { ...(egress === undefined ? {} : { egress }), 'egress-mode': mode, ...settings },
      egress: { confinement: 'advisory', port: 0, ...more },
      audit: { file },
      adminPort,
    }),
  )
  bridge = await startOutrigger([process.execPath, SERVER], {
    flags: ['--config', path],
    env: { TMPDIR: dir },
  })
  admin = adminOf(adminPort)
}

const records = (): readonly AuditRecord[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => recordSchema.parse(JSON.parse(line)))

type EgressRecord = Extract<AuditRecord, { event: 'egress' }>

const egressRecords = (): readonly EgressRecord[] =>
  records().filter((record) => record.event === 'egress')

const callsOf = (tool: string) =>
  records()
    .filter((record) => record.event === 'call')
    .filter(({ message }) => message.tool === tool)

/** The log comes by a pipe of its own, in its own time. */
const logged = async (words: string): Promise<void> =>
  void (await until(() => bridge?.stderr().includes(words), `the log says ${words}`))

const session = (): Promise<LegacySession> => openLegacy(bridge?.url ?? '')

describe('each of twenty sessions at once reaches a host of its own', () => {
  test('and every record names the session, the process and the call that did so', async () => {
    const ports = await Promise.all(
      Array.from({ length: 20 }, (_, index) => aHost(`host-${index}`)),
    )
    await start({
      egress: ports.map((port) => `127.0.0.1:${port}`).join(','),
      settings: { 'max-processes': '24' },
    })
    const sessions = await Promise.all(ports.map(() => session()))
    const answers = await Promise.all(
      sessions.map((one, index) =>
        one.call('tunnel', { port: ports[index] ?? 0, say: `mine-${index}`, holdMs: 300 }),
      ),
    )
    expect(answers).toEqual(ports.map((_, index) => `200 host-${index}:mine-${index}`))
    await until(() => egressRecords().length === 20, 'every connection is on record')
    await until(() => callsOf('tunnel').length === 20, 'every call is on record')
    const calls = new Map(callsOf('tunnel').map((call) => [call.call, call]))
    const isOfCall = ({ calls: [number], process, session: name }: EgressRecord): boolean => {
      const call = calls.get(number ?? 0)
      return call?.process === process && call?.session === name
    }
    for (const [index, one] of sessions.entries()) {
      const [port, said] = [ports[index] ?? 0, `mine-${index}`]
      const record = egressRecords().find(({ destination }) => destination.port === port)
      expect(record).toMatchObject({
        verdict: 'allowed',
        how: 'connect',
        rule: `127.0.0.1:${port}`,
        calls: [expect.any(Number)],
        session: one.id.slice(0, 8),
        sentBytes: said.length,
        receivedBytes: `host-${index}:${said}`.length,
      })
      expect(record && isOfCall(record)).toBe(true)
    }
    const reached = (call: { readonly egress?: unknown }): unknown => call.egress
    expect([...calls.values()].map(reached)).toEqual(
      Array.from({ length: 20 }, () =>
        expect.objectContaining({
          allowed: 1,
          to: [expect.objectContaining({ verdict: 'allowed' })],
        }),
      ),
    )
  })
})

test('what is not declared is refused, in a record, in that of the call, in the log and in the metrics', async () => {
  const [declared, other] = [await aHost('declared'), await aHost('other')]
  await start({ egress: `127.0.0.1:${declared}` })
  const one = await session()
  expect(await one.call('tunnel', { port: other, say: 'x' })).toBe('403')
  await until(() => callsOf('tunnel').length === 1, 'the call is on record')
  const [record] = egressRecords()
  expect(record).toMatchObject({
    verdict: 'denied',
    destination: { host: '127.0.0.1', port: other },
    sentBytes: 0,
  })
  expect(callsOf('tunnel')).toMatchObject([
    { egress: { denied: 1, to: [{ host: '127.0.0.1', port: other, verdict: 'denied' }] } },
  ])
  await logged(`egress to 127.0.0.1:${other} was refused`)
  const { text } = await admin.get('/metrics')
  expect(text).toContain('outrigger_egress_attempts_total{verdict="denied",how="connect"} 1')
})

test('whoever has no credential, or the wrong one, is nobody, and is on record', async () => {
  const port = await aHost('host')
  await start({ egress: `127.0.0.1:${port}` })
  const one = await session()
  expect(await one.call('tunnel', { port, secret: 'f'.repeat(32) })).toBe('407')
  await until(() => egressRecords().length > 0, 'it is on record')
  expect(egressRecords()[0]).toMatchObject({
    how: 'unknown',
    verdict: 'denied',
    why: 'unknown-credential',
  })
})

test('a session that has moved what it may reaches nothing more; another does', async () => {
  const port = await aHost('host')
  await start({ egress: `127.0.0.1:${port}`, more: { bytesPerSession: 100 } })
  const [one, other] = [await session(), await session()]
  expect(await one.call('tunnel', { port, say: 'x'.repeat(45) })).toMatch(/^200 host:xx/)
  // Of this one the answer goes beyond it.
  await one.call('tunnel', { port, say: 'x' })
  expect(await one.call('tunnel', { port, say: 'x' })).toBe('403')
  expect(await other.call('tunnel', { port, say: 'x' })).toMatch(/^200/)
  const denied = await until(
    () => egressRecords().find(({ verdict }) => verdict === 'denied'),
    'it is on record',
  )
  expect(denied.why).toBe('bytes')
})

/** Needs a kernel that lets the shim confine, as the shim's own tests do. */
test('a forward leads its own process to what was declared; whatever else it connects to is refused and told', async () => {
  const [db, other] = [await aHost('db'), await aHost('other')]
  await start({ egress: `5432=127.0.0.1:${db}` })
  const one = await session()
  // The log names tools that the server has listed.
  await one.post(rpc('tools/list', {}))
  expect(await one.call('forward', { port: 5432, say: 'select' })).toBe('db:select')
  expect(await one.call('forward', { port: other, say: 'x' })).toBe('closed')
  await until(() => egressRecords().length === 2, 'both are on record')
  // A forward is told when it is over, which may be after the next attempt.
  const [denied, allowed] = egressRecords().toSorted((a, b) => (a.how < b.how ? -1 : 1))
  expect([allowed, denied]).toMatchObject([
    {
      how: 'forward',
      verdict: 'allowed',
      rule: `5432=127.0.0.1:${db}`,
      destination: { address: '127.0.0.1', port: db },
      sentBytes: 6,
      receivedBytes: 9,
      enforcement: 'enforced',
    },
    {
      how: 'direct',
      verdict: 'denied',
      destination: { address: '127.0.0.1', port: other, protocol: 'tcp' },
      why: 'loopback',
    },
  ])
  expect([allowed?.calls?.length, denied?.calls?.length]).toEqual([1, 1])
  expect(allowed?.calls).not.toEqual(denied?.calls)
  await logged(
    `tools/call forward: egress to 127.0.0.1:${other} past the proxy was refused: somebody else in this pod listens there, and no process of this server: declare the forward \`${other}=127.0.0.1:${other}\``,
  )
})

test('a kind of socket that is refused by itself is told, with why', async () => {
  await start({})
  const one = await session()
  await one.post(rpc('tools/list', {}))
  expect(await one.call('datagram', { port: 53 })).toBe('EACCES')
  await until(() => egressRecords().length === 1, 'it is on record')
  const [record] = egressRecords()
  expect(record).toMatchObject({
    how: 'direct',
    verdict: 'denied',
    destination: { protocol: 'udp' },
    why: 'protocol',
    calls: [expect.any(Number)],
  })
  await logged(
    'tools/call datagram: egress past the proxy was refused: UDP is not let out: names are resolved by the proxy',
  )
})

test('readiness, metrics and a record say what holds the server', async () => {
  await start({ mode: 'observe' })
  await admin.ready()
  const { text } = await admin.get('/readyz')
  const state = await until(
    () => records().find(({ event }) => event === 'egress-enforcement'),
    'it is on record',
  )
  expect(state).toMatchObject({ mode: 'observe' })
  const { enforcement = '' } = Object(state)
  expect(enforcement).toBe('observed')
  expect(text).toContain(`egress_enforcement="${enforcement}"`)
  const metrics = await admin.get('/metrics')
  expect(metrics.text).toContain(`outrigger_egress_enforcement{state="${enforcement}"} 1`)
})

test('a port that is held is told, and nothing starts', async () => {
  const port = await aHost('other')
  await expect(start({ more: { port } })).rejects.toThrow(/egress proxy cannot listen/)
})
