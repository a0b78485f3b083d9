// Links to a loopback HTTP server: one for every session or principal, over kept-alive connections.

import { Agent } from 'node:http'
import { ok, type Result } from '../../shared/result.ts'
import type { Fault } from '../mcp/faults.ts'
import { HttpLink } from './http-link.ts'
import type { Link } from './link.ts'
import type { LinkSource } from './source.ts'

/** Requests on the wire at once; more wait their turn. */
const MAX_SOCKETS = 1024

export class HttpSource implements LinkSource {
  reclaim: () => boolean = () => false
  private readonly agent = new Agent({ keepAlive: true, maxSockets: MAX_SOCKETS })
  /** A listening stream lasts as long as its session: among the requests it would starve them. */
  private readonly listeningAgent = new Agent()
  private readonly address: { readonly port: number; readonly path: string }
  private links = 0

  constructor(address: { readonly port: number; readonly path: string }) {
    this.address = address
  }

  get count(): number {
    return this.links
  }

  open(): Promise<Result<Link, Fault>> {
    this.links++
    const onClose = (): void => {
      this.links--
    }
    const { agent, listeningAgent } = this
    return Promise.resolve(ok(new HttpLink({ ...this.address, agent, listeningAgent, onClose })))
  }

  close(): void {
    this.agent.destroy()
    this.listeningAgent.destroy()
  }
}
