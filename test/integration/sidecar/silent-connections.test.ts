// Connections that somebody keeps for later and has asked nothing on: they live as long as those that were answered, keep
// nobody out, and who has begun to speak has no longer than before.

import { once } from 'node:events'
import { connect as connectPlain, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { afterEach, describe, expect, test } from '@jest/globals'
import { readKeyPair } from '../../../shared/key-pair.ts'
import { createListener, type Times } from '../../../sidecar/http/listener.ts'
import type { Listener } from '../../../sidecar/http/listen.ts'
import { Doorway } from '../../../sidecar/tls/doorway.ts'
import { createLoopbackCertificate } from '../../../webhook/embedded.ts'
import { aBudget } from '../../support/budgets.ts'
import { keptRemarks } from '../../support/kept-remarks.ts'
import { listening } from '../../support/listening.ts'
import { until, within } from '../../support/waiting.ts'

const unheard = (): void => undefined

const httpWith = (times: Partial<Times>) =>
  createListener({
    serve: (request, reply) => {
      const pieces: Buffer[] = []
      request.on('data', (piece: Buffer) => pieces.push(piece))
      request.on('end', () => reply.json(`${Buffer.concat(pieces).length}`))
    },
    isAllowedOrigin: () => false,
    now: () => 0,
    peers: { add: unheard },
    budget: aBudget(),
    watch: { faulted: unheard, cutOff: unheard },
    isDraining: () => false,
    remarks: keptRemarks(),
    times,
  })

const pair = await createLoopbackCertificate()

const doorwayWith = (times: Partial<Times>): Listener => {
  const { certificatePem: cert, privateKeyPem: key } = pair
  const read = readKeyPair({ cert, key }, { certFile: 'c', keyFile: 'k' }, Date.now())
  if (!read.ok) throw new Error(read.error.join())
  return new Doorway({
    http: httpWith(times),
    keptMs: times.keptMs,
    pair: read.value,
    onHandshake: unheard,
    onName: unheard,
    onFreed: unheard,
  })
}

interface Kind {
  readonly serve: (times: Partial<Times>) => Listener
  readonly open: (port: number) => Socket
  readonly opened: string
}

const KINDS: readonly (readonly [name: string, kind: Kind])[] = [
  [
    'plain HTTP',
    {
      serve: httpWith,
      open: (port) => connectPlain(port, '127.0.0.1'),
      opened: 'connect',
    },
  ],
  [
    'TLS',
    {
      serve: doorwayWith,
      open: (port) => connectTls({ port, host: '127.0.0.1', ca: pair.authorityPem ?? '' }),
      opened: 'secureConnect',
    },
  ],
]

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

/** A connection that somebody keeps, and what it has heard. */
class Kept {
  text = ''
  isOver = false
  readonly socket: Socket

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (piece: Buffer) => (this.text += piece.toString('latin1')))
    socket.on('error', unheard).on('close', () => (this.isOver = true))
    closing.push(() => socket.destroy())
  }
}

const SLOW_HEAD_MS = 100

