// How a server of the pod is connected to while this process has no time: a pod's CPU limit stops it for parts of a
// second.

import { afterEach, expect, test } from '@jest/globals'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { Loopback } from '../../../sidecar/server/loopback.ts'

/** Longer than Node waits for one address of several. */
const HELD_UP_MS = 1500

const SERVER = `
const { parentPort } = require('node:worker_threads')
const server = require('node:http').createServer((request, response) => response.end('here'))
server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port))
`

let worker: Worker | undefined
afterEach(async () => {
  await worker?.terminate()
})

const holdUp = (ms: number): void => {
  const until = performance.now() + ms
  while (performance.now() < until);
}

test('a server that is there is reached, however long this process was held up', async () => {
  worker = new Worker(SERVER, { eval: true })
  const [port] = await once(worker, 'message')
  const loopback = new Loopback({ port })
  const sent = loopback.request({ method: 'GET', path: '/', headers: {} })
  const answered = once(sent, 'response')
  sent.end()
  // Node connects in this tick; what it hears of it comes after.
  holdUp(HELD_UP_MS)
  const [response] = await answered
  expect(response.statusCode).toBe(200)
  response.resume()
  loopback.close()
})
