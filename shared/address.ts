// What an IP address is: public, private, this machine, the link or a cloud's metadata service, or nothing to connect to;
// in every spelling that holds an IPv4 address. Text in, bytes and kinds out. Pure.

import { isIP, SocketAddress } from 'node:net'

/**
 * What an address is. `near` is where nodes, clouds and their credentials answer: link-local, and what clouds have given
 * addresses of their own. `reserved` is nobody's on the internet. `never` is no host at all, or this one in disguise.
 */
export type Kind = 'public' | 'private' | 'loopback' | 'near' | 'reserved' | 'never'

/** 4 bytes, or 16; an IPv4 address that was written as an IPv6 one (mapped) has 4. */
export type Address = Uint8Array

/** Addresses that have their first bits in common. */
export interface Range {
  readonly bytes: Address
  readonly prefix: number
}

const MAPPED_BITS = 96

const bytesOf4 = (text: string): readonly number[] => text.split('.').map(Number)

const bytesOfGroups = (text: string): readonly number[] =>
  text.split(':').flatMap((group) => {
    if (group === '') return []
    if (group.includes('.')) return bytesOf4(group)
    const value = Number.parseInt(group, 16)
    return [value >> 8, value & 255]
  })

const bytesOf6 = (text: string): Address => {
  const [head = '', tail = ''] = text.split('::')
  const [front, back] = [bytesOfGroups(head), bytesOfGroups(tail)]
  const bytes = new Uint8Array(16)
  bytes.set(front)
  bytes.set(back, 16 - back.length)
  return bytes
}

const isMapped = (bytes: Address): boolean =>
  bytes.length === 16 &&
  bytes.subarray(0, 10).every((byte) => byte === 0) &&
  bytes[10] === 255 &&
  bytes[11] === 255

/** The bytes as they are written, of the family that they are written in; no zone, no name, no other spelling of IPv4. */
const writtenBytes = (text: string): Address | undefined => {
  const family = text.includes('%') ? 0 : isIP(text)
  if (family === 0) return undefined
  return family === 4 ? new Uint8Array(bytesOf4(text)) : bytesOf6(text)
}

/** The address that a text is; undefined for anything else. */
export const addressOf = (text: string): Address | undefined => {
  const bytes = writtenBytes(text)
  return bytes && isMapped(bytes) ? bytes.subarray(12) : bytes
}

const THIS_MACHINE = Uint8Array.of(127, 0, 0, 1)

/** What a name is without being asked for: there is one that is this machine's everywhere (RFC 6761, section 6.3). */
export const addressOfName = (name: string): Address | undefined =>
  name === 'localhost' ? THIS_MACHINE : undefined

/** One spelling of an address, by which it is dialled and told. */
export const textOf = (address: Address): string => {
  if (address.length === 4) return address.join('.')
  const groups = Buffer.from(address)
    .toString('hex')
    .replaceAll(/(.{4})(?=.)/g, '$1:')
  return new SocketAddress({ address: groups, family: 'ipv6' }).address
}

/** `10.0.0.0/8`, or an address, which is the range of itself; undefined for anything else. */
export const rangeOf = (text: string): Range | undefined => {
  const [host = '', bits, ...rest] = text.split('/')
  const bytes = writtenBytes(host)
  if (!bytes || rest.length > 0) return undefined
  const most = bytes.length * 8
  const prefix = bits === undefined ? most : Number(/^(0|[1-9]\d{0,2})$/.exec(bits)?.[0])
  if (!(prefix <= most)) return undefined
  return isMapped(bytes) && prefix >= MAPPED_BITS
    ? { bytes: bytes.subarray(12), prefix: prefix - MAPPED_BITS }
    : { bytes, prefix }
}

/** Whether an address is in a range. */
export const holds = ({ bytes, prefix }: Range, address: Address): boolean => {
  if (bytes.length !== address.length) return false
  const whole = prefix >> 3
  for (let at = 0; at < whole; at++) if (bytes[at] !== address[at]) return false
  const left = prefix & 7
  return left === 0 || ((bytes[whole] ?? 0) ^ (address[whole] ?? 0)) >> (8 - left) === 0
}

/** The range with nothing behind its prefix: `10.0.0.0/8` of `10.1.2.3/8`. */
export const baseOf = ({ bytes, prefix }: Range): Range => ({
  bytes: bytes.map((byte, at) => {
    const own = Math.min(8, Math.max(0, prefix - at * 8))
    return byte & (0xff << (8 - own))
  }),
  prefix,
})

