// What servers were seen to reach, added up by destination. Bounded: a server chooses how many there are.

import { isIP } from 'node:net'
import { addressOf, kindOf, textOf } from '../../shared/address.ts'
import { writtenName, type Cluster } from '../../shared/host-name.ts'

/** One attempt of a server's, as its record tells it. */
export interface Reached {
  readonly server: string
  /** The name that was asked for, or an address where none was. */
  readonly host: string
  readonly port: number
  readonly protocol: string
  /** `connect`, `http`, `socks`, `forward`, or `direct`: around the proxy. */
  readonly how: string
  /** `allowed`, `observed` (it would have been refused), `denied`, `failed`. */
  readonly verdict: string
  /** What was declared and allows it. */
  readonly rule: string | undefined
  /** Where a name has led. */
  readonly address: string | undefined
  /** In a word why it would be refused, was, or has failed. */
  readonly why: string | undefined
  readonly sentBytes: number
  readonly receivedBytes: number
  /** It was told before, when it had lasted a while. */
  readonly isKnown: boolean
}

export interface Tally {
  readonly host: string
  readonly port: number
  readonly protocol: string
  /** What is declared already: a forward, or the range in which its address lies. */
  readonly declared: string | undefined
  readonly hows: Set<string>
  /** By verdict. */
  readonly counts: Map<string, number>
  /** Where its name has led, as far as that is not the internet. */
  readonly addresses: Set<string>
  attempts: number
  /** How many of these no destination can allow. */
  forbidden: number
  /** How many were let through although they spoke no TLS where there must be, or TLS that names another. */
  gated: number
  sentBytes: number
  receivedBytes: number
}

const MAX_SERVERS = 256
/** Of one server. */
const MAX_DESTINATIONS = 4096
/** Of one name: whose has more has a range. */
const MAX_ADDRESSES = 16
/** Of what no destination is about. */
const FORBIDDEN = 'forbidden-address'
const GATED: readonly (string | undefined)[] = ['no-tls', 'tls-name', 'tls-encrypted-name']
/** No name is longer. */
const MAX_HOST = 255

/** The domain of nearly all clusters; records don't tell it. */
const CLUSTER: Cluster = { domain: 'cluster.local', namespace: undefined }

/** As the annotation has it: small letters, no dot at the end, an address without brackets, a Service without the domain. */
const plainHost = (host: string): string =>
  writtenName(
    host
      .slice(0, MAX_HOST)
      .toLowerCase()
      .replace(/\.$/, '')
      .replace(/^\[(.*)\]$/, '$1'),
    CLUSTER,
  )

const tallyOf = ({ host, port, protocol, how, rule }: Reached): Tally => ({
  host: plainHost(host),
  port,
  protocol,
  declared: how === 'forward' || isIP(plainHost(host)) !== 0 ? rule : undefined,
  hows: new Set(),
  counts: new Map(),
  addresses: new Set(),
  attempts: 0,
  forbidden: 0,
  gated: 0,
  sentBytes: 0,
  receivedBytes: 0,
})

/** As a destination names it. */
export const placeOf = (host: string, port: number): string =>
  `${isIP(host) === 6 ? `[${host}]` : host}:${port}`

/** What else is known of a destination by one more attempt. */
const note = (tally: Tally, { address, why, host }: Reached): void => {
  const found = address === undefined || address === host ? undefined : addressOf(address)
  const kind = found && kindOf(found)
  // Where egress is only observed, a name may lead to this machine.
  if (why === FORBIDDEN || kind === 'loopback') tally.forbidden++
  if (GATED.includes(why)) tally.gated++
  if (!found || kind === 'public' || tally.addresses.size >= MAX_ADDRESSES) return
  tally.addresses.add(textOf(found))
}

export class Tallies {
  readonly byServer = new Map<string, Map<string, Tally>>()
  /** Attempts of servers, or at destinations, beyond the bounds. */
  beyond = 0

  add(reached: Reached): void {
    const tally = this.tallyFor(reached)
    if (tally === undefined) {
      this.beyond++
      return
    }
    tally.sentBytes += reached.sentBytes
    tally.receivedBytes += reached.receivedBytes
    if (reached.isKnown) return
    tally.attempts++
    note(tally, reached)
    tally.hows.add(reached.how)
    tally.counts.set(reached.verdict, (tally.counts.get(reached.verdict) ?? 0) + 1)
  }

  private tallyFor(reached: Reached): Tally | undefined {
    const own = this.destinationsOf(reached.server)
    if (own === undefined) return undefined
    const fresh = tallyOf(reached)
    const { host, port, protocol, declared } = fresh
    const key = declared ?? [protocol, host, port].join(' ')
    const found = own.get(key)
    if (found !== undefined || own.size >= MAX_DESTINATIONS) return found
    own.set(key, fresh)
    return fresh
  }

  private destinationsOf(server: string): Map<string, Tally> | undefined {
    const known = this.byServer.get(server)
    if (known !== undefined || this.byServer.size >= MAX_SERVERS) return known
    const own = new Map<string, Tally>()
    this.byServer.set(server, own)
    return own
  }
}
