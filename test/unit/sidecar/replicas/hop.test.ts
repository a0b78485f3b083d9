// What a hop holds while it waits for its answer.

import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { mkdtempSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import { createServer, type Server } from 'node:https'
import type { ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SMALL_BYTES } from '../../../../sidecar/bytes/budget.ts'
import { Hops } from '../../../../sidecar/replicas/hops.ts'
import { keyFiles, Keyring, readKeys } from '../../../../sidecar/replicas/keys.ts'
import { aBudget } from '../../../support/budgets.ts'
import { aPassage } from '../../../support/fake-exchange.ts'
import { until, within } from '../../../support/waiting.ts'
import { writeKeys } from '../../../support/workload.ts'

let server: Server
let hops: Hops
/** Of each request that has come whole, how long its body was, and what answers it. */
let came: { readonly bytes: number; readonly answer: ServerResponse }[] = []

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'outrigger-keys-'))
  writeKeys(folder)
  const text = await keyFiles(folder).read()
  rmSync(folder, { recursive: true, force: true })
  const keys = text.ok ? readKeys(folder, () => Date.now())(text.value) : undefined
  if (!keys?.ok) throw new Error('no keys')
  const keyring = new Keyring(() => 0)
  keyring.take(keys.value)
  const { cert, key } = keys.value.pair
  server = createServer({ cert, key, ca: cert, requestCert: true }, (request, answer) => {
    let bytes = 0
    request.on('data', (piece: Buffer) => (bytes += piece.length))
    request.on('end', () => came.push({ bytes, answer }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address: AddressInfo | string | null = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('no port')
  hops = new Hops({
    keyring,
    members: { has: () => true },
    port: address.port,
    forwarded: undefined,
    now: () => 0,
    wallMs: () => 0,
  })
  hops.renew()
})
afterAll(() => {
  hops.close()
  server.closeAllConnections()
  server.close()
})

test.each([
  ['large is nobody’s any more once the other replica has it', SMALL_BYTES + 1, 0],
  ['small is kept for another try', 1000, 1000],
])('a body that is %s', async (_name, length, kept) => {
  came = []
  const budget = aBudget()
  const lease = budget.lease('bodies')
  lease.keep(length)
  const passage = { ...aPassage(), principal: { key: 'anonymous' } }
  passage.request.method = 'POST'
  const body = { bytes: Buffer.alloc(length, 'x'), lease }
  passage.body = body
  const found = hops.send(passage, '127.0.0.1', undefined)
  const { bytes, answer } = await until(() => came[0], 'the request has come')
  expect(bytes).toBe(length)
  await until(() => body.bytes.length === kept, 'it holds no more than it needs')
  expect(budget.of('bodies')).toBe(kept)
  answer.writeHead(202).end()
  expect(await within(found, () => 'the answer')).toBe('away')
})
