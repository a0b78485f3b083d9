// The agent of an exporter over HTTPS where a company's own proxy leads to the internet: a collector whose name leads nowhere but to
// addresses that are not public is reached directly, any other by that proxy, which looks its name up itself.

import { lookup } from 'node:dns/promises'
import { Agent, type AgentOptions, type RequestOptions } from 'node:https'
import { isIP } from 'node:net'
import { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { addressOf, kindOf } from '../../shared/address.ts'
import type { OwnWay } from '../identity/own-way.ts'

const HTTPS_PORT = 443

const isPublic = (text: string): boolean => {
  const address = addressOf(text)
  return address === undefined || kindOf(address) === 'public'
}

/** As the system finds it, whose search list knows Services by short names, too. */
const isNear = async (host: string): Promise<boolean> => {
  if (isIP(host) !== 0) return !isPublic(host)
  const found = await lookup(host, { all: true }).catch(() => [])
  return found.length > 0 && found.every(({ address }) => !isPublic(address))
}

type OnConnection = (error: Error | null, stream: Duplex) => void

export class WayAgent extends Agent {
  private readonly way: OwnWay
  private leaving = new AbortController()

  constructor(way: OwnWay, options: AgentOptions) {
    super(options)
    this.way = way
  }

  override createConnection(options: RequestOptions, callback?: OnConnection): undefined {
    void this.answer(options, callback)
  }

  /** Ends what is on its way as well; the next request begins anew. */
  override destroy(): void {
    this.leaving.abort()
    this.leaving = new AbortController()
    super.destroy()
  }

  private async answer(options: RequestOptions, callback: OnConnection | undefined): Promise<void> {
    const made = await this.connect(options).catch((error: unknown) => error)
    if (made instanceof Duplex) callback?.(null, made)
    else callback?.(made instanceof Error ? made : new Error('no way'), new Duplex().destroy())
  }

  private async connect(options: RequestOptions): Promise<Duplex> {
    const { signal } = this.leaving
    const host = options.host ?? ''
    if (await isNear(host)) {
      const direct = super.createConnection(options)
      if (direct) return direct
      throw new Error('no connection')
    }
    const socket = await this.way({ host, port: Number(options.port ?? HTTPS_PORT) }, signal)
    if (!socket.ok) throw new Error(socket.error)
    const { ca } = this.options
    const name = isIP(host) === 0 ? { servername: host } : { host }
    return connectTls({ socket: socket.value, ...name, ...(ca !== undefined && { ca }) })
  }
}
