// However a request's way ends, its client has an answer, and nothing that fails while it is told ends the process.

import { expect, test } from '@jest/globals'
import { fault } from '../../../../sidecar/mcp/faults.ts'
import { createServe } from '../../../../sidecar/pipeline/serve.ts'
import type { Stage } from '../../../../sidecar/pipeline/stage.ts'
import { anExchange } from '../../../support/fake-exchange.ts'
import { keptLog } from '../../../support/kept-log.ts'

const refused: Stage = () => fault('forbidden', 'nobody may')
const broken: Stage = () => {
  throw new Error('a stage broke')
}
const brokenLater: Stage = () => Promise.reject(new Error('a stage broke later'))
const answering: Stage = ({ reply }) => {
  reply.empty(202)
  return fault('forbidden', 'too late')
}
const mangling: Stage = ({ reply }) => {
  reply.header('x', '\n')
  return fault('forbidden', 'nobody may')
}

const noted = (): void => undefined
const failing = (): never => {
  throw new Error('the record broke')
}

/** What the client has received, whether its connection was cut, and what has failed by the log. */
const served = async (stage: Stage, onRefused: () => void) => {
  const { log, lines } = keptLog()
  const { exchange, client } = anExchange()
  exchange.request.complete = true
  const recorder = { refused: onRefused }
  const serve = createServe({ stages: [stage], log, isOpen: true, recorder })
  serve(exchange.request, exchange.reply, 0)
  const [head = ''] = (await client.received()).split('\r\n')
  const errors = lines.filter((line) => line.includes('"level":"error"'))
  return {
    head,
    isCut: exchange.request.socket.writableEnded,
    errors: errors.flatMap((line) => /Error(?: \[\w+\])?: [\w ]+/.exec(line) ?? []),
  }
}

const OK = { isCut: false, errors: [] }
const FAILED = 'HTTP/1.1 500 Internal Server Error'

test.each([
  ['is refused', refused, noted, { ...OK, head: 'HTTP/1.1 403 Forbidden' }],
  ['fails in a stage', broken, noted, { ...OK, head: FAILED, errors: ['Error: a stage broke'] }],
  [
    'fails in a stage that waits',
    brokenLater,
    noted,
    { ...OK, head: FAILED, errors: ['Error: a stage broke later'] },
  ],
  [
    'is refused, which cannot be put on record',
    refused,
    failing,
    { ...OK, head: FAILED, errors: ['Error: the record broke'] },
  ],
  [
    'is answered, and what comes then cannot be put on record',
    answering,
    failing,
    { head: 'HTTP/1.1 202 Accepted', isCut: true, errors: ['Error: the record broke'] },
  ],
  [
    'cannot be answered',
    mangling,
    noted,
    { head: '', isCut: true, errors: [expect.stringMatching(/Invalid character/)] },
  ],
])('a request that %s', async (_what, stage, onRefused, expected) => {
  expect(await served(stage, onRefused)).toEqual(expected)
})

test.each([
  ['by an id of our form', 'Ab-_'.repeat(8), 'Ab-_Ab-_'],
  ['by words of its own', 'x'.repeat(31), undefined],
  ['by words that break out of a line', `${'x'.repeat(31)}\n`, undefined],
  ['by nothing', undefined, undefined],
])('the log names the session of who is refused: %s', async (_what, id, name) => {
  const { exchange, client } = anExchange(id === undefined ? {} : { 'mcp-session-id': id })
  exchange.request.complete = true
  const serve = createServe({ stages: [refused], log: keptLog().log, isOpen: false })
  serve(exchange.request, exchange.reply, 0)
  await client.received()
  expect(exchange.reply.session).toBe(name)
})
