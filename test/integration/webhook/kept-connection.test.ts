// A connection that an API server keeps is never broken off under a request: it would ask no second time.

import { Agent, request } from 'node:https'
import { expect, test } from '@jest/globals'
import { createLog } from '../../../shared/log.ts'
import type { JsonObject } from '../../../shared/json.ts'
import { createTlsServer } from '../../../webhook/listener.ts'
import { MAX_AGE_MS } from '../../../webhook/review-queue.ts'
import type { Webhook } from '../../../webhook/server.ts'
import { reviewOf } from '../../support/admission.ts'
import { askTwice } from '../../support/ask-twice.ts'
import { eachWebhook } from '../../support/loopback-webhook.ts'

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

const { certificate, start } = eachWebhook()

test('a request that comes while the answer before it is still being written is answered', async () => {
  const flag = new SharedArrayBuffer(4)
  const { port } = await start({
    // As behind another review's turn.
    namespaces: {
      get: (name) =>
        new Promise((resolve) => setImmediate(resolve, { name, labels: {}, annotations: {} })),
    },
    // Is called when an answer has been written: nothing else is done until the next request has come.
    log: createLog({
      level: 'info',
      write: () => void Atomics.wait(new Int32Array(flag), 0, 0, HOLD_MS),
      now: Date.now,
    }),
  })
  const body = JSON.stringify(reviewOf(LARGE))
  const answers = await askTwice({
    port,
    ca: certificate().authorityPem,
    body,
    flag,
    path: '/mutate',
  })
  expect(answers).toHaveLength(2)
  expect(answers[0]).toBeGreaterThan(FULL_BYTES)
  expect(answers[1]).toBe(answers[0])
})

/** Asks on an agent's connection; a body without a length comes in chunks. */
const ask = ({ port }: Webhook, agent: Agent, body: readonly string[]) => {
  const ca = certificate().authorityPem
  const headers = { 'content-type': 'application/json' }
  const url = `https://127.0.0.1:${port}/mutate`
  const outgoing = request(url, { method: 'POST', agent, ca, headers })
  const reply = new Promise<readonly [number | undefined, boolean]>((resolve, reject) => {
    outgoing.on('error', reject).on('response', (response) => {
      response.resume().on('end', () => resolve([response.statusCode, outgoing.reusedSocket]))
    })
  })
  for (const part of body) outgoing.write(part)
  return { outgoing, reply }
}

test('what is left of a review that is refused as it comes does not hold up the next one', async () => {
  const server = await start()
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const large = ask(
    server,
    agent,
    Array.from({ length: 8 }, () => ' '.repeat(1024 * 1024)),
  )
  large.outgoing.end()
  expect(await large.reply).toEqual([413, false])
  const next = ask(server, agent, [JSON.stringify(reviewOf(LARGE))])
  next.outgoing.end()
  expect(await next.reply).toEqual([200, true])
  agent.destroy()
})

test('a review that takes too long to come is told so', async () => {
  const lines: string[] = []
  const log = createLog({ level: 'warn', write: (line) => void lines.push(line), now: Date.now })
  const server = await start({ log })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const slow = ask(server, agent, ['{"request":'])
  expect(await slow.reply).toEqual([503, false])
  // The API server waits for 5 s.
  expect(MAX_AGE_MS).toBeLessThanOrEqual(3000)
  // Nobody else was there.
  expect(lines.join('')).toContain('the review took too long to come')
  slow.outgoing.end()
  agent.destroy()
})

test('API servers alone end connections, also those that they have asked nothing on', () => {
  // Theirs are ended after 90 s, some of which were opened for a request that found another one first.
  const { keepAliveTimeout, headersTimeout } = createTlsServer(() => undefined, certificate())
  expect(keepAliveTimeout).toBeGreaterThan(90_000)
  expect(headersTimeout).toBeGreaterThan(90_000)
})
