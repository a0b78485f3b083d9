// An egress proxy with what it leads to: names and addresses as a test wants them, every attempt kept.

import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import type { Destination } from '../../shared/destination.ts'
import { parseDestinations } from '../../shared/destination-list.ts'
import { dial, type Dial } from '../../sidecar/egress/reach/dial.ts'
import { EgressProxy, type EgressProxyOptions } from '../../sidecar/egress/proxy/egress-proxy.ts'
import { NameFault } from '../../sidecar/egress/reach/resolver.ts'
import type {
  Attempt,
  Client,
  Credential,
  Cut,
  Settled,
  Stranger,
} from '../../sidecar/egress/proxy/watch.ts'

export const destinations = (text: string): readonly Destination[] => {
  const parsed = parseDestinations(text)
  if (!parsed.ok) throw new Error(parsed.error)
  return parsed.value
}

export const listening = (server: Server): Promise<number> =>
  new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address: AddressInfo | string | null = server.address()
      if (address === null || typeof address === 'string') throw new Error('no port')
      resolve(address.port)
    })
  })

export interface ToldAttempt {
  readonly client: string
  readonly settled: Settled[]
  up: number
  down: number
  /** `open` until it is over. */
  cut: Cut | undefined | 'open'
}

/** What the proxy has told. */
export class Told {
  readonly attempts: ToldAttempt[] = []
  readonly strangers: Stranger[] = []
  /** Of clients by their key, how many bytes they may move; absent: any. */
  readonly budgets = new Map<string, number>()
  canRecord = true

  readonly attempt = ({ key }: Client): Attempt | undefined => {
    if (!this.canRecord) return undefined
    const told: ToldAttempt = { client: key, settled: [], up: 0, down: 0, cut: 'open' }
    this.attempts.push(told)
    return {
      settled: (settled) => {
        if (told.cut !== 'open') throw new Error('settled after its end')
        told.settled.push(settled)
      },
      bytes: (up, down) => {
        told.up += up
        told.down += down
      },
      ended: (cut) => {
        if (told.cut !== 'open') throw new Error('it ended twice')
        told.cut = cut
      },
    }
  }

  readonly stranger = (why: Stranger): void => {
    this.strangers.push(why)
  }

  /** The bytes that a client has moved. */
  moved(key: string): number {
    return this.attempts
      .filter(({ client }) => client === key)
      .reduce((sum, { up, down }) => sum + up + down, 0)
  }

  /** How attempts were settled, in their order: `http ok.example:80 allowed`. */
  get lines(): readonly string[] {
    return this.attempts.flatMap(({ settled }) =>
      settled.map(({ how, host, port, verdict, why }) =>
        [how, `${host}:${port}`, verdict, ...(why === undefined ? [] : [why])].join(' '),
      ),
    )
  }
}

/** Where it answers in any world that says nothing else. */
export const API_SERVER = '10.96.255.1'

const clients: ReadonlyMap<string, string> = new Map([
  ['1', 'first'],
  ['2', 'second'],
])

export interface Harness {
  readonly proxy: EgressProxy
  readonly port: number
  readonly told: Told
  /** What was dialled: `ADDRESS:PORT`. */
  readonly dialled: string[]
  readonly looked: string[]
  /** The URL of the first client. */
  readonly url: string
  readonly close: () => void
}

export interface World {
  readonly egress?: string
  /** Addresses by name. */
  readonly names?: Readonly<Record<string, readonly string[]>>
  /** Ports of this machine by `ADDRESS:PORT`: what stands there for the world. */
  readonly hosts?: Readonly<Record<string, number>>
}

export type Tuned = Partial<Omit<EgressProxyOptions, 'destinations' | 'watch' | 'dial'>>

export const startEgress = async (
  { egress = '', names = {}, hosts = {} }: World,
  tuned: Tuned = {},
): Promise<Harness> => {
  const told = new Told()
  const dialled: string[] = []
  const looked: string[] = []
  const diverted: Dial = (addresses, port, onread) => {
    const [first = ''] = addresses
    dialled.push(...addresses.map((one) => `${one}:${port}`))
    const here = hosts[`${first}:${port}`]
    return here === undefined ? dial(addresses, port, onread) : dial(['127.0.0.1'], here, onread)
  }
  const whoIs = ({ name, secret }: Credential): Client | undefined =>
    clients.get(name) === secret
      ? {
          key: name,
          overBudget: () => told.moved(name) > (told.budgets.get(name) ?? Infinity),
        }
      : undefined
  const proxy = new EgressProxy({
    mode: 'enforce',
    destinations: egress === '' ? [] : destinations(egress),
    resolve: async (name) => {
      looked.push(name)
      const found = Object.hasOwn(names, name) ? names[name] : undefined
      if (!found) throw new NameFault('ENOTFOUND')
      return found
    },
    now: Date.now,
    // As the kubelet tells every container.
    apiServerHost: API_SERVER,
    ownAddresses: () => ['10.1.1.1', 'fd00::1'],
    whoIs,
    ...tuned,
    dial: diverted,
    watch: told,
  })
  const port = await proxy.listen(0)
  return {
    proxy,
    port,
    told,
    dialled,
    looked,
    url: `http://1:first@127.0.0.1:${port}`,
    close: () => proxy.close(),
  }
}

export const AUTHORIZATION = `Proxy-Authorization: Basic ${Buffer.from('1:first').toString('base64')}`

/** Writes bytes, one piece after the other, and gathers what comes back until the other side is through. */
export const talk = (port: number, ...pieces: readonly (string | Buffer)[]): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const back: Buffer[] = []
    socket.on('data', (piece: Buffer) => back.push(piece))
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(Buffer.concat(back).toString('latin1')))
    for (const piece of pieces) socket.write(piece)
  })

/** A server that says back what it hears, and keeps it. */
export const echo = async (): Promise<{
  readonly port: number
  readonly heard: Buffer[]
  readonly sockets: Socket[]
  readonly close: () => void
}> => {
  const heard: Buffer[] = []
  const sockets: Socket[] = []
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket)
    socket.on('error', () => undefined)
    socket.on('data', (piece: Buffer) => {
      heard.push(piece)
      socket.write(piece)
    })
    socket.on('end', () => socket.end())
  })
  const port = await listening(server)
  return {
    port,
    heard,
    sockets,
    close: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
