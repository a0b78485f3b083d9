import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { describe, expect, test } from '@jest/globals'
import { openLogs, type Logs } from '../../../../sidecar/telemetry/otlp-logs.ts'
import { until } from '../../../support/waiting.ts'

const PATIENT_MS = 60_000
const ENTRY = { timeMs: 0, body: '{}', event: 'e', attributes: {}, trace: undefined }

/** A collector that answers so, and what it was sent. */
const sendTo = async (
  answer: (response: ServerResponse) => void,
  answerMs: number,
  act: (logs: Logs) => Promise<void>,
): Promise<void> => {
  const server = createServer((request, response) => {
    request.resume().on('end', () => answer(response))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  const endpoint = `http://127.0.0.1:${port}`
  const logs = openLogs({ endpoint, resource: {}, answerMs })
  try {
    await act(logs)
  } finally {
    server.closeAllConnections()
    await logs.close()
    server.close()
  }
}

describe('a collector has what it was sent', () => {
  test.each<[string, (response: ServerResponse) => void, string | undefined]>([
    ['that says so', (response) => void response.end(), undefined],
    [
      'but not one whose 200 breaks off',
      (response) => {
        response.writeHead(200, { 'content-length': 10 })
        response.write('abc', () => response.destroy())
      },
      'its answer breaks off',
    ],
    [
      'nor one that says something else',
      (response) => void response.end('<html>'),
      'what it answers is no OTLP',
    ],
    ['nor one that refuses', (response) => void response.writeHead(400).end(), 'it answers 400'],
  ])('%s', async (_what, answer, why) => {
    await sendTo(answer, PATIENT_MS, async (logs) => {
      const outcome = await logs.send([ENTRY]).catch(String)
      if (why === undefined) expect(outcome).toEqual({ count: 0, why: '' })
      else expect(outcome).toContain(why)
    })
  })
})

test('answers that drip are ended: they take no place of the next, however many there were', async () => {
  const dripping = new Set<ServerResponse>()
  let isWell = false
  const answer = (response: ServerResponse): void => {
    if (isWell) {
      response.end()
      return
    }
    const more = setInterval(() => response.write('.'), 10)
    dripping.add(response)
    response.on('close', () => {
      clearInterval(more)
      dripping.delete(response)
    })
  }
  const TAKEN = 'it has been taken'
  const send = (logs: Logs): Promise<string> => logs.send([ENTRY]).then(() => TAKEN, String)
  const ended = /its answer (?:does not end|breaks off)$/
  await sendTo(answer, 100, async (logs) => {
    // As many as the exporter lets be under way at once.
    const told = await Promise.all(Array.from({ length: 30 }, () => send(logs)))
    expect(told.filter((one) => !ended.test(one))).toEqual([])
    await until(() => dripping.size === 0, 'the end of what dripped')
    isWell = true
    // On a busy machine its answer, too, may come too late, and the exporter counts the last ones for a while.
    await until(async () => (await send(logs)) === TAKEN, 'the next to be taken')
  })
})
