// Ways out that ask nobody: each reaches the far host where nothing confines the server.

import {
  API,
  METADATA,
  OTHER,
  PRIVATE,
  RESOLVER,
  SERVER_ADDRESSES,
} from '../../support/egress/addresses.ts'
import {
  LISTENED_PORT,
  type Language,
  type Proof,
  type RecordOf,
  type Row,
  type Seen,
} from '../../support/egress/row.ts'

const PORT = 8080
const [POD_IPV4, POD_IPV6] = SERVER_ADDRESSES

type More = Partial<Pick<Row, 'needs' | 'isRaw' | 'dialled' | 'record'>>

const rowOf =
  (language: Language) =>
  (name: string, words: readonly string[], seen: Proof['seen'], more: More = {}): Row => ({
    name,
    language,
    words,
    proof: { stage: 'bare', seen },
    ...more,
  })

const inC = rowOf('c')
const inPython = rowOf('python')
const inNode = rowOf('node')

/** A first segment to this address. */
const segment = (to: string, port = PORT): Seen => ({ kind: 'tcp', to, port, flags: 'S' })
const datagram = (to: string, port: number = PORT): Seen => ({
  kind: 'udp',
  to,
  port,
  text: 'way-out',
})

/** A way in C that connects to the undeclared host. */
const tcp = (way: string, name: string, more: More = {}): Row =>
  inC(name, [way, OTHER.v4, `${PORT}`], segment(OTHER.v4), more)

/** What a connect is on record as: where it would have gone, by the address as the kernel has it. */
const refused = (address: string): RecordOf => {
  const [plain = ''] = address.split('%')
  const canonical = plain.includes(':') ? new URL(`http://[${plain}]`).hostname.slice(1, -1) : plain
  return { verdict: 'denied', how: 'direct', address: canonical }
}

const to = (name: string, address: string, seen = address, port = PORT): Row =>
  inC(name, ['tcp', address, `${port}`], segment(seen, port), {
    record: refused(address),
  })

const ADDRESSES: readonly Row[] = [
  to('TCP over IPv4', OTHER.v4),
  to('TCP over IPv6', OTHER.v6),
  to('a declared host, but past the proxy', API.v4, API.v4, 443),
  to('a mapped address', OTHER.mapped, OTHER.v4),
  to('a compatible address', OTHER.compatible),
  to('a NAT64 address', OTHER.nat64),
  to('a 6to4 address', OTHER.sixToFour),
  to('a link-local address with its scope', OTHER.linkLocal, 'fe80::1'),
  to('the metadata address', METADATA.v4, METADATA.v4, 80),
  to('the metadata address of IPv6', METADATA.v6, METADATA.v6, 80),
  to('a private address', PRIVATE.ten),
  to('a unique local address', PRIVATE.unique),
  to('a far host’s port 15202', OTHER.v4, OTHER.v4, 15_202),
  to('a far host’s port 15202 over IPv6', OTHER.v6, OTHER.v6, 15_202),
  inC(
    'the address of one family on a socket of the other',
    ['tcp-other-family', OTHER.mapped, `${PORT}`],
    segment(OTHER.v4),
  ),
]

const CONNECTS: readonly Row[] = [
  tcp('tcp-nonblocking', 'connect that does not wait'),
  tcp('tcp-bound', 'from a bound socket'),
  tcp('tcp-from-sidecars-address', 'from the address that the sidecar sends from'),
  tcp('tcp-by-fork', 'by a forked child'),
  tcp('tcp-by-daemon', 'by an orphan in a session of its own'),
  tcp('tcp-by-thread', 'by a thread'),
  tcp('tcp-by-thread-with-own-files', 'by a thread with descriptors of its own'),
  tcp('tcp-undumpable', 'by a process that nobody can look into'),
  tcp('tcp-reconnected', 'a socket that was at the proxy, disconnected'),
  tcp('tcp-long-address', 'an address longer than any'),
  tcp('tcp-changing-address', 'a thread that changes the address after the check'),
  tcp('tcp-changing-socket', 'a thread that changes the socket after the check'),
  tcp('tcp-handed-over', 'a descriptor passed over a unix socket'),
  tcp('tcp-bound-to-device', 'a socket bound to the device'),
  inC(
    'to the proxy by way of the far host (segment routing)',
    ['tcp-segment-routed', OTHER.v6, `${PORT}`],
    segment(OTHER.v6, 15_202),
  ),
  tcp('tcp-by-x32', 'the x32 entry point', { needs: 'x32' }),
  tcp('tcp-by-int80', 'the 32-bit entry point', { needs: 'int80' }),
  tcp('io-uring-connect', 'connect by io_uring', { needs: 'io_uring' }),
  tcp('mptcp', 'multipath TCP', { needs: 'mptcp' }),
  tcp('smc', 'shared memory communications, which fall back to TCP', { needs: 'smc' }),
  tcp('fast-open-sendto', 'fast open by sendto'),
  tcp('fast-open-sendmsg', 'fast open by sendmsg'),
  tcp('fast-open-sendmmsg', 'fast open by sendmmsg'),
  tcp('fast-open-connect', 'fast open by its socket option'),
]

