// One destination that was reached as items of `outrigger.dev/egress`: by its name, with the addresses that have to stand beside
// it, or by its address where nobody has asked by a name. Pure.

import { addressOf, kindOf } from '../../shared/address.ts'
import { destinationOf } from '../../shared/destination.ts'
import { MAX_FORWARDS } from '../../shared/destination-list.ts'
import { placeOf, type Tally } from './tally.ts'

export interface Written {
  readonly items: readonly string[]
  /** What a name would be better for. */
  readonly nameless: string | undefined
  /** Why it cannot be written; undefined where it can. */
  readonly why: string | undefined
}

/** A Service is reached at private addresses by its name alone. */
const SERVICE = /(^|\.)svc(\.|$)/

/** What has to be declared beside a name, for where it leads. */
const besides = ({ host, port, addresses }: Tally): readonly string[] =>
  SERVICE.test(host)
    ? []
    : [...addresses].flatMap((text) => {
        const address = addressOf(text)
        const kind = address && kindOf(address)
        return kind === 'private' || kind === 'reserved' ? [placeOf(text, port)] : []
      })

export class Items {
  /** Ports of loopback that forwards have. */
  private readonly locals = new Set<number>()

  /** One after the other: two forwards of different times may have had one local port. */
  write(tally: Tally): Written {
    const { host, port, declared, hows } = tally
    const local = declared === undefined ? undefined : destinationOf(declared)?.local
    const why = local === undefined ? undefined : this.whyNoForward(local)
    if (why !== undefined) return { items: [], nameless: undefined, why }
    if (local !== undefined) this.locals.add(local)
    if (declared !== undefined) return { items: [declared], nameless: undefined, why: undefined }
    const place = placeOf(host, port)
    if (!addressOf(host)) return named(place, besides(tally))
    return hows.has('direct')
      ? this.past(place, port)
      : {
          items: [place],
          nameless: `${place} is an address: a name would be better, if the server can be told one`,
          why: undefined,
        }
  }

  private whyNoForward(local: number): string | undefined {
    if (this.locals.has(local)) {
      return `another forward has the local port ${local}: give each its own`
    }
    return this.locals.size < MAX_FORWARDS
      ? undefined
      : `there are ${MAX_FORWARDS} forwards that are used more, and a process has no more`
  }

  /** Where it went past the proxy, and only a forward leads a program that knows none. */
  private past(place: string, port: number): Written {
    const forward = `${port}=${place}`
    const isFree = this.whyNoForward(port) === undefined && destinationOf(forward) !== undefined
    if (isFree) this.locals.add(port)
    const words = isFree
      ? `as the forward ${forward} it is there for a server that asks 127.0.0.1:${port}; if that is HOST, ${port}=HOST:${port} would be better`
      : `let the server use the proxy for it; a name would be better`
    return {
      items: [isFree ? forward : place],
      nameless: `${place} is an address, to which the server went past the proxy, and enforced it may not: ${words}`,
      why: undefined,
    }
  }
}

const named = (place: string, beside: readonly string[]): Written => ({
  items: [place, ...beside],
  nameless:
    beside.length === 0
      ? undefined
      : `${place} leads to what is not public, so that ${beside.join(', ')} must stand beside it: a range would be better, or a name of the cluster's`,
  why: undefined,
})
