// Tunnels, by CONNECT and by forwards: what passes, what a TLS client may ask for, how they end.

import { once } from 'node:events'
import { connect, createServer, type Server } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from '@jest/globals'
import { dial } from '../../../../sidecar/egress/reach/dial.ts'
import { ENCRYPTED_HELLO, hello } from '../../../support/client-hello.ts'
import { destinations, listening, startEgress, talk } from '../../../support/egress.ts'
import {
  closed,
  closing,
  connectHead,
  echoing,
  opened,
  started,
  until,
  world,
} from '../../../support/egress-tunnel.ts'

describe('TLS', () => {
  test.each([
    ['the name', 'a.example:443', [hello('a.example')]],
    ['the name in capitals', 'a.example:443', [hello('A.EXAMPLE')]],
    [
      'the name in pieces',
      'a.example:443',
      Array.from(hello('a.example'), (byte) => Buffer.of(byte)),
    ],
    ['the name, where an address was asked for', '93.184.216.35:443', [hello('b.example')]],
    ['no name, where an address was asked for', '93.184.216.35:443', [hello(undefined)]],
    ['the name on another port', 'a.example:8443', [hello('a.example')]],
  ])('goes through: %s', async (_name, place, pieces) => {
    const origin = await echoing()
    const harness = await started(world(origin.port))
    const { socket, back } = await opened(harness, place)
    for (const piece of pieces) {
      socket.write(piece)
      if (pieces.length > 1) await sleep(0)
    }
    const whole = Buffer.concat(pieces).toString('latin1')
    await until(() => back() === whole, 'what was sent')
    socket.end()
    await closed(socket)
    const [attempt] = harness.told.attempts
    expect(attempt?.settled.map(({ verdict }) => verdict)).toEqual(['allowed'])
    expect([attempt?.up, attempt?.down, attempt?.cut]).toEqual([
      whole.length,
      whole.length,
      undefined,
    ])
  })

  test('goes through: the name of a Service of the own namespace, with it or without', async () => {
    for (const name of ['packages', 'packages.own.svc', 'packages.own.svc.cluster.local']) {
      const origin = await echoing()
      const harness = await started(
        {
          egress: 'packages:443',
          names: { 'packages.own.svc.cluster.local': ['10.96.0.1'] },
          hosts: { '10.96.0.1:443': origin.port },
        },
        { cluster: { domain: 'cluster.local', namespace: 'own' } },
      )
      const { socket, back } = await opened(harness, 'packages:443')
      socket.write(hello(name))
      await until(() => back() === hello(name).toString('latin1'), 'what was sent')
      socket.end()
      await closed(socket)
      expect(harness.told.lines).toEqual(['connect packages.own.svc.cluster.local:443 allowed'])
    }
  })

  test.each([
    ['another name', 'a.example:443', [hello('b.example')], 'tls-name'],
    ['another name on another port', 'a.example:8443', [hello('b.example')], 'tls-name'],
    ['a name below it', 'a.example:443', [hello('x.a.example')], 'tls-name'],
    ['a name with a dot at its end', 'a.example:443', [hello('a.example.')], 'tls-name'],
    ['no name', 'a.example:443', [hello(undefined)], 'tls-name'],
    [
      'another name in pieces',
      'a.example:443',
      Array.from(hello('b.example'), (byte) => Buffer.of(byte)),
      'tls-name',
    ],
    [
      'an encrypted name',
      'a.example:443',
      [hello('a.example', ENCRYPTED_HELLO)],
      'tls-encrypted-name',
    ],
    ['HTTP', 'a.example:443', [Buffer.from('GET / HTTP/1.1\r\n\r\n')], 'no-tls'],
    ['SSH', 'a.example:443', [Buffer.from('SSH-2.0-x\r\n')], 'no-tls'],
    [
      'another name once it has been asked again',
      'a.example:443',
      [hello('a.example'), hello('b.example')],
      'tls-name',
    ],
  ])('does not: %s', async (_name, place, pieces, why) => {
    const origin = await echoing()
    const harness = await started(world(origin.port))
    const { socket } = await opened(harness, place)
    const end = closed(socket)
    for (const piece of pieces) {
      if (!socket.destroyed) socket.write(piece)
      if (pieces.length > 1) await sleep(1)
    }
    await end
    const [attempt] = harness.told.attempts
    expect(attempt?.cut).toBe(why)
    const heard = Buffer.concat(origin.heard).toString('latin1')
    expect(heard).not.toContain('b.example')
    if (!_name.includes('again')) {
      expect(heard).toBe('')
      expect(attempt?.settled).toEqual([
        expect.objectContaining({ verdict: 'denied', why, rule: place }),
      ])
    }
  })

  test('part of a ClientHello and then the end', async () => {
    const origin = await echoing()
    const harness = await started(world(origin.port))
    const { socket } = await opened(harness, 'a.example:443')
    socket.end(hello('a.example').subarray(0, 50))
    await closed(socket)
    expect(harness.told.lines).toEqual(['connect a.example:443 denied no-tls'])
    expect(origin.heard).toEqual([])
  })

  test('what comes with the request is looked at too', async () => {
    const origin = await echoing()
    const harness = await started(world(origin.port))
    const request = connectHead('a.example:443')
    await talk(harness.port, Buffer.concat([Buffer.from(request), hello('b.example')]))
    expect(harness.told.lines).toEqual(['connect a.example:443 denied tls-name'])
    expect(origin.heard).toEqual([])
  })

  test('nothing is heard of a destination on a TLS port before it was asked by name', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.write('early words')
    })
    closing.push(() => server.close())
    const harness = await started(world(await listening(server)))
    const { socket, back } = await opened(harness, 'a.example:443')
    await sleep(50)
    expect(back()).toBe('')
    socket.write(hello('a.example'))
    await until(() => back() === 'early words', 'what it said')
    socket.destroy()
  })

  test('nothing said on a TLS port is waited for no longer than a hello takes', async () => {
    const origin = await echoing()
    const clock = { ms: 0 }
    const harness = await started(world(origin.port), { now: () => clock.ms })
    const { socket } = await opened(harness, 'a.example:443')
    clock.ms = 9999
    harness.proxy.sweep()
    expect(socket.destroyed).toBe(false)
    const end = closed(socket)
    clock.ms = 10_000
    harness.proxy.sweep()
    await end
    expect(harness.told.lines).toEqual(['connect a.example:443 denied no-tls'])
  })

  test('observed, what nobody has declared either is told by both reasons', async () => {
    const origin = await echoing()
    const undeclared = { ...world(origin.port), egress: 'b.example:443' }
    const harness = await started(undeclared, { mode: 'observe' })
    const { socket, back } = await opened(harness, 'a.example:443')
    socket.write('GET / HTTP/1.1\r\n\r\n')
    await until(() => back() !== '', 'what was sent')
    expect(harness.told.lines).toEqual(['connect a.example:443 observed no-tls'])
    expect(
      harness.told.attempts.flatMap(({ settled }) => settled.map(({ words }) => words)),
    ).toEqual([
      'a.example:443 is not declared: add it to outrigger.dev/egress; a.example:443: nothing but TLS is spoken on this port',
    ])
    socket.destroy()
  })

  test('observed, another name goes through and is told', async () => {
    const origin = await echoing()
    const harness = await started(world(origin.port), { mode: 'observe' })
    const { socket, back } = await opened(harness, 'a.example:443')
    socket.write(hello('b.example'))
    await until(() => back() !== '', 'what was sent')
    expect(harness.told.lines).toEqual(['connect a.example:443 observed tls-name'])
    socket.destroy()
  })
})

