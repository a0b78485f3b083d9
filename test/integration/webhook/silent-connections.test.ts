// Connections on which nobody asks anything: they keep no API server out, and what it keeps stays.

import { once } from 'node:events'
import { Agent as PlainAgent, request as requestPlain, type RequestOptions } from 'node:http'
import { Agent as TlsAgent, request as requestTls } from 'node:https'
import { connect as connectPlain, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { afterEach, expect, test } from '@jest/globals'
import { createLoopbackCertificate } from '../../../webhook/embedded.ts'
import { createPlainServer, createTlsServer } from '../../../webhook/listener.ts'
import { listening } from '../../support/listening.ts'
import { until, within } from '../../support/waiting.ts'

const ROOM = 8
const UNASKED = ROOM / 2

const certificate = await createLoopbackCertificate()
const ca = certificate.authorityPem ?? ''

const answer = (_request: unknown, response: { end: (text: string) => unknown }): void => {
  response.end('answered')
}

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

interface Kind {
  readonly isTls: boolean
  /** What each of the crowd does. */
  readonly comes: (port: number) => Promise<Socket>
}

const opened = async (socket: Socket, event: string): Promise<Socket> => {
  await within(once(socket, event), () => 'a connection')
  return socket
}
const plain = (port: number): Promise<Socket> => opened(connectPlain(port, '127.0.0.1'), 'connect')
const overTls = (port: number): Promise<Socket> =>
  opened(connectTls({ port, host: '127.0.0.1', ca }), 'secureConnect')
const saying =
  (connected: Kind['comes'], text: string): Kind['comes'] =>
  async (port) => {
    const socket = await connected(port)
    socket.write(text)
    return socket
  }

const HALF = 'POST /mutate HTTP/1.1\r\nHo'
const KINDS: readonly (readonly [what: string, kind: Kind])[] = [
  ['that does not shake hands', { isTls: true, comes: plain }],
  ['that begins to shake hands', { isTls: true, comes: saying(plain, '\x16\x03\x01') }],
  ['that has shaken hands and says nothing', { isTls: true, comes: overTls }],
  ['that has said half of a head', { isTls: true, comes: saying(overTls, HALF) }],
  ['that says nothing to the admin port', { isTls: false, comes: plain }],
  ['that says half of a head to it', { isTls: false, comes: saying(plain, HALF) }],
]

const start = async ({ isTls, comes }: Kind) => {
  const server = isTls ? createTlsServer(answer, certificate) : createPlainServer(answer)
  server.maxConnections = ROOM
  const port = await listening(server)
  const terms = { keepAlive: true, maxSockets: 1 }
  const agent = isTls ? new TlsAgent(terms) : new PlainAgent(terms)
  closing.push(() => {
    agent.destroy()
    server.close()
    server.closeAllConnections()
  })
  /** What an API server asks on the connection that it keeps: the answer, and whether it was there before. */
  const ask = (): Promise<readonly [string, boolean]> =>
    new Promise((resolve, reject) => {
      const options: RequestOptions = { port, host: '127.0.0.1', method: 'POST', agent }
      const asked = isTls ? requestTls({ ...options, ca }) : requestPlain(options)
      asked.on('error', reject).on('response', (response) => {
        let text = ''
        response.on('data', (piece: Buffer) => (text += piece.toString()))
        response.on('end', () => resolve([text, asked.reusedSocket]))
      })
      asked.end()
    })
  /** They come one by one: each has its place, or another has lost it, before the next. */
  const crowd = async (): Promise<readonly boolean[]> => {
    const over: boolean[] = []
    for (let at = 0; at < 3 * ROOM; at++) {
      const socket = await comes(port)
      over.push(false)
      closing.push(() => socket.destroy())
      socket.on('error', () => undefined).on('close', () => (over[at] = true))
      socket.resume()
      const open = (): number => over.filter((isOver) => !isOver).length
      await until(() => open() === Math.min(over.length, UNASKED), `${UNASKED} are open`)
    }
    return over
  }
  return { ask, crowd }
}

test.each(KINDS)(
  'a crowd %s keeps nobody out: who has waited longest goes',
  async (_what, kind) => {
    const { ask, crowd } = await start(kind)
    const over = await crowd()
    expect(over).toEqual(over.map((_, at) => at < over.length - UNASKED))
    expect(await within(ask(), () => 'an answer')).toEqual(['answered', false])
  },
)

test.each(KINDS)('what was answered stays, beside a crowd %s', async (_what, kind) => {
  const { ask, crowd } = await start(kind)
  expect(await ask()).toEqual(['answered', false])
  await crowd()
  expect(await within(ask(), () => 'an answer')).toEqual(['answered', true])
})
