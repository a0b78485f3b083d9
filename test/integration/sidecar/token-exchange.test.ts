// The token that a server process has of its caller for another service: exchanged before it starts, renewed while it lives, in a
// file that nobody else's process was given; and whoever's cannot be exchanged has no process.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeJwt, importJWK, jwtVerify } from 'jose'
import { adminOf } from '../../support/admin.ts'
import { freePort } from '../../support/free-port.ts'
import {
  signed,
  signingKey,
  startIssuer,
  type FakeIssuer,
  type SigningKey,
} from '../../support/issuer.ts'
import { listening } from '../../support/listening.ts'
import { startOutrigger } from '../../support/outrigger-run.ts'
import { modernCall, note, PUPPET, rpc, textOf, toolCall } from '../../support/puppet.ts'
import { JSON_HEADERS, messageIn, send, type RawHeaders } from '../../support/raw-http.ts'
import type { Running } from '../../support/running.ts'
import { until } from '../../support/waiting.ts'

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'

let folder: string
let issuer: FakeIssuer
let key: SigningKey
let endpoint: Server
let endpointUrl: string
let backend: Server
let backendUrl: string
/** The forms that the endpoint was asked with. */
let asked: URLSearchParams[] = []
let authorization: string | undefined
/** What it answers; absent: as it should. */
let answer: ((response: ServerResponse, form: URLSearchParams) => void) | undefined
let lifeSeconds = 300

const seconds = (): number => Math.floor(Date.now() / 1000)

const readBody = async (request: IncomingMessage): Promise<string> => {
  let text = ''
  for await (const piece of request) text += String(piece)
  return text
}

const exchanged = async (form: URLSearchParams, more: Readonly<Record<string, unknown>> = {}) => ({
  access_token: await signed(
    {
      iss: issuer.url,
      sub: decodeJwt(form.get('subject_token') ?? '').sub,
      aud: form.get('audience'),
      // What the issuer says of its life decides when it is renewed; to the backend it is good for longer, however slow this machine is.
      exp: seconds() + 300,
      jti: crypto.randomUUID(),
    },
    key,
  ),
  issued_token_type: ACCESS_TOKEN,
  token_type: 'Bearer',
  expires_in: lifeSeconds,
  ...more,
})

const says =
  (more: Readonly<Record<string, unknown>>) =>
  (response: ServerResponse, form: URLSearchParams): void => {
    void exchanged(form, more).then((one) => response.end(JSON.stringify(one)))
  }

const exchange = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const form = new URLSearchParams(await readBody(request))
  asked.push(form)
  authorization = request.headers.authorization
  if (answer) answer(response, form)
  else says({})(response, form)
}

const look = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const [, token = ''] = /^Bearer (.+)$/.exec(request.headers.authorization ?? '') ?? []
  const verifying = await importJWK(key.publicJwk, 'ES256')
  const verified = await jwtVerify(token, verifying, { issuer: issuer.url, audience: 'orders' })
  const { sub, aud, jti } = verified.payload
  response.end(JSON.stringify({ sub, aud, jti }))
}

const serving = async (
  serve: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): Promise<[Server, string]> => {
  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => response.writeHead(401).end(String(error)))
  })
  return [server, `http://127.0.0.1:${await listening(server)}`]
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'token-exchange-'))
  const credentials = join(folder, 'credentials')
  mkdirSync(credentials)
  writeFileSync(join(credentials, 'client-id'), 'sidecar')
  writeFileSync(join(credentials, 'client-secret'), 'of-the-sidecar')
  key = await signingKey('one')
  issuer = await startIssuer([key.publicJwk])
  ;[endpoint, endpointUrl] = await serving(exchange)
  ;[backend, backendUrl] = await serving(look)
})

afterAll(async () => {
  for (const one of [endpoint, backend]) {
    one.closeAllConnections()
    one.close()
  }
  await issuer.close()
  rmSync(folder, { recursive: true })
})

