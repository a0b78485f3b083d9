// Three servers behind sidecars with every feature configured, and clients that do what clients do: most of it well, some of it
// wrong, denied, too often, or the end of a server; a webhook that is asked about pods; and what a controller exposes.

import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { join } from 'node:path'
import { adminOf } from '../support/admin.ts'
import { freePort } from '../support/free-port.ts'
import { anAuthority, issue } from '../support/certificates.ts'
import { signed, signingKey, startIssuer } from '../support/issuer.ts'
import { CHECKOUT_CLI, startOutrigger, type Bridge } from '../support/outrigger-run.ts'
import {
  modernCall,
  openLegacy,
  PUPPET,
  rpc,
  toolCall,
  type LegacySession,
} from '../support/puppet.ts'
import { send } from '../support/raw-http.ts'
import { writeKeys } from '../support/workload.ts'
import { startAdmission } from './admission.ts'
import { startCompanions } from './companions.ts'
import type { Target } from './prometheus.ts'

export interface Scenario {
  readonly targets: readonly Target[]
  /** One round of everything that happens; `busy` times as many calls that are well. */
  readonly round: (busy: number) => Promise<void>
  readonly stop: () => Promise<void>
}

const POLICY = {
  version: 1,
  rules: [
    { name: 'everybody', effect: 'allow', tools: ['*'] },
    { name: 'no-process-ids', effect: 'deny', tools: ['pid'] },
  ],
}

const FAILED = '{"jsonrpc":"2.0","id":$ID,"result":{"isError":true,"content":[]}}'

