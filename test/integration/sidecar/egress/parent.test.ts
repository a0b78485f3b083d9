// Through a company's own proxy: what is asked of it, and what it answers.

import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { expect, test } from '@jest/globals'
import type { ParentProxy } from '../../../../sidecar/egress/reach/parent.ts'
import {
  AUTHORIZATION,
  listening,
  startEgress,
  talk,
  type Harness,
} from '../../../support/egress.ts'
import { closing, connectHead, until } from '../../../support/egress-tunnel.ts'

interface Parent {
  readonly port: number
  readonly asked: IncomingMessage[]
}

/** A proxy that answers CONNECT with some bytes and then says back what it hears. */
const parentWith = async (answer: string): Promise<Parent> => {
  const asked: IncomingMessage[] = []
  const sockets: Socket[] = []
  const server = createServer((request, response) => {
    asked.push(request)
    response.end('from the parent')
  })
  server.on('connect', (request, socket) => {
    asked.push(request)
    socket.on('error', () => undefined)
    socket.write(answer)
    socket.pipe(socket)
  })
  server.on('connection', (socket) => sockets.push(socket))
  closing.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { port: await listening(server), asked }
}

const through = async (port: number, parent: Partial<ParentProxy> = {}): Promise<Harness> => {
  const harness = await startEgress(
    {
      egress: 'a.example:25,a.example:80,db.team.svc:80,packages:80',
      names: {
        'proxy.corp.example': ['10.9.9.9'],
        'db.team.svc.cluster.local': ['10.96.0.1'],
        'packages.own.svc.cluster.local': ['10.96.0.1'],
      },
      hosts: { '10.9.9.9:3128': port, '10.96.0.1:80': port },
    },
    {
      cluster: { domain: 'cluster.local', namespace: 'own' },
      parent: {
        host: 'proxy.corp.example',
        port: 3128,
        isTls: false,
        authorization: async () => ({ ok: true, value: 'Basic c2VjcmV0' }),
        ...parent,
      },
    },
  )
  closing.push(harness.close)
  return harness
}

const OPEN = 'HTTP/1.1 200 OK\r\n\r\n'

test('a tunnel: asked for by name, never looked up here, with credentials', async () => {
  const parent = await parentWith(`${OPEN}early`)
  const harness = await through(parent.port)
  const socket = connect({ port: harness.port, host: '127.0.0.1' })
  let back = ''
  socket.on('data', (piece: Buffer) => (back += piece.toString('latin1')))
  socket.write(connectHead('a.example:25'))
  await until(() => back.endsWith('early'), 'what it said first')
  socket.write('hello')
  await until(() => back.endsWith('hello'), 'the echo')
  const [asked] = parent.asked
  expect([asked?.method, asked?.url, asked?.headers['proxy-authorization']]).toEqual([
    'CONNECT',
    'a.example:25',
    'Basic c2VjcmV0',
  ])
  expect(harness.looked).toEqual(['proxy.corp.example'])
  expect(harness.told.lines).toEqual(['connect a.example:25 allowed'])
  socket.end()
  await once(socket, 'close')
})

test('a request goes on in absolute form, with its credentials and not the child’s', async () => {
  const parent = await parentWith('')
  const harness = await through(parent.port)
  const reply = await talk(
    harness.port,
    `GET http://a.example/x HTTP/1.1\r\nHost: a.example\r\n${AUTHORIZATION}\r\nConnection: close\r\n\r\n`,
  )
  expect(reply).toMatch(/from the parent/)
  const [asked] = parent.asked
  expect([asked?.url, asked?.headers.host, asked?.headers['proxy-authorization']]).toEqual([
    'http://a.example/x',
    'a.example',
    'Basic c2VjcmV0',
  ])
})

test('what nothing declares is not asked of it', async () => {
  const parent = await parentWith(OPEN)
  const harness = await through(parent.port)
  expect(await talk(harness.port, connectHead('b.example:25'))).toMatch(/^HTTP\/1\.1 403/)
  expect(parent.asked).toEqual([])
  expect(harness.dialled).toEqual([])
})

test.each([
  ['a Service', 'db.team.svc:80', 'db.team.svc.cluster.local'],
  ['one of the own namespace', 'packages:80', 'packages.own.svc.cluster.local'],
])('%s is the cluster’s own: it is reached directly', async (_name, place, looked) => {
  const parent = await parentWith(OPEN)
  const harness = await through(parent.port)
  const socket = connect({ port: harness.port, host: '127.0.0.1' })
  socket.write(connectHead(place))
  const [head]: unknown[] = await once(socket, 'data')
  expect(String(head)).toMatch(/^HTTP\/1\.1 200/)
  socket.destroy()
  expect(parent.asked).toEqual([])
  // And where the API server is, since no other Service may lead there.
  expect(harness.looked).toEqual([looked, 'kubernetes.default.svc.cluster.local'])
  expect(harness.dialled).toEqual(['10.96.0.1:80'])
})

test.each<[string, string, Partial<ParentProxy>, string]>([
  [
    'credentials that it does not take',
    'HTTP/1.1 407 No\r\n\r\n',
    {},
    'it does not take the credentials',
  ],
  ['a refusal', 'HTTP/1.1 403 Internal words\r\n\r\n', {}, 'it refuses it (403)'],
  ['what is no HTTP', 'SSH-2.0-x\r\n\r\n', {}, 'what it answers is no HTTP'],
  [
    'a head without end',
    'HTTP/1.1 200 OK\r\n'.padEnd(20_000, 'x'),
    {},
    'what it answers is no HTTP',
  ],
  [
    'credentials that cannot be read',
    OPEN,
    { authorization: async () => ({ ok: false, error: '/secret is not there' }) },
    '/secret is not there',
  ],
  ['a name that leads nowhere', OPEN, { host: 'other.corp.example' }, 'its name leads nowhere'],
])('%s', async (_name, answer, parent, words) => {
  const { port } = await parentWith(answer)
  const harness = await through(port, parent)
  const reply = await talk(harness.port, connectHead('a.example:25'))
  expect(reply).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\nX-Outrigger-Egress: parent\r\n/)
  expect(reply).toContain(`the company's proxy (egress.parentProxy): ${words}`)
  expect(reply).not.toContain('Internal words')
  expect(harness.told.lines).toEqual(['connect a.example:25 failed parent'])
})
