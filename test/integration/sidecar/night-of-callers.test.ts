// The same night where callers are verified, held to a policy, to limits and to a lock, and put on record: from the log and
// the metrics alone each fault can be named, with its time, its session and its cause.

import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseSidecarConfig } from '../../../shared/sidecar-config.ts'
import { processOf } from '../../../sidecar/life/process.ts'
import { startSidecar, type Sidecar } from '../../../sidecar/sidecar.ts'
import { adminOf } from '../../support/admin.ts'
import {
  signed,
  signingKey,
  startIssuer,
  type Claims,
  type FakeIssuer,
  type SigningKey,
} from '../../support/issuer.ts'
import { Night, toldMetrics, type Hour } from '../../support/night.ts'
import { CHECKOUT_CLI } from '../../support/outrigger-run.ts'
import { Container } from '../../support/pod.ts'
import { rpc, toolCall } from '../../support/puppet.ts'
import { JSON_HEADERS, send, type RawReply } from '../../support/raw-http.ts'
import { removeFolder } from '../../support/remove-folder.ts'

const GOLDEN = new URL('../../golden/night-of-callers.txt', import.meta.url)
const SERVER = [
  process.execPath,
  fileURLToPath(new URL('../../fixtures/drifting-server.ts', import.meta.url)),
]
const POLICY = `version: 1
rules:
  - { name: all-tools, effect: allow, tools: ['*'] }
  - { name: not-other, effect: deny, tools: [other] }
`

const night = new Night('04:00:00')
let folder: string
let records: string
let out: number
let key: SigningKey
let issuer: FakeIssuer
let sidecar: Sidecar
let container: Container
let url: string

/** Put there whole, as the kubelet does. */
const put = (name: string, text: string): void => {
  writeFileSync(join(folder, `${name}.new`), text)
  renameSync(join(folder, `${name}.new`), join(folder, name))
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'outrigger-night-'))
  records = join(folder, 'audit.jsonl')
  out = openSync(join(folder, 'checkpoints'), 'w')
  put('policy.yaml', POLICY)
  const locking = [CHECKOUT_CLI, 'tools', 'lock', '--', ...SERVER]
  put('lock.yaml', execFileSync(process.execPath, locking, { encoding: 'utf8' }))
  key = await signingKey('one')
  issuer = await startIssuer([key.publicJwk])
  const { host } = new URL(issuer.url)
  const config = parseSidecarConfig({
    settings: { 'oidc-audience': 'here', 'required-scopes': 'mcp', 'tool-limits': 'calls=1/m' },
    issuers: [{ url: issuer.url, audiences: ['here'], hosts: [{ host, reach: 'loopback' }] }],
    toolPolicy: join(folder, 'policy.yaml'),
    toolLock: join(folder, 'lock.yaml'),
    audit: { file: records, maxFileAgeSeconds: 3600 },
    host: '127.0.0.1',
    port: 0,
    adminPort: 0,
    isolation: 'advisory',
    runDir: folder,
  })
  if (!config.ok) throw new Error(config.error.join())
  const began = performance.now()
  const parts = {
    config: config.value,
    log: night.log,
    serverLog: night.log,
    now: () => performance.now() - began + night.passedMs,
    wallMs: () => night.wallMs,
    process: processOf(process, undefined),
    // For checkpoints.
    stdout: out,
  }
  sidecar = await startSidecar(parts)
  url = `http://127.0.0.1:${sidecar.port}/mcp`
})

afterAll(async () => {
  await sidecar.close()
  container.signal('SIGKILL')
  await container.exited
  await issuer.close()
  closeSync(out)
  await removeFolder(folder)
})

const seconds = (): number => night.wallMs / 1000

const bearer = async (claims: Claims = {}, by = key): Promise<string> => {
  const usual = { iss: issuer.url, sub: 'ada', aud: 'here', scope: 'mcp', exp: seconds() + 1800 }
  return `Bearer ${await signed({ ...usual, ...claims }, by)}`
}

const post = (body: string, authorization: string, session?: string): Promise<RawReply> =>
  send(url, body, {
    ...JSON_HEADERS,
    authorization,
    ...(session === undefined ? {} : { 'mcp-session-id': session }),
  })

const INITIALIZE = rpc('initialize', {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'agent', version: '1' },
})

const REFUSED = 'a request was refused'
const FAILED = 'a request failed'
const ENDED = 'a server process has ended'
const soon = (act: () => unknown, message: string): Promise<void> => night.soon(act, message)

type Ask = (body: string, authorization?: string) => Promise<RawReply>

/** A session, which its caller ends. */
const inSession = async (use: (ask: Ask) => Promise<unknown>, first?: string): Promise<void> => {
  const authorization = first ?? (await bearer())
  const { headers } = await post(INITIALIZE, authorization)
  const session = String(headers['mcp-session-id'])
  await use((body, by = authorization) => post(body, by, session))
  const ending = { authorization: await bearer(), 'mcp-session-id': session }
  await soon(() => send(url, undefined, ending, { method: 'DELETE' }), ENDED)
}