const configuration = (settings: Readonly<Record<string, string>>): string => {
  const file = join(mkdtempSync(join(folder, 'one-')), 'config.json')
  const here = (url: string) => ({ host: new URL(url).host, reach: 'loopback' })
  const listed = {
    url: issuer.url,
    // By its entry in this list alone it may lead here.
    hosts: [here(issuer.url), here(endpointUrl)],
    tokenExchange: { url: `${endpointUrl}/token`, audiences: ['orders'], scopes: ['read'] },
  }
  const texts = { 'token-exchange': 'audience=orders,scope=read', ...settings }
  const tokenExchangeDir = join(folder, 'credentials')
  writeFileSync(file, JSON.stringify({ issuers: [listed], tokenExchangeDir, settings: texts }))
  return file
}

const start = (
  settings: Readonly<Record<string, string>> = {},
  ...flags: readonly string[]
): Promise<Running> =>
  startOutrigger(PUPPET, {
    flags: [`--config=${configuration(settings)}`, ...flags],
    isGuarded: true,
  })

const bearer = async (url: string, sub: string, exp = seconds() + 300): Promise<RawHeaders> => ({
  authorization: `Bearer ${await signed({ iss: issuer.url, aud: url, iat: seconds(), exp, sub }, key)}`,
})

const INITIALIZE = rpc('initialize', {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'test', version: '1' },
})

const open = async (url: string, sub: string) =>
  send(url, INITIALIZE, { ...JSON_HEADERS, ...(await bearer(url, sub)) })

/** Calls a tool in a session of its own. */
const session = async (url: string, sub: string) => {
  const opened = await open(url, sub)
  const id = { 'mcp-session-id': String(opened.headers['mcp-session-id']) }
  const headers = { ...JSON_HEADERS, ...id, ...(await bearer(url, sub)) }
  await send(url, note('notifications/initialized'), headers)
  return async (name: string, args: Readonly<Record<string, string>>): Promise<string> =>
    textOf(messageIn(await send(url, toolCall(name, args), headers)))
}

const asUser = { file: 'OUTRIGGER_TOKEN_FILE' }

describe('a process', () => {
  let bridge: Running
  let url: string

  beforeAll(async () => {
    bridge = await start()
    url = bridge.ready
  })
  afterAll(() => bridge.stop())

  test('of a session calls its backend as the user, and of each user as that one', async () => {
    asked = []
    const ada = await session(url, 'ada')
    const eve = await session(url, 'eve')
    expect(JSON.parse(await ada('call-as-user', { ...asUser, url: backendUrl }))).toMatchObject({
      mode: '600',
      answer: { sub: 'ada', aud: 'orders' },
    })
    expect(JSON.parse(await eve('call-as-user', { ...asUser, url: backendUrl }))).toMatchObject({
      answer: { sub: 'eve', aud: 'orders' },
    })
    expect(asked.map((form) => [form.get('audience'), form.get('scope')])).toEqual([
      ['orders', 'read'],
      ['orders', 'read'],
    ])
    expect(Object.fromEntries(asked[0] ?? [])).toMatchObject({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token_type: ACCESS_TOKEN,
      requested_token_type: ACCESS_TOKEN,
    })
    expect(authorization).toBe(`Basic ${btoa('sidecar:of-the-sidecar')}`)
  })

  test('of a modern client does so, too', async () => {
    const { body, headers } = modernCall('call-as-user', { ...asUser, url: backendUrl })
    const reply = await send(url, body, { ...headers, ...(await bearer(url, 'mo')) })
    expect(JSON.parse(textOf(messageIn(reply)))).toMatchObject({ answer: { sub: 'mo' } })
  })

  test('has it in the file alone', async () => {
    const ada = await session(url, 'ada')
    expect(await ada('variable', { name: 'OUTRIGGER_TOKEN_FILE' })).toMatch(
      /\/home\/\.outrigger\/token$/,
    )
    expect(await ada('environment', {})).not.toMatch(/eyJ/)
    expect(bridge.stderr()).not.toMatch(/eyJ|of-the-sidecar/)
  })
})

