// Whoever is not a replica of this workload, or is one and says what is not so: nothing is served, nobody else's session is
// reached, and nothing is dialled that the Service does not name.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { randomBytes, randomInt } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { addressOf } from '../../../shared/address.ts'
import { REPLICA_PORT } from '../../../shared/names.ts'
import { mintId } from '../../../sidecar/replicas/identifier.ts'
import { readKeys, keyFiles, type Keys } from '../../../sidecar/replicas/keys.ts'
import { digestOf, VOUCHER_HEADER, writeVoucher } from '../../../sidecar/replicas/voucher.ts'
import { issue, type Issued } from '../../support/certificates.ts'
import { signed, signingKey, startIssuer, type FakeIssuer } from '../../support/issuer.ts'
import { openLegacy, rpc, toolCall, type LegacySession } from '../../support/puppet.ts'
import { JSON_HEADERS, send, type RawHeaders } from '../../support/raw-http.ts'
import { holderOf, Workload, type Replica } from '../../support/workload.ts'

const keysIn = async (folder: string): Promise<Keys> => {
  const text = await keyFiles(folder).read()
  const keys = text.ok ? readKeys(folder, () => Date.now())(text.value) : undefined
  if (!keys?.ok) throw new Error('no keys')
  return keys.value
}

const idAt = (address: string, { ids }: Keys): string => {
  const bytes = addressOf(address)
  if (!bytes) throw new Error(`${address} is no address`)
  return mintId(ids, bytes, randomBytes)
}

describe('an id', () => {
  let ours: Workload
  let theirs: Workload
  let trap: Server
  let connections = 0
  // Of its own, beside another run on this machine, and outside the networks of workloads.
  const trapped = `127.250.${randomInt(1, 250)}.${randomInt(1, 250)}`

  beforeAll(async () => {
    ours = await new Workload().begin(2)
    theirs = await new Workload().begin(1)
    trap = createServer((socket) => {
      connections++
      socket.destroy()
    })
    trap.listen(REPLICA_PORT, trapped)
    await once(trap, 'listening')
  })
  afterAll(async () => {
    trap.close()
    await ours.stop()
    await theirs.stop()
  })

  const callWith = (id: string) =>
    send(ours.url, toolCall('pid'), { ...JSON_HEADERS, 'mcp-session-id': id })

  test('that somebody has made up is unknown, and counted', async () => {
    const [replica] = ours.all
    const name = 'outrigger_replica_hops_total{result="forged"}'
    const before = (await replica?.metric(name)) ?? 0
    const id = randomBytes(36).toString('base64url')
    const headers = { ...JSON_HEADERS, 'mcp-session-id': id }
    expect((await send(replica?.url ?? '', toolCall('pid'), headers)).status).toBe(404)
    expect(await replica?.metric(name)).toBe(before + 1)
  })

  test('of another workload is unknown', async () => {
    const [replica] = theirs.all
    const { id } = await openLegacy(replica?.url ?? '')
    expect((await callWith(id)).status).toBe(404)
  })

  test.each([
    ['the metadata service', '169.254.169.254'],
    ['who listens there and is none of ours', trapped],
    ['an address of IPv6', 'fd00:ec2::254'],
  ])('that names %s leads nowhere, though its key is right', async (_name, address) => {
    const id = idAt(address, await keysIn(ours.keys))
    expect((await callWith(id)).status).toBe(404)
    expect((await callWith(id)).status).toBe(404)
    expect(connections).toBe(0)
  })

  test('that names a pod of another workload, which the Service names, is not believed there', async () => {
    const [other] = theirs.all
    const address = other?.address ?? ''
    const id = idAt(address, await keysIn(ours.keys))
    ours.named.add(address)
    try {
      expect((await callWith(id)).status).toBe(404)
    } finally {
      ours.named.delete(address)
    }
    for (const result of ['taken', 'refused']) {
      expect(await other?.metric(`outrigger_replica_vouchers_total{result="${result}"}`)).toBe(0)
    }
  })

  test('that names somebody who speaks no TLS, and whom the Service names, leads nowhere', async () => {
    const id = idAt(trapped, await keysIn(ours.keys))
    ours.named.add(trapped)
    try {
      expect((await callWith(id)).status).toBe(404)
    } finally {
      ours.named.delete(trapped)
    }
    expect(connections).toBeGreaterThan(0)
  })
})