/** A lock without one of the tools: as though that had come later. */
const writeLock = (path: string): void => {
  const lock = execFileSync(process.execPath, [CHECKOUT_CLI, 'tools', 'lock', '--', ...PUPPET], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  writeFileSync(path, lock.replace(/^ +seen:\n(?: {4,}.*\n)*/m, ''))
}

const flagsOf = (values: Readonly<Record<string, string>>): readonly string[] =>
  Object.entries(values).flatMap(([name, value]) => [`--${name}`, value])

const started = async (name: string, flags: readonly string[], isGuarded = false) => {
  const adminPort = await freePort()
  const bridge = await startOutrigger(PUPPET, {
    flags: ['--admin-port', `${adminPort}`, ...flags],
    isGuarded,
  })
  const labels = { namespace: 'tools', pod: `${name}-0`, mcp_server: `deployment-${name}` }
  return { bridge, admin: adminOf(adminPort), target: { adminPort, labels } }
}

const post = (url: string, agent: Agent, { body, headers }: ReturnType<typeof modernCall>) =>
  new Promise<void>((resolve, reject) => {
    const sent = request(url, { method: 'POST', agent }, (response) =>
      response.resume().on('end', resolve),
    )
    for (const [name, value] of Object.entries(headers)) sent.setHeader(name, value)
    sent.on('error', reject)
    sent.end(body)
  })

/** Whatever becomes of it: clients go on. */
const all = (calls: readonly Promise<unknown>[]): Promise<unknown> => Promise.allSettled(calls)

const calls = (session: LegacySession, busy: number): readonly Promise<unknown>[] =>
  Array.from({ length: 4 * busy }, (_, index) =>
    index % 4 === 0
      ? session.call('later', { text: 'a', ms: 15 * (index % 11) })
      : session.call('echo', { text: 'a'.repeat(100) }),
  )

const mishaps = async ({ url }: Bridge, session: LegacySession): Promise<void> => {
  await session.call('say', { lines: [FAILED], isSilent: true }).catch(() => undefined)
  for (const tool of ['pid', 'seen', 'nowhere', 'eat', 'eat']) {
    await session.post(toolCall(tool, { mebibytes: 1 }))
  }
  await send(url, rpc('ping', {}), { 'content-type': 'application/json', ...session.headers })
  const other = await openLegacy(url)
  await other.post(toolCall('exit', { code: 3 })).catch(() => undefined)
  await other.post(rpc('ping', {}))
}

/** A server whose processes have tokens of their callers'. */
const startOrders = async (folder: string) => {
  const at = (name: string): string => join(folder, name)
  const key = await signingKey('orders')
  const issuer = await startIssuer([key.publicJwk])
  const { url } = issuer
  mkdirSync(folder)
  writeFileSync(at('client-id'), 'sidecar')
  writeFileSync(at('client-secret'), 'secret')
  const config = {
    issuers: [
      {
        url,
        hosts: [{ host: new URL(url).host, reach: 'loopback' }],
        tokenExchange: { url: `${url}/token`, audiences: ['orders'] },
      },
    ],
    tokenExchangeDir: folder,
    settings: { 'token-exchange': 'audience=orders' },
  }
  writeFileSync(at('config.json'), JSON.stringify(config))
  const { bridge, target } = await started('orders', flagsOf({ config: at('config.json') }), true)
  const exp = Math.floor(Date.now() / 1000) + 3600
  const token = await signed({ iss: url, aud: bridge.url, sub: 'ada', exp }, key)
  const { body, headers } = modernCall('echo', { text: 'c' })
  return {
    target,
    /** The issuer has no such endpoint. */
    refused: () => send(bridge.url, body, { ...headers, authorization: `Bearer ${token}` }),
    stop: async () => {
      await bridge.stop()
      await issuer.close()
    },
  }
}

export const startScenario = async (folder: string): Promise<Scenario> => {
  mkdirSync(folder, { recursive: true })
  const at = (name: string): string => join(folder, name)
  writeFileSync(at('policy.yaml'), JSON.stringify(POLICY))
  writeLock(at('lock.yaml'))
  const authority = anAuthority()
  const { cert, key } = issue({ by: authority, names: ['localhost', '127.0.0.1'] })
  writeFileSync(at('tls.crt'), cert)
  writeFileSync(at('tls.key'), key)
  writeFileSync(
    at('files.yaml'),
    JSON.stringify({
      settings: { 'egress-mode': 'observe' },
      egress: { confinement: 'advisory', port: 0 },
    }),
  )
  writeKeys(at('keys'))
  writeFileSync(
    at('search.yaml'),
    JSON.stringify({
      settings: { 'egress-mode': 'enforce', 'spare-processes': '1' },
      egress: { confinement: 'advisory', port: 0 },
      replicas: { service: 'search-headless.tools.svc', keys: at('keys') },
    }),
  )
  const files = await started(
    'files',
    flagsOf({
      config: at('files.yaml'),
      'tool-policy': at('policy.yaml'),
      'tool-lock': at('lock.yaml'),
      'audit-file': at('audit.jsonl'),
      'circuit-breaker': '20/30s',
      'tool-limits': 'eat=1/m',
    }),
  )
  const search = await started(
    'search',
    flagsOf({
      config: at('search.yaml'),
      'tls-cert': at('tls.crt'),
      'tls-key': at('tls.key'),
    }),
  )
  const orders = await startOrders(at('orders'))
  const admission = await startAdmission(at('webhook'))
  const companions = await startCompanions()
  const agent = new Agent({ keepAlive: true, maxSockets: 4, ca: authority.cert })
  const session = await openLegacy(files.bridge.url)
  await session.post(rpc('tools/list', {}))
  const round = async (busy: number): Promise<void> => {
    companions.round(busy)
    const searches = Array.from({ length: busy }, () =>
      post(search.bridge.url, agent, modernCall('echo', { text: 'b' })),
    )
    await all([
      ...calls(session, busy),
      ...searches,
      mishaps(files.bridge, session),
      admission.round(busy),
      orders.refused(),
    ])
    const passing = await openLegacy(files.bridge.url)
    await all([...calls(passing, 1)])
    await passing.end()
  }
  return {
    targets: [files.target, search.target, orders.target, admission.target, companions.target],
    round,
    stop: async () => {
      agent.destroy()
      for (const { bridge } of [files, search]) await bridge.stop()
      await orders.stop()
      await admission.stop()
      await companions.stop()
    },
  }
}