const udp = (way: string, name: string, address = OTHER.v4, seen = address): Row =>
  inC(name, [way, address, `${PORT}`], datagram(seen))

const DATAGRAMS: readonly Row[] = [
  udp('udp', 'UDP over IPv4'),
  udp('udp', 'UDP over IPv6', OTHER.v6),
  udp('udp', 'UDP to a mapped address', OTHER.mapped, OTHER.v4),
  udp('udp-connected', 'UDP, connected'),
  udp('udp-sendmsg', 'UDP by sendmsg'),
  udp('udp-sendmmsg', 'UDP by sendmmsg'),
  inC('UDP by io_uring', ['io-uring-send', OTHER.v4, `${PORT}`], datagram(OTHER.v4), {
    needs: 'io_uring',
  }),
  udp('udp-broadcast', 'UDP to everybody on the wire', '255.255.255.255'),
  inC(
    'UDP-Lite',
    ['udp-lite', OTHER.v4, `${PORT}`],
    { kind: 'udplite', to: OTHER.v4 },
    { needs: 'udplite' },
  ),
  inC('SCTP', ['sctp', OTHER.v4, `${PORT}`], { kind: 'sctp', to: OTHER.v4 }, { needs: 'sctp' }),
  inC(
    'SCTP that connects by sending',
    ['sctp-many', OTHER.v4, `${PORT}`],
    { kind: 'sctp', to: OTHER.v4 },
    { needs: 'sctp' },
  ),
  inC('an echo request', ['ping', OTHER.v4, '0'], { kind: 'icmp', to: OTHER.v4 }),
  inC('an echo request over IPv6', ['ping', OTHER.v6, '0'], { kind: 'icmp6', to: OTHER.v6 }),
  inC(
    'an echo request by a raw socket',
    ['raw-ping', OTHER.v4, '0'],
    { kind: 'icmp', to: OTHER.v4 },
    { isRaw: true },
  ),
  inC(
    'a packet of its own by a raw socket',
    ['raw-packet', OTHER.v4, `${PORT}`],
    datagram(OTHER.v4),
    { isRaw: true },
  ),
  inC('a frame of its own', ['packet', OTHER.v4, `${PORT}`], datagram(OTHER.v4), { isRaw: true }),
  inC(
    'a frame with the kernel’s header',
    ['packet-cooked', OTHER.v4, `${PORT}`],
    datagram(OTHER.v4),
    { isRaw: true },
  ),
  {
    ...inC(
      'a program with its owner’s rights',
      ['raw-packet', OTHER.v4, `${PORT}`],
      datagram(OTHER.v4),
    ),
    language: 'setuid',
  },
  inC('a socket to the machine that the pod is on', ['vsock', '127.0.0.1', '1'], 'worked', {
    needs: 'vsock',
  }),
]

const ACCOMPLICES: readonly Row[] = [
  tcp('by-abstract', 'an abstract socket of somebody whom nothing confines'),
  tcp('by-abstract-datagram', 'an abstract datagram socket of the same'),
  tcp('by-loopback', 'a loopback port of the same'),
  inC(
    'a connected socket of the same, taken',
    ['by-taken-socket', '{folder}/accomplice.pid', '99'],
    {
      kind: 'tcp',
      to: OTHER.v4,
      text: 'way-out',
    },
  ),
  inC('tracing the first process', ['trace-first', '127.0.0.1', '1'], 'worked'),
  inC('writing the first process’s memory', ['write-firsts-memory', '127.0.0.1', '1'], 'worked'),
]