describe('what passes', () => {
  /** So many bytes each way, against one who reads slowly. */
  test.each([
    ['by CONNECT', 'connect'],
    ['by a forward', 'forward'],
  ])('20 MB each way, %s, and each end for itself', async (_name, door) => {
    const size = 20_000_000
    const chunk = Buffer.alloc(100_000, 'abcdefghij')
    const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
      let heard = 0
      socket.on('data', (piece: Buffer) => (heard += piece.length))
      socket.on('end', () => {
        // Only once all has come does it answer.
        if (heard !== size) throw new Error(`${heard} bytes came`)
        const more = (left: number): void => {
          let now = left
          while (now > 0) {
            now -= chunk.length
            if (!socket.write(chunk)) {
              socket.once('drain', () => more(now))
              return
            }
          }
          socket.end()
        }
        more(size)
      })
    })
    const port = await listening(server)
    closing.push(() => server.close())
    const harness = await started(world(port))
    const socket = door === 'connect' ? (await opened(harness, 'a.example:25')).socket : undefined
    const entrance = createServer({ allowHalfOpen: true }, (one) => {
      const [destination] = destinations('2525=a.example:25')
      if (destination)
        harness.proxy.forward(one, { key: '1', overBudget: () => false }, destination)
    })
    closing.push(() => entrance.close())
    const client =
      socket ?? connect({ port: await listening(entrance), host: '127.0.0.1', allowHalfOpen: true })
    let read = 0
    let isRight = true
    client.on('data', (piece: Buffer) => {
      isRight &&= piece.every((byte, at) => byte === 97 + ((read + at) % 10))
      read += piece.length
      client.pause()
      setImmediate(() => client.resume())
    })
    for (let left = size; left > 0; left -= chunk.length) {
      if (!client.write(chunk)) await once(client, 'drain')
    }
    client.end()
    await closed(client)
    expect([read, isRight]).toEqual([size, true])
    await until(() => harness.told.attempts[0]?.cut !== 'open', 'the end')
    const [attempt] = harness.told.attempts
    expect([attempt?.up, attempt?.down, attempt?.cut]).toEqual([size, size, undefined])
  })

  test('a server that speaks first, by a forward, and TLS afterwards', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.write('220 ready\r\n')
      socket.on('data', (piece: Buffer) => socket.write(`> ${piece.toString('latin1')}`))
    })
    closing.push(() => server.close())
    const harness = await started(world(await listening(server)))
    const { socket, back } = await opened(harness, 'a.example:25')
    await until(() => back() === '220 ready\r\n', 'its greeting')
    expect(harness.told.lines).toEqual(['connect a.example:25 allowed'])
    socket.write('STARTTLS\r\n')
    await until(() => back().endsWith('> STARTTLS\r\n'), 'its answer')
    socket.destroy()
  })

  test('where it breaks the other end is told so, not of a good end', async () => {
    const origin = await echoing()
    const harness = await started(world(origin.port))
    const { socket, back } = await opened(harness, 'a.example:25')
    socket.write('x')
    await until(() => back() === 'x', 'the echo')
    const failed = once(socket, 'error')
    origin.sockets[0]?.resetAndDestroy()
    await expect(failed).resolves.toEqual([expect.objectContaining({ code: 'ECONNRESET' })])
    expect(harness.told.attempts[0]?.cut).toBeUndefined()
  })

  test('names with several addresses: the first that answers', async () => {
    const origin = await echoing()
    const harness = await startEgress(
      { egress: `many.example:${origin.port},127.0.0.0/8:${origin.port}`, names: {} },
      { resolve: async () => ['127.0.0.9', '127.0.0.1'] },
    )
    closing.push(harness.close)
    const reply = await talk(harness.port, connectHead(`many.example:${origin.port}`))
    // No name leads to this machine, whatever is declared.
    expect(reply).toMatch(/^HTTP\/1\.1 403/)
  })
})

test('a name with several addresses is reached at the first that answers', async () => {
  const origin = await echoing()
  const pieces: string[] = []
  const buffer = Buffer.alloc(1024)
  const socket = dial(['127.0.0.2', '127.0.0.1'], origin.port, {
    buffer,
    callback: (length) => {
      pieces.push(buffer.toString('latin1', 0, length))
      return true
    },
  })
  await once(socket, 'connect')
  socket.resume()
  socket.write('hello')
  await until(() => pieces.join('') === 'hello', 'the echo')
  expect(socket.remoteAddress).toBe('127.0.0.1')
  socket.destroy()
})

test('a real TLS client', async () => {
  const origin = await echoing()
  const harness = await started(world(origin.port))
  const { socket } = await opened(harness, 'a.example:443')
  const secure = connectTls({ socket, servername: 'a.example', rejectUnauthorized: false })
  secure.on('error', () => undefined)
  await until(() => origin.heard.length > 0, 'its hello')
  expect(harness.told.lines).toEqual(['connect a.example:443 allowed'])
  secure.destroy()
})