describe.each(KINDS)('over %s', (_name, { serve, open, opened }) => {
  const start = async (times: Partial<Times> = {}) => {
    const listener = serve({ headMs: 20_000, checkMs: 20, ...times })
    closing.push(() => {
      listener.close()
      listener.closeAllConnections()
    })
    const port = await listening(listener)
    const connected = async (): Promise<Kept> => {
      const socket = open(port)
      const kept = new Kept(socket)
      await within(once(socket, opened), () => 'a connection')
      return kept
    }
    return { listener, connected }
  }

  const POST = 'POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\n'
  const asking = (body: string): string => `${POST}Content-Length: ${body.length}\r\n\r\n${body}`
  const answers = (kept: Kept): readonly string[] =>
    [...kept.text.matchAll(/HTTP\/1\.1 (\d+)[^]*?\r\n\r\n(\d*)/g)].map(
      ([, status, body]) => `${status} ${body}`,
    )
  const answered = (kept: Kept, many: number): Promise<unknown> =>
    until(() => answers(kept).length >= many, `${many} answers`)

  test.each<[string, string]>([
    ['has said half of a head', 'POST /mcp HTTP/1.1\r\nHo'],
    ['has said one byte', 'P'],
    ['asks again, and only half', `${asking('x')}POST /mcp HTT`],
  ])('who %s is ended; who keeps silent is there still', async (_what, half) => {
    const { connected } = await start({ headMs: SLOW_HEAD_MS })
    const silent = await connected()
    const slow = await connected()
    slow.socket.write(half)
    await until(() => slow.isOver, 'the slow one is ended')
    expect(slow.text).toMatch(/HTTP\/1\.1 408 /)
    silent.socket.write(asking('hello'))
    await answered(silent, 1)
    expect(answers(silent)).toEqual(['200 5'])
  })

  test('who keeps silent for as long as a connection is kept is ended without a word', async () => {
    const { connected } = await start({ keptMs: 50 })
    const silent = await connected()
    await until(() => silent.isOver, 'the silent one is ended')
    expect(silent.text).toBe('')
  })

  test('who says no more before a word has left', async () => {
    const { connected, listener } = await start()
    const gone = await connected()
    gone.socket.end()
    await until(() => gone.isOver, 'its connection is ended')
    expect(gone.text).toBe('')
    const left = await new Promise((resolve) =>
      listener.getConnections((_error, count) => resolve(count)),
    )
    expect(left).toBe(0)
  })

  test('a listener that closes does not wait for who keeps silent', async () => {
    const { connected, listener } = await start()
    const silent = await connected()
    await within(new Promise((resolve) => listener.close(resolve)), () => 'its end')
    await until(() => silent.isOver, 'the silent one is ended')
  })

  describe('of a crowd that says nothing', () => {
    const ROOM = 8
    const SILENT = ROOM / 2
    const few = async () => {
      const { listener, connected } = await start()
      listener.maxConnections = ROOM
      /** They come one by one: each has its place, or has lost it, before the next. */
      const crowd = async (many: number): Promise<readonly Kept[]> => {
        const all: Kept[] = []
        for (let at = 0; at < many; at++) {
          all.push(await connected())
          const open = () => all.filter(({ isOver }) => !isOver).length
          await until(() => open() === Math.min(all.length, SILENT), `${SILENT} are open`)
        }
        return all
      }
      const asks = async (kept: Kept): Promise<void> => {
        const many = answers(kept).length + 1
        kept.socket.write(asking('hello'))
        await answered(kept, many)
        expect(answers(kept)).toEqual(Array.from({ length: many }, () => '200 5'))
      }
      return { connected, crowd, asks }
    }

    test('those who have waited longest go, and who comes to ask is answered', async () => {
      const { connected, crowd, asks } = await few()
      const silent = await crowd(3 * ROOM)
      const caller = await connected()
      await asks(caller)
      // It has said nothing either when it comes.
      const gone = silent.length - SILENT + 1
      await until(() => silent.filter(({ isOver }) => isOver).length === gone, 'its room is made')
      expect(silent.map(({ isOver }) => isOver)).toEqual(silent.map((_, at) => at < gone))
      expect(silent.map(({ text }) => text).join('')).toBe('')
    })

    test('half of what a listener takes stays, and each is answered when it asks', async () => {
      const { crowd, asks } = await few()
      for (const kept of await crowd(SILENT)) await asks(kept)
    })

    test('what a gateway keeps stays: a spare beside its calls, and one that was answered beside a crowd', async () => {
      const { connected, crowd, asks } = await few()
      const spare = await connected()
      for (let calls = 0; calls < 2 * ROOM; calls++) {
        const call = await connected()
        await asks(call)
        call.socket.destroy()
        await until(() => call.isOver, 'the call is over')
      }
      await asks(spare)
      await crowd(3 * ROOM)
      await asks(spare)
    })
  })

  const LARGE = 'x'.repeat(300_000)

  test.each<[string, readonly string[], readonly string[]]>([
    ['in one piece', [asking('hello')], ['200 5']],
    ['with a body that is larger than what is read at once', [asking(LARGE)], ['200 300000']],
    ['byte by byte', asking('hello').split(''), ['200 5']],
    [
      'three times before an answer',
      [asking('a') + asking('bc') + asking('')],
      ['200 1', '200 2', '200 0'],
    ],
    ['a head and then a body', asking('hello').split(/(?<=\r\n\r\n)/), ['200 5']],
  ])('what is said first comes whole: %s', async (_what, pieces, expected) => {
    const { connected } = await start()
    const kept = await connected()
    for (const piece of pieces) {
      await new Promise<void>((resolve) => kept.socket.write(piece, () => resolve()))
    }
    await answered(kept, expected.length)
    kept.socket.write(asking('again'))
    await answered(kept, expected.length + 1)
    expect(answers(kept)).toEqual([...expected, '200 5'])
  })
})
