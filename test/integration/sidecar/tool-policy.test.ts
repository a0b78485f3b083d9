// `outrigger run --tool-policy`: callers do what the policy allows and see no more than that, in both eras; a change of the
// file holds within seconds, also for those who are there already.

import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { adminOf, type Admin } from '../../support/admin.ts'
import { freePort } from '../../support/free-port.ts'
import { openStream } from '../../support/event-stream.ts'
import {
  signed,
  signingKey,
  startIssuer,
  type FakeIssuer,
  type SigningKey,
} from '../../support/issuer.ts'
import { CHECKOUT_CLI } from '../../support/outrigger-run.ts'
import {
  modern,
  modernCall,
  note,
  PUPPET,
  rpc,
  toolCall,
  type Modern,
} from '../../support/puppet.ts'
import { JSON_HEADERS, messageIn, send, type RawHeaders } from '../../support/raw-http.ts'
import { startProgram, type Running } from '../../support/running.ts'
import { until } from '../../support/waiting.ts'

const READY = /^outrigger: listening on (http:\/\/\S+)$/m

const policyText = (more = ''): string => `
version: 1
roles:
  reader: { who: { scopes: [read] }, tools: [echo, seen, say] }
rules:
  - { name: short, effect: allow, who: { clients: [bot] }, tools: [echo], when: 'size(arguments.text) < 10' }
  - { name: no-kill, effect: deny, tools: ['k*'] }
  - { name: files, effect: allow, who: { scopes: [read] }, resources: ['file:///*'] }
  - { name: admin, effect: allow, who: { scopes: [admin] }, tools: ['*'], methods: [elicitation/create] }
${more}`

let issuer: FakeIssuer
let key: SigningKey
let folder: string
let bridge: Running
let admin: Admin
let url: string
let version = 0

/** As the kubelet changes a mounted ConfigMap: another folder in the place of `..data`. */
const write = (text: string): void => {
  version += 1
  const data = join(folder, `..data-${version}`)
  mkdirSync(data)
  writeFileSync(join(data, 'policy.yaml'), text)
  symlinkSync(data, join(folder, '..next'))
  renameSync(join(folder, '..next'), join(folder, '..data'))
}

type Claims = Readonly<Record<string, unknown>>

const ALICE: Claims = { sub: 'alice', scope: 'read' }
const BOT: Claims = { sub: 'bob', client_id: 'bot' }
const ADMIN: Claims = { sub: 'root', scope: 'admin' }

const tokenOf = async (claims: Claims): Promise<RawHeaders> => {
  const seconds = Math.floor(Date.now() / 1000)
  const whole = { iss: issuer.url, aud: url, iat: seconds, exp: seconds + 300, ...claims }
  return { authorization: `Bearer ${await signed(whole, key)}` }
}

beforeAll(async () => {
  key = await signingKey('one')
  issuer = await startIssuer([key.publicJwk])
  folder = mkdtempSync(join(tmpdir(), 'outrigger-policy-'))
  symlinkSync(join('..data', 'policy.yaml'), join(folder, 'policy.yaml'))
  write(policyText())
  const port = await freePort()
  admin = adminOf(port)
  const flags = ['--oidc-issuers', issuer.url, '--tool-policy', join(folder, 'policy.yaml')]
  const more = ['--port', '0', '--admin-port', `${port}`, '--log-level', 'info']
  bridge = await startProgram({
    command: process.execPath,
    args: [CHECKOUT_CLI, 'run', ...flags, ...more, '--', ...PUPPET],
    ready: READY,
  })
  url = bridge.ready
})

afterAll(async () => {
  await bridge.stop()
  await issuer.close()
  rmSync(folder, { recursive: true })
})

/** Opens a session; what it answers to a body, whole. */
const openSession = async (claims: Claims, protocolVersion = '2025-06-18') => {
  const bearer = await tokenOf(claims)
  const clientInfo = { name: 'test', version: '1' }
  const initialize = rpc('initialize', {
    protocolVersion,
    capabilities: { elicitation: {} },
    clientInfo,
  })
  const opened = await send(url, initialize, { ...JSON_HEADERS, ...bearer })
  const headers = { ...bearer, 'mcp-session-id': String(opened.headers['mcp-session-id']) }
  const post = (body: string) => send(url, body, { ...JSON_HEADERS, ...headers })
  await post(note('notifications/initialized'))
  return { headers, post, ask: async (body: string) => JSON.parse(messageIn(await post(body))) }
}