test.each<[string, NonNullable<typeof answer>, string]>([
  ['refuses', (response) => void response.writeHead(400).end('{}'), 'it answered 400'],
  [
    'leads elsewhere',
    (response) => void response.writeHead(307, { location: `${backendUrl}/` }).end(),
    'redirects are not followed',
  ],
  [
    'says too much',
    (response) => void response.end(JSON.stringify({ access_token: 'x'.repeat(100_000) })),
    'longer than 65536 bytes',
  ],
  ['says nothing whole', (response) => void response.write('{'), 'nothing whole has come in time'],
  ['gives no token', says({ access_token: undefined }), 'access_token is no token'],
  ['gives two lines', says({ access_token: 'a\nb' }), 'access_token is no token'],
  ['gives a long one', says({ access_token: 'x'.repeat(20_000) }), 'longer than 16384 bytes'],
  ['gives another kind', says({ issued_token_type: 'urn:x' }), 'issued_token_type is not'],
  ['binds it to a key', says({ token_type: 'DPoP' }), 'token_type is not Bearer'],
  ['gives no end', says({ expires_in: undefined }), 'expires_in does not say'],
  ['gives one that is over', says({ expires_in: 0 }), 'expires_in does not say'],
  [
    'gives the caller’s own back',
    (response, form) => says({ access_token: form.get('subject_token') })(response, form),
    'the very one that was to be exchanged',
  ],
])('where the issuer %s there is no session, and the log says why', async (_name, bad, why) => {
  const adminPort = await freePort()
  answer = bad
  const bridge = await start({}, `--admin-port=${adminPort}`)
  try {
    const { status, text, headers } = await open(bridge.ready, 'ada')
    expect([status, headers['mcp-session-id']]).toEqual([502, undefined])
    expect(text).toContain('"code":"token-not-exchanged"')
    expect(bridge.stderr()).toContain(why)
    expect(`${text}${bridge.stderr()}`).not.toMatch(/eyJ/)
    const metrics = await adminOf(adminPort).get('/metrics')
    expect(metrics.text).toMatch(/outrigger_token_exchanges_total\{outcome="failed"\} [1-9]/)
  } finally {
    answer = undefined
    await bridge.stop()
  }
})

test('it is renewed while its session lives, and taken away where it cannot be', async () => {
  lifeSeconds = 3
  const bridge = await start()
  try {
    const ada = await session(bridge.ready, 'ada')
    const read = async () => {
      const found = await ada('call-as-user', { ...asUser, url: backendUrl })
      const said: unknown = JSON.parse(found)
      return Object(Object(said).answer).jti
    }
    let first: unknown
    await until(async () => typeof (first = await read()) === 'string', 'it is there')
    await until(async () => {
      const now: unknown = await read()
      return typeof now === 'string' && now !== first
    }, 'it is renewed')
    answer = (response) => void response.writeHead(500).end()
    await until(
      async () => (await ada('call-as-user', { ...asUser, url: backendUrl })).includes('ENOENT'),
      'it is taken away',
    )
    answer = undefined
    await until(async () => typeof (await read()) === 'string', 'it is there again')
    await until(() => bridge.stderr().includes('is taken from its processes'), 'it is told')
  } finally {
    answer = undefined
    lifeSeconds = 300
    await bridge.stop()
  }
})

test.each<[string, Readonly<Record<string, string>>, string]>([
  ['one process for all', { 'process-model': 'shared' }, 'no process is one caller'],
  ['spares', { 'spare-processes': '1', 'egress-mode': 'enforce' }, 'its caller’s from the start'],
  ['what is not listed', { 'token-exchange': 'audience=billing' }, 'audience=billing: not listed'],
  ['no service', { 'token-exchange': 'scope=read' }, 'needs an audience=NAME or a resource=URI'],
])('with %s it does not start', async (_name, settings, why) => {
  await expect(start(settings)).rejects.toThrow(why)
})