describe('what comes to the port for replicas', () => {
  let workload: Workload
  let session: LegacySession
  let holder: Replica
  let other: Replica
  let keys: Keys
  let own: Issued

  beforeAll(async () => {
    workload = await new Workload().begin(2)
    const [first, second] = workload.all
    if (!first || !second) throw new Error('there are two')
    ;[holder, other] = [first, second]
    session = await openLegacy(holder.url)
    keys = await keysIn(workload.keys)
    own = {
      cert: readFileSync(join(workload.keys, 'tls.crt'), 'utf8'),
      key: readFileSync(join(workload.keys, 'tls.key'), 'utf8'),
    }
  })
  afterAll(() => workload.stop())

  type Told = { readonly status: number; readonly text: string }

  /** As a replica with this certificate sends it. */
  const sendTo = (
    to: Replica,
    body: string,
    headers: RawHeaders,
    shown: object = own,
  ): Promise<Told> =>
    new Promise((resolve, reject) => {
      const sent = request(
        {
          host: to.address,
          port: REPLICA_PORT,
          path: '/mcp',
          method: 'POST',
          rejectUnauthorized: false,
          agent: false,
          ...shown,
        },
        (answer) => {
          const pieces: Buffer[] = []
          answer.on('data', (piece: Buffer) => pieces.push(piece))
          answer.on('error', reject)
          answer.on('end', () =>
            resolve({
              status: answer.statusCode ?? 0,
              text: Buffer.concat(pieces).toString(),
            }),
          )
        },
      )
      for (const [name, value] of Object.entries(headers)) sent.setHeader(name, value)
      sent.on('error', reject)
      sent.end(body)
    })

  const CALL = toolCall('echo', { text: 'reached' })

  const voucherFor = (more: object = {}, by = keys.vouchers): string =>
    writeVoucher(by, {
      principal: { key: 'anonymous' },
      leftMs: undefined,
      to: holder.address,
      atMs: Date.now(),
      nonce: randomBytes(16).toString('base64url'),
      digest: digestOf({
        method: 'POST',
        path: '/mcp',
        session: session.id,
        lastEventId: undefined,
        body: Buffer.from(CALL),
      }),
      ...more,
    })

  const headersWith = (voucher: string): RawHeaders => ({
    ...JSON_HEADERS,
    ...session.headers,
    [VOUCHER_HEADER]: voucher,
  })

  test('with everything right is served, once', async () => {
    const headers = headersWith(voucherFor())
    expect((await sendTo(holder, CALL, headers)).text).toContain('reached')
    const again = await sendTo(holder, CALL, headers)
    expect(again.status).toBe(404)
    expect(await holder.metric('outrigger_replica_vouchers_total{result="used"}')).toBe(1)
  })

  test('of a caller of whom much is to be said is served', async () => {
    const groups = Array.from({ length: 600 }, (_, number) => `group ${number} `.padEnd(40, 'x'))
    const identity = { issuer: 'a', subject: 'b', scopes: [], groups, actors: [] }
    const voucher = voucherFor({ principal: { key: 'anonymous', identity } })
    expect(voucher.length).toBeGreaterThan(32 * 1024)
    expect((await sendTo(holder, CALL, headersWith(voucher))).text).toContain('reached')
  })

  test.each<[string, () => RawHeaders, () => Replica, string]>([
    ['without a voucher', () => ({ ...JSON_HEADERS, ...session.headers }), () => holder, CALL],
    ['with a voucher for another replica', () => headersWith(voucherFor()), () => other, CALL],
    [
      'with a voucher for another body',
      () => headersWith(voucherFor()),
      () => holder,
      toolCall('pid'),
    ],
    [
      'with a voucher of a while ago',
      () => headersWith(voucherFor({ atMs: Date.now() - 120_000 })),
      () => holder,
      CALL,
    ],
    [
      'with a voucher that others have signed',
      () => headersWith(voucherFor({}, Buffer.alloc(32, 7))),
      () => holder,
      CALL,
    ],
    [
      'with a voucher for another caller',
      () => headersWith(voucherFor({ principal: { key: 'somebody' } })),
      () => holder,
      CALL,
    ],
    [
      'with the token of a client in its place',
      () => ({ ...JSON_HEADERS, ...session.headers, authorization: 'Bearer x' }),
      () => holder,
      CALL,
    ],
    [
      'that belongs to a third, which nobody sends on',
      () => headersWith(voucherFor({ to: other.address })),
      () => other,
      CALL,
    ],
  ])('%s is not served', async (_name, headers, to, body) => {
    const { status, text } = await sendTo(to(), body, headers())
    expect(status).toBe(404)
    expect(text).not.toContain('reached')
  })

  test.each<[string, () => object]>([
    ['shows no certificate', () => ({})],
    ['shows another certificate', () => issue({ commonName: 'replicas' })],
    [
      'shows one that the workload’s has signed',
      () => issue({ commonName: 'replicas', by: own, key: own.key }),
    ],
    ['speaks TLS 1.2', () => ({ ...own, maxVersion: 'TLSv1.2' })],
  ])('who %s is not let in', async (_name, shown) => {
    const headers = headersWith(voucherFor())
    await expect(sendTo(holder, CALL, headers, shown())).rejects.toThrow()
  })

  test('and who speaks plain HTTP is told', async () => {
    const url = `http://${holder.address}:${REPLICA_PORT}/mcp`
    const { status, text } = await send(url, CALL, headersWith(voucherFor()))
    expect(status).toBe(400)
    expect(text).toContain('tls-required')
  })
})