const dialled = (name: string, way: string, address: string, host: string): Row =>
  inC(
    name,
    [way, address, `${LISTENED_PORT}`],
    { kind: 'tcp', from: host, flags: 'SA' },
    { dialled: { host } },
  )

const WAYS_IN: readonly Row[] = [
  dialled('listening on every address', 'listen', '0.0.0.0', POD_IPV4),
  dialled('listening on every address of both families', 'listen', '::', POD_IPV6),
  dialled('listening on the pod’s address', 'listen', POD_IPV4, POD_IPV4),
  dialled('listening unbound', 'listen-unbound', '127.0.0.1', POD_IPV4),
  dialled('listening unbound over IPv6', 'listen-unbound', '::1', POD_IPV6),
]

const PYTHON: readonly Row[] = [
  inPython('Python: TCP', ['tcp', OTHER.v4, `${PORT}`], segment(OTHER.v4)),
  inPython('Python: UDP', ['udp', OTHER.v4, `${PORT}`], datagram(OTHER.v4)),
  inPython(
    'Python: multicast',
    ['multicast', '224.0.0.251', '5353'],
    datagram('224.0.0.251', 5353),
  ),
  inPython('Python: DNS over UDP', ['dns-udp', RESOLVER, 'secret.tunnel.example'], {
    kind: 'udp',
    to: RESOLVER,
    text: 'secret',
  }),
  inPython(
    'Python: DNS over UDP to a server of its own',
    ['dns-udp', OTHER.v4, 'secret.tunnel.example'],
    {
      kind: 'udp',
      to: OTHER.v4,
      text: 'secret',
    },
  ),
  inPython(
    'Python: DNS over TCP',
    ['dns-tcp', RESOLVER, 'secret.tunnel.example'],
    segment(RESOLVER, 53),
  ),
  inPython('Python: a name by the system’s resolver', ['resolve', 'secret.tunnel.example'], {
    kind: 'udp',
    to: RESOLVER,
    text: 'secret',
  }),
  inPython(
    'Python: urllib without a proxy',
    ['urllib', `http://${OTHER.v4}/`],
    segment(OTHER.v4, 80),
  ),
  inPython('Python: asyncio', ['asyncio', OTHER.v4, `${PORT}`], segment(OTHER.v4)),
  inPython(
    'Python: a system call past every library',
    ['syscall', OTHER.v4, `${PORT}`],
    segment(OTHER.v4),
  ),
  inPython(
    'Python: another program in a session of its own',
    ['processes', OTHER.v4, `${PORT}`],
    segment(OTHER.v4),
  ),
]

const NODE: readonly Row[] = [
  inNode('Node: net', ['net', OTHER.v4, `${PORT}`], segment(OTHER.v4)),
  inNode('Node: net over IPv6', ['net', OTHER.v6, `${PORT}`], segment(OTHER.v6)),
  inNode('Node: dgram', ['dgram', OTHER.v4, `${PORT}`], datagram(OTHER.v4)),
  inNode('Node: its own resolver', ['ask', RESOLVER, 'secret.tunnel.example'], {
    kind: 'udp',
    to: RESOLVER,
    text: 'secret',
  }),
  inNode('Node: the system’s resolver', ['lookup', 'secret.tunnel.example'], {
    kind: 'udp',
    to: RESOLVER,
    text: 'secret',
  }),
  inNode(
    'Node: http with an agent of its own',
    ['http', `http://${OTHER.v4}/`],
    segment(OTHER.v4, 80),
  ),
  inNode('Node: http2', ['http2', `http://${OTHER.v4}`], segment(OTHER.v4, 80)),
  inNode('Node: tls', ['tls', OTHER.v4, '443'], segment(OTHER.v4, 443)),
  inNode('Node: a worker thread', ['worker', OTHER.v4, `${PORT}`], segment(OTHER.v4)),
  inNode('Node: curl told of no proxy', ['curl', `http://${OTHER.v4}/`], segment(OTHER.v4, 80), {
    needs: 'curl',
  }),
]

export const DIRECT_ROWS: readonly Row[] = [
  ...ADDRESSES,
  ...CONNECTS,
  ...DATAGRAMS,
  ...ACCOMPLICES,
  ...WAYS_IN,
  ...PYTHON,
  ...NODE,
]