/** Whether a range is within another. */
export const covers = (outer: Range, inner: Range): boolean =>
  inner.prefix >= outer.prefix && holds(outer, inner.bytes)

const ranges = (...texts: readonly string[]): readonly Range[] =>
  texts.flatMap((text) => rangeOf(text) ?? [])

/** By kind, those of the first line that holds an address; of IPv4 what is in none is public. */
const KINDS_4: readonly (readonly [Kind, readonly Range[]])[] = [
  // The single ones are the metadata services of Alibaba Cloud, Azure and Oracle Cloud.
  ['near', ranges('169.254.0.0/16', '100.100.100.200', '168.63.129.16', '192.0.0.192')],
  ['never', ranges('0.0.0.0/8', '224.0.0.0/4', '255.255.255.255')],
  ['loopback', ranges('127.0.0.0/8')],
  [
    'private',
    ranges(
      '10.0.0.0/8',
      '100.64.0.0/10',
      '172.16.0.0/12',
      '192.168.0.0/16',
      '198.18.0.0/15',
      // Clouds give it to pods.
      '240.0.0.0/4',
    ),
  ],
  [
    'reserved',
    ranges('192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24', '198.51.100.0/24', '203.0.113.0/24'),
  ],
]

/** Of IPv6 what is in none is reserved: so much else holds an IPv4 address, or is on the link. */
const KINDS_6: readonly (readonly [Kind, readonly Range[]])[] = [
  // The metadata services of AWS (two), Google Cloud and Scaleway.
  ['near', ranges('fe80::/10', 'fd00:ec2::/32', 'fd20:ce::/32', 'fd00:42::42')],
  ['never', ranges('::', 'ff00::/8')],
  ['loopback', ranges('::1')],
  ['private', ranges('fc00::/7')],
  // Teredo and its neighbours, 6to4, what documents show.
  [
    'reserved',
    ranges('2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20', '::/3', '4000::/2', '8000::/1'),
  ],
  ['public', ranges('2000::/3')],
]

const isIn = (list: readonly Range[], address: Address): boolean =>
  list.some((range) => holds(range, address))

const inOneOf = (...texts: readonly string[]): ((address: Address) => boolean) => {
  const list = ranges(...texts)
  return (address) => isIn(list, address)
}

const firstKind = (
  table: readonly (readonly [Kind, readonly Range[]])[],
  address: Address,
): Kind | undefined => table.find(([, list]) => isIn(list, address))?.[0]

