// Workloads whose handshake is under way when the authorities change: it goes on by those of its beginning, and lets in nobody
// by one that has gone.

import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttp } from 'node:http'
import { request } from 'node:https'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLog } from '../../../shared/log.ts'
import { fail } from '../../../shared/result.ts'
import { parseSidecarConfig } from '../../../shared/sidecar-config.ts'
import { closed, type Listener } from '../../../sidecar/http/listen.ts'
import { Bundles } from '../../../sidecar/identity/bundles.ts'
import { Svids } from '../../../sidecar/identity/svids.ts'
import { loadTls, type Tls } from '../../../sidecar/tls/load-tls.ts'
import { anAuthority, issue, type Issued } from '../../support/certificates.ts'
import { fakeMetrics } from '../../support/fake-metrics.ts'
import { listening } from '../../support/listening.ts'
import { until } from '../../support/waiting.ts'

const ID = 'spiffe://example.org/ns/tools/sa/agent'
const HOUR_MS = 3_600_000

const authority = anAuthority('example.org')
const next = anAuthority('example.org, next')
const between = anAuthority('between', { by: authority })
const own = issue({ names: ['127.0.0.1'], by: authority })
const near = issue({ uris: [ID], by: authority })
const leaf = issue({ uris: [ID], by: between })
const far = { ...leaf, cert: leaf.cert + between.cert }

let folder: string
let svids: Svids
let bundles: Bundles
let tls: Tls | undefined
let listener: Listener
let way: Awaited<ReturnType<typeof slowWay>>

const put = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(`${path}.new`, text)
  renameSync(`${path}.new`, path)
  return path
}

/** A way to the listener, on which a client's words stay as soon as the server has said its first, until they may go on. */
const slowWay = async (to: number) => {
  const held: (() => void)[] = []
  const sockets: Socket[] = []
  let hasBegun = false
  let isOpen = false
  const server = createServer((client) => {
    const onward = connect(to, '127.0.0.1')
    sockets.push(client, onward)
    onward.on('data', (bytes) => {
      hasBegun = true
      client.write(bytes)
    })
    client.on('data', (bytes) => {
      const go = (): boolean => onward.write(bytes)
      if (hasBegun && !isOpen) held.push(go)
      else go()
    })
    for (const [one, other] of [
      [client, onward],
      [onward, client],
    ] as const) {
      one.on('error', () => one.destroy())
      one.on('close', () => other.destroy())
    }
  })
  return {
    port: await listening(server),
    isHeld: () => held.length > 0,
    open: () => {
      isOpen = true
      for (const go of held.splice(0)) go()
    },
    close: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

const begin = async (bundle: string): Promise<void> => {
  const bundleFile = put('bundle.pem', bundle)
  const config = parseSidecarConfig({
    tls: { certFile: put('tls.crt', own.cert), keyFile: put('tls.key', own.key) },
    trustDomains: [{ name: 'example.org', ids: [ID], bundleFile }],
  })
  if (!config.ok) throw new Error(config.error.join('\n'))
  const log = createLog({ level: 'error', write: () => undefined, now: () => 0 })
  const wallMs = Date.now
  const { trustDomains } = config.value
  const now = () => performance.now()
  const fetchJson = async () => fail('nothing is fetched')
  bundles = await Bundles.open(trustDomains, { fetchJson, now, log })
  svids = new Svids({ now, wallMs, bundles, areAlone: true })
  bundles.follow()
  const { metrics } = fakeMetrics()
  const parts = { log, wallMs, metrics, onFreed: () => undefined, handshakeMs: HOUR_MS }
  tls = await loadTls(config.value, parts, svids)
  const http = createHttp((asked, answer) => answer.end(svids.of(asked.socket).ok ? 'served' : ''))
  if (!tls) throw new Error('there is no TLS')
  listener = tls.before(http)
  way = await slowWay(await listening(listener))
}

const call = (by: Issued): Promise<string> =>
  new Promise((resolve) => {
    const to = { host: '127.0.0.1', port: way.port, ca: authority.cert, agent: false }
    const asked = request({ ...to, ...by }, (answer) => {
      answer.setEncoding('utf8').on('data', resolve)
      answer.on('error', () => resolve('cut off'))
    })
    asked.on('error', () => resolve('cut off'))
    asked.end()
  })

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'outrigger-begun-'))
})
afterEach(async () => {
  bundles.close()
  tls?.close()
  way.close()
  await closed(listener, 0)
  rmSync(folder, { recursive: true })
})

const [both, old, young] = [authority.cert + next.cert, authority.cert, next.cert]

test.each([
  {
    name: 'is cut off where its authority goes',
    by: far,
    before: old,
    after: young,
    becomes: 'cut off',
  },
  {
    name: 'is cut off where its authority goes and others stay',
    by: far,
    before: both,
    after: young,
    becomes: 'cut off',
  },
  {
    name: 'is cut off where its own authority goes, seen',
    by: near,
    before: both,
    after: young,
    becomes: 'cut off',
  },
  {
    name: 'is served where one comes beside its authority',
    by: far,
    before: old,
    after: both,
    becomes: 'served',
  },
  {
    name: 'is served where another goes, and its own is seen',
    by: near,
    before: both,
    after: old,
    becomes: 'served',
  },
])('a workload that is shaking hands $name', async ({ by, before, after, becomes }) => {
  await begin(before)
  const answer = call(by)
  await until(way.isHeld, 'a handshake that is under way')
  put('bundle.pem', after)
  await until(() => svids.authorities === after, 'other authorities')
  way.open()
  expect(await answer).toBe(becomes)
})
