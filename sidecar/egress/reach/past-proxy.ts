// Why a process may not go past the proxy as it has tried to: a word for records, and a sentence that says what to do. Pure.

import { addressOf, kindOf, textOf, type Address } from '../../../shared/address.ts'
import { ADMIN_PORT, MCP_PORT } from '../../../shared/names.ts'
import type { EgressAttempt } from '../../server/control-frame.ts'

export const PAST_WHYS = [
  /** It is an address beyond the pod, and the proxy leads there. */
  'past-proxy',
  /** Somebody else in the pod. */
  'loopback',
  /** The link, a metadata service, or the sidecar. */
  'forbidden-address',
  /** No TCP. */
  'protocol',
  /** A unix socket that is not the server's own. */
  'unix-socket',
] as const
export type PastWhy = (typeof PAST_WHYS)[number]

export interface PastRefusal {
  readonly why: PastWhy
  readonly words: string
}

type Tried = Pick<EgressAttempt, 'how' | 'address' | 'port' | 'socket'>

/** As Linux numbers them, on every architecture that there is a shim for. */
const [INET, NETLINK, INET6, PACKET, VSOCK] = [2, 16, 10, 17, 40] as const
const RAW = 3
const [ICMP, ICMP6, SCTP] = [1, 58, 132] as const

const FAMILIES: ReadonlyMap<number, string> = new Map([
  [NETLINK, 'netlink sockets'],
  [PACKET, 'packet sockets'],
  [VSOCK, 'vsock sockets'],
])

const socketWords = (socket: Tried['socket']): string => {
  if (!socket) return 'sockets of this kind'
  const { domain, type, protocol } = socket
  if (domain !== INET && domain !== INET6) {
    return FAMILIES.get(domain) ?? `sockets of family ${domain}`
  }
  if (type === RAW) return 'raw sockets'
  if (protocol === ICMP || protocol === ICMP6) return 'ping sockets'
  return protocol === SCTP ? 'SCTP sockets' : `sockets of protocol ${protocol}`
}

const placeText = (address: Address, port: number): string => {
  const text = textOf(address)
  return text.includes(':') ? `[${text}]:${port}` : `${text}:${port}`
}

const addressWords = (address: Address, port: number): PastRefusal => {
  const place = placeText(address, port)
  const kind = kindOf(address)
  if (kind === 'near') {
    return { why: 'forbidden-address', words: "it is the link or a cloud's metadata service" }
  }
  if (kind === 'loopback') {
    return port === MCP_PORT || port === ADMIN_PORT
      ? { why: 'forbidden-address', words: "it is the sidecar's own port" }
      : {
          why: 'loopback',
          words: `somebody else in this pod listens there, and no process of this server: declare the forward \`${port}=${place}\` where that is right`,
        }
  }
  return {
    why: 'past-proxy',
    words:
      'nothing leads there but the proxy: let the program use HTTPS_PROXY, or declare a forward, `LOCAL=host:port`, and let it connect to 127.0.0.1:LOCAL',
  }
}

/** Why not; what is told of a kind of socket that cannot be made has no address. */
export const pastRefusal = ({ how, address: text, port, socket }: Tried): PastRefusal => {
  if (how === 'udp') {
    return { why: 'protocol', words: 'UDP is not let out: names are resolved by the proxy' }
  }
  if (how === 'unix') {
    return { why: 'unix-socket', words: 'no process of this server has bound that unix socket' }
  }
  const address = text === undefined ? undefined : addressOf(text)
  return how === 'other' || !address
    ? { why: 'protocol', words: `${socketWords(socket)} are not let out: TCP is, by the proxy` }
    : addressWords(address, port)
}
