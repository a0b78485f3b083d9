// A connection that an API server keeps is never broken off under a request: it would ask no second time.

import { Worker } from 'node:worker_threads'
import { afterEach, beforeAll, expect, test } from '@jest/globals'
import type { Leaf } from '../../../certs/x509.ts'
import { EMPTY_INDEX } from '../../../shared/image-index.ts'
import { createLog } from '../../../shared/log.ts'
import type { JsonObject } from '../../../shared/json.ts'
import { parseClusterConfig } from '../../../webhook/cluster/config.ts'
import { createLoopbackCertificate } from '../../../webhook/embedded.ts'
import { startServer, type Webhook } from '../../../webhook/server.ts'
import { reviewOf } from '../../support/admission.ts'

const CONTAINERS = Array.from({ length: 80 }, (_, index) => ({
  name: `c${index}`,
  image: 'i',
  command: ['x'],
}))
const ANNOTATIONS = {
  'outrigger.dev/inject': 'true',
  'outrigger.dev/auth': 'none',
  'outrigger.dev/container': 'c0',
}
const LARGE: JsonObject = {
  metadata: { annotations: ANNOTATIONS },
  spec: { containers: CONTAINERS },
}
/** What a connection buffers before it counts as full. */
const FULL_BYTES = 64 * 1024
const HOLD_MS = 500

/** Asks on one connection, the second time as soon as it has the first answer, in a record for the head and one for the body. */
const ASKER = `
const { connect } = require('node:tls')
const { parentPort, workerData: { port, ca, body, flag } } = require('node:worker_threads')
const asked = new Int32Array(flag)
const head = 'POST /mutate HTTP/1.1\\r\\nhost: x\\r\\ncontent-type: application/json\\r\\ncontent-length: ' + Buffer.byteLength(body) + '\\r\\n\\r\\n'
const lengths = []
let text = ''
const socket = connect({ port, host: '127.0.0.1', ca })
const ask = () => { socket.write(head); socket.write(body) }
socket.setEncoding('latin1').on('data', (chunk) => {
  text += chunk
  const start = text.indexOf('\\r\\n\\r\\n') + 4
  const length = Number(/content-length: (\\d+)/i.exec(text)?.[1] ?? Infinity)
  if (start < 4 || text.length - start < length) return
  lengths.push(length)
  text = ''
  if (lengths.length === 2) return socket.end()
  ask()
  setTimeout(() => { Atomics.store(asked, 0, 1); Atomics.notify(asked, 0) }, 20)
})
socket.on('error', (error) => lengths.push(error.code))
socket.on('close', () => parentPort.postMessage(lengths))
socket.on('secureConnect', ask)
`

let certificate: Leaf
let webhook: Webhook | undefined

beforeAll(async () => {
  certificate = await createLoopbackCertificate()
}, 60_000)

afterEach(async () => {
  await webhook?.close()
  webhook = undefined
})

test('a request that comes while the answer before it is still being written is answered', async () => {
  const flag = new SharedArrayBuffer(4)
  const config = parseClusterConfig({ sidecar: { image: 'x' }, floor: { allowAnonymous: true } })
  if (!config.ok) throw new Error(config.error.join())
  webhook = await startServer({
    config: () => config.value,
    images: () => EMPTY_INDEX,
    // As behind another review's turn.
    namespaces: {
      get: (name) =>
        new Promise((resolve) => setImmediate(resolve, { name, labels: {}, annotations: {} })),
    },
    certificate,
    host: '127.0.0.1',
    port: 0,
    adminPort: 0,
    // Is called when an answer has been written: nothing else is done until the next request has come.
    log: createLog({
      level: 'info',
      write: () => void Atomics.wait(new Int32Array(flag), 0, 0, HOLD_MS),
      now: Date.now,
    }),
    drainDelayMs: 0,
    now: () => performance.now(),
  })
  const asker = new Worker(ASKER, {
    eval: true,
    workerData: {
      port: webhook.port,
      ca: certificate.authorityPem,
      body: JSON.stringify(reviewOf(LARGE)),
      flag,
    },
  })
  const lengths = await new Promise((resolve, reject) => {
    asker.once('message', resolve)
    asker.once('error', reject)
  })
  const answers: readonly unknown[] = Array.isArray(lengths) ? lengths : []
  expect(answers).toHaveLength(2)
  expect(answers[0]).toBeGreaterThan(FULL_BYTES)
  expect(answers[1]).toBe(answers[0])
})
