// Workloads that call by their X.509-SVIDs, over real connections: where nothing else lets anybody in, who has none is refused
// in the handshake; beside tokens, who shows one needs none. Authorities change without a refused call.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { Agent, createServer, request, type RequestOptions } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { adminOf } from '../../support/admin.ts'
import { freePort } from '../../support/free-port.ts'
import { aKey, anAuthority, issue, type Issued, type Terms } from '../../support/certificates.ts'
import { signed, signingKey, startIssuer } from '../../support/issuer.ts'
import { listening } from '../../support/listening.ts'
import { CHECKOUT_CLI } from '../../support/outrigger-run.ts'
import { PUPPET, rpc } from '../../support/puppet.ts'
import { INITIALIZE, JSON_HEADERS } from '../../support/raw-http.ts'
import { startProgram, type Running } from '../../support/running.ts'
import { bundleText } from '../../support/spiffe-bundle.ts'

const ID = 'spiffe://example.org/ns/tools/sa/agent'
const OTHER_ID = 'spiffe://example.org/ns/tools/sa/other'

const authority = anAuthority('example.org')
const stranger = anAuthority('example.org')
const between = anAuthority('between', { by: authority })
const own = issue({ names: ['127.0.0.1'], by: authority })

const svid = (terms: Terms = {}): Issued => issue({ uris: [ID], by: authority, ...terms })
/** With what lies between it and the authority. */
const chained = (leaf: Issued): Issued => ({ ...leaf, cert: leaf.cert + between.cert })

let folder: string
let admin: ReturnType<typeof adminOf>
let alone: Running

const put = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(`${path}.new`, text)
  renameSync(`${path}.new`, path)
  return path
}

const run = (flags: readonly string[]): Promise<Running> =>
  startProgram({
    command: process.execPath,
    args: [
      CHECKOUT_CLI,
      'run',
      '--port=0',
      '--log-level=info',
      `--tls-cert=${put('tls.crt', own.cert)}`,
      `--tls-key=${put('tls.key', own.key)}`,
      `--spiffe-bundle=${put('bundle.pem', authority.cert)}`,
      ...flags,
      '--',
      ...PUPPET,
    ],
    ready: /^outrigger: listening on (https:\/\/\S+)$/m,
  })

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'outrigger-svid-'))
  const port = await freePort()
  admin = adminOf(port)
  alone = await run([
    '--spiffe-ids=spiffe://example.org/ns/tools/*',
    `--admin-port=${port}`,
    `--audit-file=${join(folder, 'audit.jsonl')}`,
  ])
})

afterAll(async () => {
  await alone.stop()
  rmSync(folder, { recursive: true })
})

interface Answer {
  readonly status: number | undefined
  readonly session: string
  readonly text: string
  readonly connection: string | undefined
}

interface Call {
  readonly by?: Issued | undefined
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly agent?: RequestOptions['agent']
}

/** Rejects where the connection ends before there is an answer. */
const call = (
  url: string,
  { by, headers = {}, body = INITIALIZE, agent = false }: Call,
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const all = { ...JSON_HEADERS, ...headers }
    const sent = request(
      url,
      { method: 'POST', headers: all, ca: authority.cert, agent, ...by },
      (answer) => {
        let text = ''
        answer.setEncoding('utf8').on('data', (piece: string) => (text += piece))
        answer.once('end', () =>
          resolve({
            status: answer.statusCode,
            session: String(answer.headers['mcp-session-id'] ?? ''),
            text,
            connection: answer.headers.connection,
          }),
        )
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })

/** Asks until it is so, as long as the test may take. */
const till = async (isSo: () => Promise<boolean>): Promise<void> => {
  // oxlint-disable-next-line no-await-in-loop
  while (!(await isSo())) await sleep(100)
}

test.each<[string, () => Issued]>([
  ['by an authority', () => svid()],
  ['by one between', () => chained(svid({ by: between }))],
])('a workload is served: %s', async (_name, by) => {
  expect(await call(alone.ready, { by: by() })).toMatchObject({ status: 200 })
})

test('a workload is on record by its certificate: no token came', async () => {
  expect(await call(alone.ready, { by: svid() })).toMatchObject({ status: 200 })
  const caller = { by: 'certificate', issuer: 'spiffe://example.org', subject: ID }
  await till(async () =>
    (await readFile(join(folder, 'audit.jsonl'), 'utf8')).includes(
      JSON.stringify({ caller }).slice(1, -1),
    ),
  )
})

describe('alone, whoever shows none that is good is refused before a word of HTTP', () => {
  test.each<[string, () => Issued | undefined]>([
    ['none', () => undefined],
    ["a stranger's", () => svid({ by: stranger })],
    ['one without the authority between', () => svid({ by: between })],
    ['one that has expired', () => svid({ fromMs: -2000, untilMs: -1000 })],
    ['one that is not valid yet', () => svid({ fromMs: 60_000 })],
    ['one of two names', () => svid({ uris: [ID, OTHER_ID] })],
    ['one of no name', () => svid({ uris: [] })],
    ['one of a name that is not listed', () => svid({ uris: ['spiffe://example.org/ns/a/b'] })],
    ['one of another trust domain', () => svid({ uris: ['spiffe://other.org/x'] })],
    ["an authority's", () => anAuthority('x', { by: authority, uris: [ID] })],
    [
      'one that may sign authorities',
      () => svid({ keyUsage: { digitalSignature: true, keyCertSign: true } }),
    ],
    ["a server's alone", () => svid({ extended: { serverAuth: true } })],
  ])('%s', async (_name, by) => {
    const before = await admin.metric('outrigger_sessions')
    await expect(call(alone.ready, { by: by() })).rejects.toThrow()
    expect(await admin.metric('outrigger_sessions')).toBe(before)
  })
})

test('a session is its own workload’s alone, and ends for it with its certificate', async () => {
  const { session } = await call(alone.ready, { by: svid() })
  const ping = { headers: { 'mcp-session-id': session }, body: rpc('ping', {}, 2) }
  expect((await call(alone.ready, { by: svid(), ...ping })).status).toBe(200)
  const other = svid({ uris: [OTHER_ID] })
  expect((await call(alone.ready, { by: other, ...ping })).status).toBe(404)
  expect((await call(alone.ready, { by: svid(), ...ping })).status).toBe(200)
})

test('a connection that is open when its certificate ends is told to connect anew', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  // In a session that is there: a server may take longer to start than the certificate lasts.
  const { session } = await call(alone.ready, { by: svid() })
  const ping = { headers: { 'mcp-session-id': session }, body: rpc('ping', {}, 2) }
  const by = svid({ untilMs: 8000 })
  const began = Date.now()
  expect((await call(alone.ready, { by, agent, ...ping })).status).toBe(200)
  await sleep(9000 - (Date.now() - began))
  const late = await call(alone.ready, { by, agent, ...ping })
  expect(late).toMatchObject({ status: 401, connection: 'close' })
  expect(late.text).toContain('it has expired')
  agent.destroy()
})