describe('with callers who are known', () => {
  let workload: Workload
  let issuer: FakeIssuer
  let bearerOf: (sub: string, seconds?: number) => Promise<RawHeaders>

  beforeAll(async () => {
    const key = await signingKey('one')
    issuer = await startIssuer([key.publicJwk])
    const { host } = new URL(issuer.url)
    workload = await new Workload({
      document: {
        settings: { auth: 'oidc' },
        issuers: [{ url: issuer.url, audiences: ['here'], hosts: [{ host, reach: 'loopback' }] }],
      },
    }).begin(2)
    bearerOf = async (sub, seconds = 300) => {
      const now = Math.floor(Date.now() / 1000)
      const claims = { iss: issuer.url, sub, aud: 'here', iat: now, exp: now + seconds }
      return { ...JSON_HEADERS, authorization: `Bearer ${await signed(claims, key)}` }
    }
  })
  afterAll(async () => {
    await workload.stop()
    await issuer.close()
  })

  const initialize = rpc('initialize', {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'test', version: '1' },
  })

  test('a session is its caller’s at every replica, and nobody else’s', async () => {
    const [first, second] = workload.all
    const ada = await bearerOf('ada')
    const opened = await send(first?.url ?? '', initialize, ada)
    const id = String(opened.headers['mcp-session-id'])
    expect(holderOf(id)).toBe(first?.address)
    const call = toolCall('echo', { text: 'for ada' })
    const by = (headers: RawHeaders) =>
      send(second?.url ?? '', call, { ...headers, 'mcp-session-id': id })
    expect((await by(ada)).text).toContain('for ada')
    const { status, text } = await by(await bearerOf('bob'))
    expect([status, text.includes('for ada')]).toEqual([404, false])
    expect((await by(JSON_HEADERS)).status).toBe(401)
    expect((await by({ ...ada, authorization: 'Bearer x' })).status).toBe(401)
  })
})
