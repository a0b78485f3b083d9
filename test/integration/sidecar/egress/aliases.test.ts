// Services that somebody has made another name of the API server (ExternalName, or an address of its own): a pattern about
// Services does not lead there, by no way in.

import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { describe, expect, test } from '@jest/globals'
import { NameFault } from '../../../../sidecar/egress/reach/resolver.ts'
import { API_SERVER, destinations, listening, talk, type Tuned } from '../../../support/egress.ts'
import {
  closed,
  closing,
  connectHead,
  echoing,
  opened,
  started,
} from '../../../support/egress-tunnel.ts'

const NAME = 'kubernetes.default.svc.cluster.local'
const ALIAS = 'x.team.svc.cluster.local'
const cluster = { domain: 'cluster.local', namespace: 'own' }

const world = async (told: readonly string[], tuned: Tuned = {}) => {
  const origin = await echoing()
  return started(
    {
      egress: '*.svc:8443,kubernetes.default.svc:8443,10.96.255.0/24:9443,*.svc:9443',
      names: { [ALIAS]: [API_SERVER], [NAME]: told, 'db.team.svc.cluster.local': ['10.96.0.9'] },
      hosts: {
        [`${API_SERVER}:8443`]: origin.port,
        [`${API_SERVER}:9443`]: origin.port,
        '10.96.0.9:8443': origin.port,
      },
    },
    { cluster, ...tuned },
  )
}

const refused = (what: string): string =>
  `outrigger: ${ALIAS}:8443 leads to ${API_SERVER}, ${what}: only its own name, kubernetes.default.svc:8443, may, where outrigger.dev/egress has that\n`

describe('an alias', () => {
  test.each<[string, readonly string[], Tuned, string]>([
    ['by the environment', [], {}, "which is the API server's"],
    ['by its name alone', [API_SERVER], { apiServerHost: undefined }, "which is the API server's"],
    [
      'where nobody says where it is',
      [],
      {
        resolve: async (name) => {
          if (name === ALIAS) return [API_SERVER]
          throw new NameFault('ETIMEOUT')
        },
      },
      "which may be the API server's",
    ],
  ])('is refused: %s', async (_what, told, tuned, words) => {
    const harness = await world(told, tuned)
    const answer = await talk(harness.port, connectHead('x.team.svc:8443'))
    expect(answer).toMatch(/^HTTP\/1\.1 403 /)
    expect(answer).toContain('X-Outrigger-Egress: address\r\n')
    expect(answer.endsWith(refused(words))).toBe(true)
    expect(harness.told.lines).toEqual([`connect ${ALIAS}:8443 denied address`])
    expect(harness.dialled).toEqual([])
  })

  test('is refused by a forward, too', async () => {
    const harness = await world([])
    const [destination] = destinations('8443=x.team.svc:8443')
    if (!destination) throw new Error('no destination')
    const door = createServer((socket) => {
      harness.proxy.forward(socket, { key: '1', overBudget: () => false }, destination)
    })
    closing.push(() => door.close())
    const socket = connect(await listening(door), '127.0.0.1')
    socket.on('error', () => undefined).resume()
    await closed(socket)
    expect(harness.told.lines).toEqual([`forward ${ALIAS}:8443 denied address`])
    expect(harness.dialled).toEqual([])
  })

  test('is let through, and told, where egress is observed', async () => {
    const harness = await world([], { mode: 'observe' })
    const { socket } = await opened(harness, 'x.team.svc:8443')
    socket.end()
    await closed(socket)
    expect(harness.told.lines).toEqual([`connect ${ALIAS}:8443 observed address`])
  })
})

test.each([
  ['the API server by its own name', 'kubernetes.default.svc:8443', `${API_SERVER}:8443`],
  ['another Service', 'db.team.svc:8443', '10.96.0.9:8443'],
  ['an alias whose address a range declares', 'x.team.svc:9443', `${API_SERVER}:9443`],
])('is reached: %s', async (_what, place, dialled) => {
  const harness = await world([API_SERVER])
  const socket = connect({ port: harness.port, host: '127.0.0.1' })
  socket.write(connectHead(place))
  const [head]: unknown[] = await once(socket, 'data')
  expect(String(head)).toMatch(/^HTTP\/1\.1 200/)
  socket.destroy()
  expect(harness.dialled).toEqual([dialled])
})
