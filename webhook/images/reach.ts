// Which addresses a registry may lead a program of the cluster to. Whoever writes a pod names the image, and whoever runs its
// registry says where that lies: neither is to have us ask a cloud's metadata service or a neighbour. Fails closed: what is
// no address, or of no kind that may be asked, is not connected to.

import { lookup, type LookupAddress } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { addressOf, addressOfName, kindOf, type Address, type Kind } from '../../shared/address.ts'
import { ImageError } from './image-error.ts'
import type { Access } from './registries.ts'

/** Whether a host may be at an address of that kind. */
export type Reach = (host: string, kind: Kind) => boolean

/** A URL has an IPv6 address in brackets. */
const bare = (host: string): string => host.replace(/^\[(.*)\]$/, '$1')

const literal = (host: string): Address | undefined => addressOf(host) ?? addressOfName(host)

const isLoopback = (host: string): boolean => {
  const address = literal(host)
  return address !== undefined && kindOf(address) === 'loopback'
}

/** Of a registry: what the cluster configuration names may be private, and on loopback where it says so; any other host that
 * the registry sends us to is to be public. */
export const reachOf = ({ base, realms }: Pick<Access, 'base' | 'realms'>): Reach => {
  const listed = new Set(
    [base, ...realms.map((realm) => new URL(realm))].map((url) => url.hostname),
  )
  return (host, kind) => {
    if (kind === 'near' || kind === 'never') return false
    if (kind === 'public') return true
    if (!listed.has(host)) return false
    return kind !== 'loopback' || isLoopback(bare(host))
  }
}

const refused = (host: string): ImageError =>
  new ImageError(
    `${bare(host).slice(0, 253)} is at an address that is not asked: the link's, this machine's or a cloud's own, or a private one of a host that \`registries\` does not list`,
  )

/** Throws where a host is an address that may not be asked; a name is judged when its addresses are known. */
export const judgeHost = (host: string, reach: Reach): void => {
  const address = literal(bare(host))
  if (address && !reach(host, kindOf(address))) throw refused(host)
}

const isAsked = (host: string, reach: Reach, { address: text }: LookupAddress): boolean => {
  const address = addressOf(text)
  return address !== undefined && reach(host, kindOf(address))
}

type Resolve = (
  host: string,
  done: (error: Error | null, addresses: readonly LookupAddress[] | undefined) => void,
) => void

const bySystem: Resolve = (host, done) => lookup(host, { all: true }, done)

/** How a connection finds the addresses of a name: one that may not be asked is a refusal, since another look could have that
 * one alone. */
export const lookupWithin =
  (reach: Reach, resolve: Resolve = bySystem): LookupFunction =>
  (host, _options, callback) =>
    resolve(host, (error, found = []) => {
      const isRight = found.length > 0 && found.every((one) => isAsked(host, reach, one))
      if (error) callback(error, [])
      else if (isRight) callback(null, [...found])
      else callback(refused(host), [])
    })
