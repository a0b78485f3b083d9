import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { afterEach, expect, test } from '@jest/globals'
import { listen } from '../../../webhook/listener.ts'
import { sendAnswer } from '../../../webhook/send-answer.ts'

const REQUEST = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n'
/** More than the system takes for a reader who does not read. */
const MORE_THAN_FITS = { text: 'x'.repeat(32 * 1024 * 1024) }

const server = createServer()

const nextAsked = (): Promise<[IncomingMessage, ServerResponse]> =>
  new Promise((resolve) => void server.once('request', (...both) => resolve(both)))

const begin = async () => {
  const port = await listen(server, 0, '127.0.0.1')
  const asked = nextAsked()
  const asker = connect(port, '127.0.0.1', () => void asker.write(REQUEST))
  asker.on('error', () => undefined)
  const [, response] = await asked
  return { asker, response }
}

afterEach(async () => {
  server.closeAllConnections()
  if (server.listening) await new Promise((resolve) => server.close(resolve))
})

const whole = async (asker: ReturnType<typeof connect>, until: string): Promise<string> => {
  let text = ''
  asker.setEncoding('latin1')
  for await (const chunk of asker) {
    text += String(chunk)
    if (text.endsWith(until)) break
  }
  return text
}

test.each([
  ['small', 'x'],
  ['large, not all of ASCII', '🦊é'.repeat(100_000)],
])('an answer arrives whole: %s', async (_name, text) => {
  const { asker, response } = await begin()
  const sent = sendAnswer(response, { text })
  const [head = '', body = ''] = (await whole(asker, '"}')).split('\r\n\r\n')
  expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\ncontent-type: application\/json\r\n/i)
  expect(JSON.parse(Buffer.from(body, 'latin1').toString())).toEqual({ text })
  await sent
  expect(response.writableFinished).toBe(true)
})

test('whoever does not read it is cut off after a while, and no sooner', async () => {
  const { asker, response } = await begin()
  asker.pause()
  const from = performance.now()
  await sendAnswer(response, MORE_THAN_FITS, 200)
  expect(performance.now() - from).toBeGreaterThan(190)
  expect(response.writableFinished).toBe(false)
  expect(response.destroyed).toBe(true)
})

test('one that waits behind another, and does not tell of its end, is given up after a while', async () => {
  const { asker } = await begin()
  const asked = nextAsked()
  asker.write(REQUEST)
  const [, second] = await asked
  // It has no socket yet: whether its end is told is up to Node's version.
  Object.assign(second, { destroy: () => second })
  await sendAnswer(second, { text: 'behind' }, 200)
  expect(second.writableFinished).toBe(false)
})

test('of whoever has gone meanwhile, or before, nothing is waited for', async () => {
  const { asker, response } = await begin()
  const sent = sendAnswer(response, MORE_THAN_FITS, 60_000)
  asker.destroy()
  await sent
  await sendAnswer(response, { text: 'late' }, 60_000)
  expect(response.destroyed).toBe(true)
})