test('a client that takes up sessions of TLS again is served each time', async () => {
  const agent = new Agent({ keepAlive: false, maxCachedSessions: 8 })
  const by = chained(svid({ by: between }))
  for (let round = 0; round < 3; round++) {
    // oxlint-disable-next-line no-await-in-loop
    expect((await call(alone.ready, { by, agent })).status).toBe(200)
  }
  agent.destroy()
})

test('a certificate is served through changes of the server’s own, with no call refused', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const over = new AbortController()
  const statuses: (number | undefined)[] = []
  const calls = async (kept: RequestOptions['agent'], by: Issued): Promise<void> => {
    while (!over.signal.aborted) {
      // oxlint-disable-next-line no-await-in-loop
      statuses.push((await call(alone.ready, { by, agent: kept })).status)
    }
  }
  const far = chained(svid({ by: between }))
  const running = [calls(false, svid()), calls(agent, svid()), calls(false, far)]
  const reloads = async (): Promise<number> =>
    (await admin.metric('outrigger_tls_reloads_total\\{outcome="taken"\\}')) || 0
  for (let round = 0; round < 2; round++) {
    // oxlint-disable-next-line no-await-in-loop
    const before = await reloads()
    const other = issue({ names: ['127.0.0.1'], by: authority, key: aKey() })
    put('tls.crt', other.cert)
    put('tls.key', other.key)
    // oxlint-disable-next-line no-await-in-loop
    await till(async () => (await reloads()) > before)
  }
  over.abort()
  await Promise.all(running)
  agent.destroy()
  expect(statuses.length).toBeGreaterThan(3)
  expect(new Set(statuses)).toEqual(new Set([200]))
})

test('authorities change without a refused call: the new ones beside the old, then alone', async () => {
  const next = anAuthority('example.org, next')
  const [old, young] = [svid(), svid({ by: next })]
  const kept = new Agent({ keepAlive: true, maxSockets: 1 })
  const unseen = new Agent({ keepAlive: true, maxSockets: 1 })
  const far = chained(svid({ by: between }))
  const served = async (by: Issued, agent: RequestOptions['agent'] = false): Promise<boolean> =>
    call(alone.ready, { by, agent }).then(
      ({ status }) => status === 200,
      () => false,
    )
  expect([await served(old, kept), await served(far, unseen)]).toEqual([true, true])
  expect(await served(young)).toBe(false)
  put('bundle.pem', authority.cert + next.cert)
  let refused = 0
  await till(async () => {
    if (!(await served(old))) refused++
    return served(young)
  })
  expect([await served(old, kept), await served(far, unseen)]).toEqual([true, true])
  put('bundle.pem', next.cert)
  await till(async () => {
    if (!(await served(young))) refused++
    return !(await served(old))
  })
  expect(refused).toBe(0)
  // Who has shown it before is judged by what holds now.
  expect([await served(old, kept), await served(far, unseen)]).toEqual([false, false])
  put('bundle.pem', 'nothing that is a bundle')
  await till(async () => alone.stderr().includes('is not taken; the last good one goes on'))
  expect(await served(young)).toBe(true)
  put('bundle.pem', authority.cert)
  await till(() => served(old))
  kept.destroy()
  unseen.destroy()
})