const askModern = async (claims: Claims, { body, headers }: Modern) =>
  JSON.parse(messageIn(await send(url, body, { ...headers, ...(await tokenOf(claims)) })))

const namesIn = (answer: { result: { tools: readonly { name: string }[] } }) =>
  answer.result.tools.map(({ name }) => name)

const DENIED = { code: -32_000, data: { code: 'denied' } }

describe('a caller of the older protocol', () => {
  test('sees and calls what its role allows', async () => {
    const alice = await openSession(ALICE)
    expect(namesIn(await alice.ask(rpc('tools/list', {})))).toEqual(['seen', 'echo', 'say'])
    const answer = await alice.ask(toolCall('echo', { text: 'a longer text' }))
    expect(answer.result.content[0].text).toBe('a longer text')
    const denied = await alice.ask(toolCall('pid'))
    expect(denied.error).toMatchObject(DENIED)
    expect(denied.error.message).toBe('the tool policy denies this: no rule allows it')
    const seen = await alice.ask(toolCall('seen'))
    expect(seen.result.content[0].text).not.toContain('"pid"')
  })

  test('is judged by its arguments, and told the rule and nothing of them', async () => {
    const bot = await openSession(BOT)
    expect(namesIn(await bot.ask(rpc('tools/list', {})))).toEqual(['echo'])
    expect((await bot.ask(toolCall('echo', { text: 'short' }))).result).toBeDefined()
    const long = await bot.ask(toolCall('echo', { text: 'secret-and-long' }))
    expect(long.error).toMatchObject(DENIED)
    const odd = await bot.ask(toolCall('echo', { Text: 'secret' }))
    expect(odd.error).toMatchObject(DENIED)
    expect(odd.error.message).toContain('the condition of short could not be decided')
    expect(JSON.stringify([long, odd])).not.toContain('secret')
  })

  test('is denied what a rule denies, whoever it is', async () => {
    const root = await openSession(ADMIN)
    expect(namesIn(await root.ask(rpc('tools/list', {})))).not.toContain('kill')
    const denied = await root.ask(toolCall('kill', { signal: 'SIGKILL' }))
    expect(denied.error).toMatchObject({ data: { code: 'denied', rule: 'no-kill' } })
  })

  test('has each message of a batch decided by itself', async () => {
    const alice = await openSession(ALICE, '2025-03-26')
    const batch = [
      toolCall('echo', { text: 'one' }),
      rpc('tools/call', { name: 'pid' }, 2),
      rpc('tasks/get', { taskId: 'x' }, 3),
      note('notifications/odd'),
    ]
    const reply = await alice.post(`[${batch.join(',')}]`)
    expect(reply.text).toContain('"text":"one"')
    expect(reply.text.match(/"code":"denied"/g)).toHaveLength(2)
    const seen = await alice.ask(toolCall('seen'))
    expect(seen.result.content[0].text).not.toMatch(/notifications\/odd|tasks\/get/)
  })

  test('hears of the resources that it may read', async () => {
    const alice = await openSession(ALICE)
    const updated = (uri: string) => note('notifications/resources/updated', { uri })
    const lines = [updated('file:///a'), updated('other:///b')]
    const { text } = await alice.post(toolCall('say', { lines }))
    expect([text.includes('file:///a'), text.includes('other:///b')]).toEqual([true, false])
  })

  test('is asked for input only where a rule says so', async () => {
    const question = rpc('elicitation/create', { message: 'what?' }, 'q')
    const alice = await openSession(ALICE)
    const reply = await alice.post(toolCall('say', { lines: [question] }))
    expect(reply.text).not.toContain('elicitation')
    const seen = await alice.ask(toolCall('seen'))
    expect(seen.result.content[0].text).toContain('the tool policy does not allow')
    const root = await openSession(ADMIN)
    const asked = await root.post(toolCall('say', { lines: [question] }))
    expect(asked.text).toContain('"method":"elicitation/create"')
  })
})

