// On one connection that stays open, as a proxy's does: what is known of its last caller and of what that one may do is good
// for that one alone, and for no longer than it holds.

import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { signed, signingKey, startIssuer, type FakeIssuer } from '../../support/issuer.ts'
import type { SigningKey } from '../../support/issuer.ts'
import { CHECKOUT_CLI } from '../../support/outrigger-run.ts'
import { PUPPET, rpc, toolCall } from '../../support/puppet.ts'
import { INITIALIZE, JSON_HEADERS, messageIn, type RawReply } from '../../support/raw-http.ts'
import { startProgram, type Running } from '../../support/running.ts'
import { until } from '../../support/waiting.ts'

/** What clocks may be off by, as the sidecar has it. */
const SKEW_SECONDS = 30

const POLICY = `
version: 1
rules:
  - { name: quiet, effect: deny, tools: [echo], when: "has(arguments.text) && arguments.text.startsWith('/etc/')" }
  - { name: users, effect: allow, tools: [echo] }
`

let key: SigningKey
let issuer: FakeIssuer
let folder: string
let bridge: Running
let agent: Agent
let ports: Set<number | undefined>

const write = (more = '', text = POLICY): void => {
  writeFileSync(join(folder, 'next'), `${text}${more}`)
  renameSync(join(folder, 'next'), join(folder, 'policy.yaml'))
}

beforeAll(async () => {
  key = await signingKey('one')
  issuer = await startIssuer([key.publicJwk])
  folder = mkdtempSync(join(tmpdir(), 'outrigger-connection-'))
  write()
  const flags = ['--oidc-issuers', issuer.url, '--tool-policy', join(folder, 'policy.yaml')]
  bridge = await startProgram({
    command: process.execPath,
    args: [CHECKOUT_CLI, 'run', '--port=0', ...flags, '--', ...PUPPET],
    ready: /^outrigger: listening on (http:\/\/\S+)$/m,
  })
})

afterAll(async () => {
  await bridge.stop()
  await issuer.close()
  rmSync(folder, { recursive: true })
})

beforeEach(() => {
  agent = new Agent({ keepAlive: true, maxSockets: 1 })
  ports = new Set()
})

afterEach(() => {
  // All went over the same one.
  expect(ports.size).toBe(1)
  agent.destroy()
  write()
})

const tokenOf = (sub: string, seconds = 300): Promise<string> => {
  const now = Math.floor(Date.now() / 1000)
  return signed({ iss: issuer.url, aud: bridge.ready, sub, iat: now - 60, exp: now + seconds }, key)
}

const post = (token: string, body: string, session?: string): Promise<RawReply> =>
  new Promise((resolve, reject) => {
    const of = session === undefined ? {} : { 'mcp-session-id': session }
    const headers = { ...JSON_HEADERS, authorization: `Bearer ${token}`, ...of }
    const sent = httpRequest(bridge.ready, { method: 'POST', agent, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => (text += part))
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      )
    })
    sent.on('socket', (socket) => socket.once('connect', () => ports.add(socket.localPort)))
    sent.on('error', reject)
    sent.end(body)
  })

const open = async (token: string): Promise<string> =>
  String((await post(token, INITIALIZE)).headers['mcp-session-id'])

const say = (token: string, session: string, text = 'hello') =>
  post(token, toolCall('echo', { text }), session)

test('two callers by turns have their own sessions and nobody else’s', async () => {
  const [ada, bob] = [await tokenOf('ada'), await tokenOf('bob')]
  const [hers, his] = [await open(ada), await open(bob)]
  for (let round = 0; round < 20; round++) {
    const statuses = [
      (await say(ada, hers)).status,
      (await say(bob, hers)).status,
      (await say(bob, his)).status,
      (await say(ada, his)).status,
    ]
    expect(statuses).toEqual([200, 404, 200, 404])
  }
  const stranger = `${ada.slice(0, -4)}AAAA`
  expect((await say(stranger, hers)).status).toBe(401)
  expect((await say(ada, hers)).status).toBe(200)
})

test('a token that ends is refused from then on, however often it is brought', async () => {
  // Its server may take longer to start than the token lasts.
  const session = await open(await tokenOf('ada'))
  const token = await tokenOf('ada', 4 - SKEW_SECONDS)
  const endsAt = (Math.floor(Date.now() / 1000) + 5) * 1000
  let last = await say(token, session)
  expect(last.status).toBe(200)
  let askedAt = 0
  for (; last.status === 200; last = await say(token, session)) {
    expect(askedAt).toBeLessThan(endsAt)
    askedAt = Date.now()
  }
  expect(last.status).toBe(401)
  expect(last.headers['www-authenticate']).toContain('it has expired')
})

test('a policy that changes holds for who has called all along, and who is blocked is nobody any more', async () => {
  const token = await tokenOf('ada')
  const session = await open(token)
  const answer = async (text?: string) => messageIn(await say(token, session, text))
  for (let round = 0; round < 5; round++) {
    expect(await answer()).toContain('hello')
    expect(await answer('/etc/passwd')).toContain('by the rule quiet')
  }
  write(`  - { name: over, effect: deny, tools: [echo] }\n`)
  await until(async () => (await answer()).includes('by the rule over'), 'the change')
  write()
  await until(async () => (await answer()).includes('"hello"'), 'the change back')
  write(`  - { name: gone, effect: deny, who: { issuers: ['${issuer.url}'] } }\n`)
  await until(async () => (await post(token, rpc('ping', {}), session)).status !== 200, 'the end')
  const refused = await say(token, session)
  expect([refused.status, refused.text]).toEqual([403, expect.stringContaining('gone')])
})