test('the bundle of an endpoint that shows an SVID lets in, and the first one, by which that is believed, does not', async () => {
  const endpointId = 'spiffe://example.org/spire/server'
  const endpoint = createServer(svid({ uris: [endpointId] }), (_request, response) => {
    response.end(bundleText({ authorities: [stranger] }))
  })
  const port = await listening(endpoint)
  const running = await run([
    `--spiffe-ids=${ID}`,
    `--spiffe-bundle-url=https://127.0.0.1:${port}/`,
    `--spiffe-endpoint-id=${endpointId}`,
  ])
  const statusBy = (by: Issued): Promise<unknown> =>
    call(running.ready, { by: svid({ by }) }).then(
      ({ status }) => status,
      () => 'refused',
    )
  try {
    await till(async () => (await statusBy(stranger)) === 200)
    expect(await statusBy(authority)).toBe('refused')
  } finally {
    await running.stop()
    endpoint.closeAllConnections()
    endpoint.close()
  }
})

describe('beside tokens', () => {
  let beside: Running
  let token: (sub: string) => Promise<string>
  let close: () => Promise<void>

  beforeAll(async () => {
    const key = await signingKey('one')
    const issuer = await startIssuer([key.publicJwk])
    close = issuer.close
    beside = await run([
      `--spiffe-ids=${ID}`,
      `--oidc-issuers=${issuer.url}`,
      '--oidc-audience=here',
    ])
    const exp = Math.floor(Date.now() / 1000) + 300
    token = (sub) => signed({ iss: issuer.url, sub, aud: 'here', exp }, key)
  })

  afterAll(async () => {
    await beside.stop()
    await close()
  })

  test('a workload needs none, and somebody with a token no certificate', async () => {
    const headers = { authorization: `Bearer ${await token('ada')}` }
    expect((await call(beside.ready, { by: svid() })).status).toBe(200)
    expect((await call(beside.ready, { headers })).status).toBe(200)
    expect((await call(beside.ready, {})).status).toBe(401)
  })

  test.each<[string, Issued]>([
    ["a stranger's", svid({ by: stranger })],
    ['one that is not listed', svid({ uris: [OTHER_ID] })],
  ])('a certificate that is not good is nobody: %s', async (_name, by) => {
    const refused = await call(beside.ready, { by })
    expect(refused).toMatchObject({ status: 401, connection: 'close' })
    expect(refused.text).toContain('nor a certificate that is good')
  })

  test.each([
    ['a token by a scheme that is not taken here', 'DPoP a.b.c'],
    ['a password', 'Basic YWRhOnBhc3N3b3Jk'],
    ['a word', 'x'],
    ['nothing in it', ''],
  ])('a certificate does not count where Authorization holds %s', async (_name, authorization) => {
    const refused = await call(beside.ready, { by: svid(), headers: { authorization } })
    expect(refused.status).toBe(401)
    expect(refused.text).toContain('Authorization is of a scheme that is not taken here')
  })

  test('with both it is the token that says who calls', async () => {
    const { session } = await call(beside.ready, { by: svid() })
    const ping = { headers: { 'mcp-session-id': session }, body: rpc('ping', {}, 2) }
    const headers = { ...ping.headers, authorization: `Bearer ${await token('ada')}` }
    expect((await call(beside.ready, { by: svid(), ...ping, headers })).status).toBe(404)
    // Nobody takes a workload's name by a token.
    const named = { ...ping.headers, authorization: `Bearer ${await token(ID)}` }
    expect((await call(beside.ready, { ...ping, headers: named })).status).toBe(404)
    const wrong = { ...ping.headers, authorization: 'Bearer a.b.c' }
    expect((await call(beside.ready, { by: svid(), ...ping, headers: wrong })).status).toBe(401)
    expect((await call(beside.ready, { by: svid(), ...ping })).status).toBe(200)
  })
})

test.each([
  ['without its bundle', ['--spiffe-ids', ID], /--spiffe-ids needs one of/],
  [
    'of two bundles',
    ['--spiffe-ids', ID, '--spiffe-bundle=/x', '--spiffe-bundle-url=https://x/'],
    /--spiffe-ids needs one of/,
  ],
  ['of no ID', ['--spiffe-ids=agent', '--spiffe-bundle=/x'], /--spiffe-ids: .*must be/],
  [
    'of two trust domains',
    [`--spiffe-ids=${ID},spiffe://other.org/x`, '--spiffe-bundle=/x'],
    /is of another trust domain/,
  ],
  ['without TLS', [`--spiffe-ids=${ID}`, '--spiffe-bundle=/x'], /over TLS, which needs/],
])('is not started %s', async (_name, flags, says) => {
  const args = [CHECKOUT_CLI, 'run', '--port=0', ...flags, '--', ...PUPPET]
  const program = { command: process.execPath, args, ready: /never/ }
  await expect(startProgram(program)).rejects.toThrow(says)
})