test('a caller hears of no capability of which it may use nothing', async () => {
  const initialize = rpc('initialize', { protocolVersion: '2025-06-18', capabilities: {} })
  const capabilitiesOf = async (claims: Claims) => {
    const reply = await send(url, initialize, { ...JSON_HEADERS, ...(await tokenOf(claims)) })
    return JSON.parse(messageIn(reply)).result.capabilities
  }
  expect(await capabilitiesOf(ALICE)).toEqual({
    tools: {},
    resources: { subscribe: true },
    logging: {},
  })
  expect(await capabilitiesOf({ sub: 'nobody' })).toEqual({ logging: {} })
  const discovered = await askModern({ sub: 'nobody' }, modern('server/discover'))
  expect(discovered.result).toMatchObject({ capabilities: {}, cacheScope: 'private' })
})

describe('a caller of the newer protocol', () => {
  test('sees and calls what its role allows, and no cache gives its list to others', async () => {
    const list = await askModern(ALICE, modern('tools/list'))
    expect(namesIn(list)).toEqual(['seen', 'echo', 'say'])
    expect(list.result.cacheScope).toBe('private')
    const all = await askModern(ADMIN, modern('tools/list'))
    expect(namesIn(all)).toContain('pid')
    expect(all.result.cacheScope).toBe('private')
    const answer = await askModern(ALICE, modernCall('echo', { text: 'hello' }))
    expect(answer.result.content[0].text).toBe('hello')
    expect((await askModern(ALICE, modernCall('pid'))).error).toMatchObject(DENIED)
  })

  test('subscribes to what it may read', async () => {
    const listen = (notifications: object) =>
      askModern(ALICE, modern('subscriptions/listen', { notifications }))
    const denied = await listen({ resourceSubscriptions: ['file:///a', 'file:///../a'] })
    expect(denied.error).toMatchObject(DENIED)
    const unclear = await listen({ ResourceSubscriptions: ['file:///a'] })
    expect(unclear.error).toMatchObject({ data: { code: 'invalid-params' } })
  })
})

const told = (line: RegExp): Promise<true> =>
  until(() => line.test(bridge.stderr()), `the log says ${line}`)

const reloads = (outcome: string): Promise<number> =>
  admin.metric(`outrigger_policy_reloads_total{outcome="${outcome}"}`)

describe('a change of the file', () => {
  test('that cannot be used is told once, and the policy before it holds', async () => {
    const alice = await openSession(ALICE)
    write(`${policyText()}  - { name: short, effect: alow }\n`)
    await told(/the tool policy is not taken; the last good one goes on.*did you mean allow\?/)
    await until(async () => (await reloads('refused')) === 1, 'it is counted')
    expect((await alice.ask(toolCall('echo', { text: 'x' }))).result).toBeDefined()
    const denied = () => admin.metric('outrigger_policy_decisions_total.decision="denied",rule="".')
    const before = await denied()
    expect((await alice.ask(toolCall('pid'))).error).toMatchObject(DENIED)
    expect(await denied()).toBeGreaterThan(before)
  })

  test('holds in the sessions that there are, and ends those of whoever is denied all', async () => {
    const alice = await openSession(ALICE)
    const bot = await openSession(BOT)
    const listening = await openStream(url, { method: 'GET', headers: alice.headers })
    const stream = listening.read()
    const { body, headers } = modern('subscriptions/listen', {
      notifications: { resourceSubscriptions: ['file:///a'] },
    })
    const asked = { body, headers: { ...headers, ...(await tokenOf(ALICE)) } }
    const subscribed = (await openStream(url, asked)).read()
    await subscribed.event((data) => data.includes('acknowledged'))
    write(
      policyText(
        `  - { name: alice-left, effect: deny, who: { principals: [{ issuer: '${issuer.url}', subject: alice }] } }\n` +
          '  - { name: no-echo, effect: deny, tools: [echo] }\n',
      ),
    )
    await told(/the tool policy is read, and holds/)
    // The file has been looked at since; the one before it has been told once.
    expect(await reloads('refused')).toBe(1)
    expect(bridge.stderr().match(/the tool policy is not taken/g)).toHaveLength(1)
    await stream.ended()
    await subscribed.ended()
    expect(await reloads('taken')).toBe(1)
    const refused = await alice.post(toolCall('seen'))
    expect([refused.status, JSON.parse(refused.text).error.data]).toEqual([
      403,
      { code: 'forbidden', rule: 'alice-left' },
    ])
    expect((await bot.ask(toolCall('echo', { text: 'x' }))).error).toMatchObject({
      data: { rule: 'no-echo' },
    })
    const gone = await send(url, undefined, alice.headers, { method: 'DELETE' })
    expect(gone.status).toBe(403)
  })
})
