// A connection over TLS that a client keeps is not broken off under the next call.

import { createServer } from 'node:http'
import { afterEach, expect, test } from '@jest/globals'
import { readKeyPair } from '../../../shared/key-pair.ts'
import { Doorway } from '../../../sidecar/tls/doorway.ts'
import { createLoopbackCertificate } from '../../../webhook/embedded.ts'
import { askTwice } from '../../support/ask-twice.ts'

/** More than a connection buffers before it counts as full, and little enough to be written at once. */
const ANSWER = Buffer.alloc(76_924, 'x')
const HOLD_MS = 500

let doorway: Doorway | undefined

afterEach(() => {
  doorway?.closeAllConnections()
  doorway?.close()
  doorway = undefined
})

test('a call that comes while the answer before it is still being written is answered', async () => {
  const flag = new SharedArrayBuffer(4)
  const http = createServer((request, response) => {
    request.on('end', async () => {
      // As behind another call's turn; nothing else is done until the next call has come.
      await new Promise((resolve) => setImmediate(resolve))
      response.setHeader('content-length', ANSWER.length)
      response.end(ANSWER)
      Atomics.wait(new Int32Array(flag), 0, 0, HOLD_MS)
    })
    request.resume()
  })
  const {
    certificatePem: cert,
    privateKeyPem: key,
    authorityPem,
  } = await createLoopbackCertificate()
  const pair = readKeyPair({ cert, key }, { certFile: 'c', keyFile: 'k' }, Date.now())
  if (!pair.ok) throw new Error(pair.error.join())
  const unheard = () => undefined
  doorway = new Doorway({
    http,
    pair: pair.value,
    onHandshake: unheard,
    onName: unheard,
    onFreed: unheard,
  })
  const { port } = await new Promise<{ port: number }>((resolve) => {
    doorway?.listen(0, '127.0.0.1', () => resolve(Object(doorway?.address())))
  })
  const body = JSON.stringify({ jsonrpc: '2.0', text: 'x'.repeat(4000) })
  const answers = await askTwice({ port, ca: authorityPem, path: '/mcp', body, flag })
  expect(answers).toEqual([ANSWER.length, ANSWER.length])
})
