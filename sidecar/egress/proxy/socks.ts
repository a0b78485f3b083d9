// What a SOCKS5 client says (RFC 1928), with its name and password (RFC 1929): each message read from the bytes so far. Pure.

import { addressOf } from '../../../shared/address.ts'
import type { Cluster } from '../../../shared/host-name.ts'
import type { Host } from '../reach/judge.ts'
import { namedHost } from '../reach/named-host.ts'
import type { Credential } from './watch.ts'
import type { Why } from '../reach/why.ts'

export const SOCKS_VERSION = 5
const CREDENTIAL_VERSION = 1
const NOTHING = 0
const USER_AND_PASSWORD = 2
const CONNECT = 1
const IPV4 = 1
const NAME = 3
const IPV6 = 4

/** `undefined`: more has to come. `wrong`: nothing can follow. */
export type Read<T> = (T & { readonly length: number }) | undefined | 'wrong'

export const METHOD_CHOSEN = Buffer.of(SOCKS_VERSION, USER_AND_PASSWORD)
/** To whom is known without saying who it is. */
export const NOTHING_ASKED = Buffer.of(SOCKS_VERSION, NOTHING)
export const NO_METHOD = Buffer.of(SOCKS_VERSION, 255)
export const CREDENTIAL_TAKEN = Buffer.of(CREDENTIAL_VERSION, 0)
export const CREDENTIAL_REFUSED = Buffer.of(CREDENTIAL_VERSION, 1)

export interface Greeting {
  /** Whether it can say who it is. */
  readonly canSay: boolean
  /** Whether it goes on without. */
  readonly canBeSilent: boolean
}

export const readGreeting = (bytes: Buffer): Read<Greeting> => {
  const [version, count] = bytes
  if (version !== undefined && version !== SOCKS_VERSION) return 'wrong'
  if (count === undefined || bytes.length < 2 + count) return undefined
  const methods = bytes.subarray(2, 2 + count)
  return {
    canSay: methods.includes(USER_AND_PASSWORD),
    canBeSilent: methods.includes(NOTHING),
    length: 2 + count,
  }
}

export const readCredential = (bytes: Buffer): Read<Credential> => {
  const [version, nameLength] = bytes
  if (version !== undefined && version !== CREDENTIAL_VERSION) return 'wrong'
  if (nameLength === undefined) return undefined
  const secretLength = bytes[2 + nameLength]
  const end = 3 + nameLength + (secretLength ?? 0)
  if (secretLength === undefined || bytes.length < end) return undefined
  return {
    name: bytes.toString('latin1', 2, 2 + nameLength),
    secret: bytes.toString('latin1', 3 + nameLength, end),
    length: end,
  }
}

export interface SocksRequest {
  /** Undefined for what is none. */
  readonly host: Host | undefined
  /** As it is shown where it is none. */
  readonly shown: string
  readonly port: number
  readonly isConnect: boolean
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

const textIn = (bytes: Uint8Array): string => {
  try {
    return utf8.decode(bytes)
  } catch {
    return ''
  }
}

const hostIn = (text: string, cluster: Cluster | undefined): Host | undefined => {
  const address = addressOf(text)
  return address ? { kind: 'address', address } : namedHost(text, cluster)
}

/** Where its address begins, and how long it is; undefined where that is not known yet. */
const placeOf = (
  type: number,
  first: number | undefined,
): readonly [number, number] | 'wrong' | undefined => {
  if (type === IPV4) return [4, 4]
  if (type === IPV6) return [4, 16]
  if (type !== NAME) return 'wrong'
  return first === undefined ? undefined : [5, first]
}

export const readSocksRequest = (
  bytes: Buffer,
  cluster: Cluster | undefined,
): Read<SocksRequest> => {
  const [version, command, reserved = 0, type, first] = bytes
  if ((version !== undefined && version !== SOCKS_VERSION) || reserved !== 0) return 'wrong'
  if (type === undefined) return undefined
  const place = placeOf(type, first)
  if (place === 'wrong' || place === undefined) return place
  const [begin, length] = place
  const end = begin + length
  if (bytes.length < end + 2) return undefined
  const raw = bytes.subarray(begin, end)
  const text = type === NAME ? textIn(raw) : addressText(raw)
  return {
    host: hostIn(text, cluster),
    shown: shownAs(type, text),
    port: bytes.readUInt16BE(end),
    isConnect: command === CONNECT,
    length: end + 2,
  }
}

const addressText = (raw: Uint8Array): string =>
  raw.length === 4
    ? raw.join('.')
    : Buffer.from(raw)
        .toString('hex')
        .replaceAll(/(.{4})(?=.)/g, '$1:')

/** As it stands before a port. */
const shownAs = (type: number, text: string): string => (type === IPV6 ? `[${text}]` : text)

const CODES: Readonly<Partial<Record<Why, number>>> = {
  unresolved: 4,
  unreachable: 5,
  late: 6,
  parent: 1,
  records: 1,
  connections: 1,
}
const NOT_ALLOWED = 2
const NOT_KNOWN = 7

const reply = (code: number): Buffer => Buffer.of(SOCKS_VERSION, code, 0, IPV4, 0, 0, 0, 0, 0, 0)

export const CONNECTED = reply(0)
export const NO_SUCH_COMMAND = reply(NOT_KNOWN)
/** All that its protocol has room for. */
export const refusedReply = (why: Why): Buffer => reply(CODES[why] ?? NOT_ALLOWED)