const starts = (): Promise<void> =>
  soon(() => {
    container = new Container(folder, SERVER)
  }, ENDED)

const ofWrongForm = (): Promise<void> =>
  soon(() => post(INITIALIZE, 'Bearer opaque-words'), REFUSED)

const expires = async (): Promise<void> =>
  inSession(
    (ask) => {
      night.clock = '04:12:00'
      return soon(() => ask(toolCall('calls')), REFUSED)
    },
    await bearer({ exp: seconds() + 60 }),
  )

const forAnother = (): Promise<void> =>
  soon(async () => post(INITIALIZE, await bearer({ aud: 'elsewhere' })), REFUSED)

const lacksScope = (): Promise<void> =>
  inSession(async (ask) => {
    const less = await bearer({ scope: 'other' })
    await soon(() => ask(rpc('ping', {}), less), REFUSED)
  })

const issuerDown = async (): Promise<void> => {
  const next = await signingKey('two')
  issuer.keys = [key.publicJwk, next.publicJwk]
  issuer.keysAnswer = { status: 500 }
  const token = await bearer({}, next)
  await soon(() => post(INITIALIZE, token), FAILED)
  issuer.keysAnswer = undefined
  night.clock = '04:26:00'
  const calls = (): Promise<void> => inSession((ask) => ask(rpc('ping', {})), token)
  await soon(calls, 'the keys of an issuer can be fetched again')
}

const policyEdited = async (): Promise<void> => {
  await soon(
    () => put('policy.yaml', POLICY.replace('tools: [other]', 'tool: [other]')),
    'the tool policy is not taken; the last good one goes on',
  )
  night.clock = '04:31:00'
  await soon(() => put('policy.yaml', `${POLICY}# mended\n`), 'the tool policy is read, and holds')
}

const denied = (): Promise<void> => inSession((ask) => soon(() => ask(toolCall('other')), FAILED))

const asksTooOften = (): Promise<void> =>
  inSession(async (ask) => {
    await ask(toolCall('calls'))
    await soon(() => ask(toolCall('calls')), REFUSED)
  })

const hasChanged = (): Promise<void> =>
  inSession(async (ask) => {
    await ask(toolCall('drift', { to: ['description'], tell: true }))
    await soon(() => ask(toolCall('echo', { text: 'hello' })), FAILED)
  })

/** The file of records is old enough to be full, and there is no name for it: a fault of its folder like another. */
const noRecords = (): Promise<void> =>
  inSession(async (ask) => {
    const last = `${records}.${Number.MAX_SAFE_INTEGER}`
    writeFileSync(last, '')
    night.clock = '05:05:00'
    // The call whose record finds it out may be answered already, or be the one that is refused.
    let status = 0
    await soon(
      async () => void ({ status } = await ask(rpc('ping', {}))),
      'audit records cannot be written',
    )
    const echo = (): Promise<RawReply> => ask(toolCall('echo', { text: 'hello' }))
    if (status === 200) await soon(echo, FAILED)
    await soon(() => {
      rmSync(last)
      night.clock = '05:06:00'
    }, 'audit records are written again')
    // As many calls either way, for the metrics.
    if (status !== 200) await echo()
    expect((await echo()).status).toBe(200)
  })

const HOURS: readonly Hour[] = [
  ['04:00:00', 'the pod starts', starts],
  ['04:05:00', 'a client sends what is no token', ofWrongForm],
  ['04:10:00', 'a token ends before its session does', expires],
  ['04:15:00', 'a token is meant for another server', forAnother],
  ['04:20:00', 'a token lacks a scope', lacksScope],
  ['04:25:00', 'an issuer is down when somebody comes by its new key, and up again', issuerDown],
  ['04:30:00', 'a policy is edited wrongly, and mended', policyEdited],
  ['04:35:00', 'the policy denies a call', denied],
  ['04:40:00', 'a caller asks too often', asksTooOften],
  ['04:45:00', 'a tool has changed since it was approved', hasChanged],
  ['04:55:00', 'records cannot be written, and then they can', noRecords],
]

const METRICS = [
  'faults_total',
  'limited_total',
  'policy_decisions_total',
  'policy_reloads_total',
  'tool_lock_findings_total',
  'audit_failing',
  'ready',
]

test('a night’s log and metrics name each fault, its time, its session and its cause', async () => {
  const told = await night.play(HOURS, [
    [folder, 'DIR'],
    [issuer.url, 'ISSUER'],
    [/try again in \d+ s/g, 'try again in N s'],
  ])
  const { text } = await adminOf(sidecar.adminPort).get('/metrics')
  const whole = [...told, ...toldMetrics(text, METRICS)].join('\n')
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(GOLDEN, whole)
  expect(whole).toBe(readFileSync(GOLDEN, 'utf8'))
})