const numberOf4 = (bytes: Address): number =>
  ((bytes[0] ?? 0) << 24) | ((bytes[1] ?? 0) << 16) | ((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0)

/** The lines of IPv4 as numbers: of its address every connection is asked several times. */
const MASKED_4 = KINDS_4.flatMap(([kind, list]) =>
  list.map(({ bytes, prefix }) => {
    const mask = -1 << (32 - prefix)
    return { kind, mask, base: numberOf4(bytes) & mask }
  }),
)

const kindOf4 = (address: Address): Kind => {
  const number = numberOf4(address)
  for (const { kind, mask, base } of MASKED_4) if ((number & mask) === base) return kind
  return 'public'
}

const NAT64_PREFIX = 96
const isNat64 = inOneOf('64:ff9b::/96')
const is6to4 = inOneOf('2002::/16')

const tailOf = (address: Address): Address => address.subarray(12)

/** An interface that is an IPv4 address: `0000:5efe` and `0200:5efe` before it. */
const isIsatap = (address: Address): boolean =>
  (address[8] === 0 || address[8] === 2) &&
  address[9] === 0 &&
  address[10] === 0x5e &&
  address[11] === 0xfe

/** Behind a prefix of 48 bits (RFC 6052, section 2.2): the ninth byte is none of it. */
const behind48 = (address: Address): Address => {
  const [, , , , , , first = 0, second = 0, , third = 0, fourth = 0] = address
  return Uint8Array.of(first, second, third, fourth)
}

/** How an IPv6 address may stand for IPv4 ones. */
const FORMS: readonly (readonly [is: (address: Address) => boolean, in4: readonly In4[]])[] = [
  // Compatible with IPv4, and translated without state.
  [inOneOf('::/96', '::ffff:0:0:0/96'), [tailOf]],
  [isNat64, [tailOf]],
  [inOneOf('64:ff9b:1::/48'), [tailOf, behind48]],
  [is6to4, [(address) => address.subarray(2, 6)]],
  // Teredo: its server, and its client in disguise.
  [
    inOneOf('2001::/32'),
    [(address) => address.subarray(4, 8), (address) => tailOf(address).map((byte) => byte ^ 255)],
  ],
  [isIsatap, [tailOf]],
]
type In4 = (address: Address) => Address

/** The IPv4 addresses that an IPv6 one may stand for. */
const within = (address: Address): readonly Address[] =>
  FORMS.flatMap(([is, in4]) => (is(address) ? in4.map((one) => one(address)) : []))

/** Of an address that stands for IPv4 ones; what translates the well-known prefix leads to the internet. */
const kindOfTranslated = (address: Address, inner: readonly Address[]): Kind => {
  const kinds = inner.map(kindOf4)
  if (kinds.includes('near')) return 'near'
  if (kinds.includes('loopback')) return 'never'
  return isNat64(address) && kinds.every((kind) => kind === 'public') ? 'public' : 'reserved'
}

const kindOf6 = (address: Address): Kind => {
  const kind = firstKind(KINDS_6, address) ?? 'reserved'
  if (kind === 'near' || kind === 'never' || kind === 'loopback') return kind
  const inner = within(address)
  return inner.length === 0 ? kind : kindOfTranslated(address, inner)
}

/** What an address is. */
export const kindOf = (address: Address): Kind =>
  address.length === 4 ? kindOf4(address) : kindOf6(address)

const NEAR_4 = KINDS_4[0]?.[1] ?? []

const RANGES = new Map<Kind, readonly Range[]>()
for (const [kind, list] of [...KINDS_4, ...KINDS_6]) {
  RANGES.set(kind, [...(RANGES.get(kind) ?? []), ...list])
}

/** The ranges of each kind, as one may declare them. */
const rangesOf = (kind: Kind): readonly Range[] => RANGES.get(kind) ?? []

/** A range of IPv6 addresses as an IPv4 range that they stand for: those of translators alone. */
const translated = ({ bytes, prefix }: Range): Range | undefined => {
  if (prefix >= NAT64_PREFIX && isNat64(bytes)) {
    return { bytes: tailOf(bytes), prefix: prefix - NAT64_PREFIX }
  }
  const isOld = prefix >= 16 && is6to4(bytes)
  return isOld ? { bytes: bytes.subarray(2, 6), prefix: Math.min(prefix - 16, 32) } : undefined
}

/** Whether a range is about nothing but the link and metadata services. */
export const isNearRange = (range: Range): boolean => {
  const inner = translated(range)
  if (inner && NEAR_4.some((near) => covers(near, inner))) return true
  return rangesOf('near').some((near) => covers(near, range))
}

/** Whether a range holds anything near: of two ranges one is within the other, or they are apart. */
export const holdsNear = (range: Range): boolean => {
  const inner = translated(range)
  return (
    isNearRange(range) ||
    rangesOf('near').some((near) => covers(range, near)) ||
    (inner !== undefined && NEAR_4.some((near) => covers(inner, near)))
  )
}

/**
 * Whether a range that somebody has declared is about an address. What is not public needs a range that is about nothing
 * else: `0.0.0.0/0` is the internet, and no way to a neighbour, to the pod itself or to a cloud's credentials.
 */
export const declares = (range: Range, address: Address): boolean => {
  if (!holds(range, address)) return false
  const kind = kindOf(address)
  if (kind === 'public') return true
  if (kind === 'never') return false
  if (kind === 'near') return isNearRange(range)
  return rangesOf(kind).some((outer) => covers(outer, range))
}

/** A range as it is written. */
export const cidrOf = ({ bytes, prefix }: Range): string => `${textOf(bytes)}/${prefix}`

/**
 * What of a range is of certain kinds and no wider than a part of it, as ranges of its own: what a NetworkPolicy has to leave
 * out of it. Who names a range within one of them means that.
 */
export const takenOutOf = (whole: Range, kinds: readonly Kind[]): readonly string[] => {
  const inner = kinds
    .flatMap(rangesOf)
    .filter((range) => range.prefix > whole.prefix && covers(whole, range))
  // None within another: some who enforce policies take no ranges that overlap.
  const apart = inner.filter(
    (range) => !inner.some((outer) => outer.prefix < range.prefix && covers(outer, range)),
  )
  return [...new Set(apart.map(cidrOf))].sort()
}
