// Ways out by way of the proxy: past its list, its credentials, its look at addresses and into TLS, and its reading of HTTP. Where the
// list alone stops them they get out in `observe`; the others by the words that their proof has.

import {
  API,
  API_SERVER,
  METADATA,
  OTHER,
  PRIVATE,
  SERVER_ADDRESSES,
} from '../../support/egress/addresses.ts'
import type { Proof, RecordOf, Row, Seen, SidecarMay } from '../../support/egress/row.ts'

/** What the server of these rows declares. */
export const DECLARED = [
  'api.example:443',
  'api.example:80',
  '*.wild.example:443',
  '*.wild.example:80',
  '*.wild.example:9999',
  'lonely.example:443',
  '5432=db.team.svc.cluster.local:5000',
  '*.team.svc:443',
].join(', ')

const segment = (to: string, port: number): Seen => ({ kind: 'tcp', to, port, flags: 'S' })
const observed = (seen: Seen, words?: readonly string[]): Proof => ({
  stage: 'observe',
  seen,
  ...(words && { words }),
})
const bare = (words: readonly string[], seen: Seen): Proof => ({ stage: 'bare', words, seen })
/** The host that nobody declares is there, and takes what comes directly. */
const OTHER_IS_THERE = bare(['tcp', OTHER.v4, '80'], segment(OTHER.v4, 80))
const METADATA_IS_THERE = bare(['tcp', METADATA.v4, '80'], segment(METADATA.v4, 80))

const denied = (why: string, how?: string): RecordOf => ({
  verdict: 'denied',
  why,
  ...(how && { how }),
})
const UNDECLARED = denied('undeclared')
const MALFORMED = denied('malformed')
const UNKNOWN: RecordOf = { verdict: 'denied', how: 'unknown' }

interface ProxyRow {
  readonly words: readonly string[]
  readonly proof: Proof
  readonly record: RecordOf
  readonly sidecar?: SidecarMay
}

const row = (name: string, rest: ProxyRow): Row => ({ name, language: 'python', ...rest })

const connectText = (authority: string): string =>
  `CONNECT ${authority} HTTP/1.1\\r\\nHost: ${authority}\\r\\n{auth}\\r\\n`
const getText = (url: string, host: string, rest = ''): string =>
  `GET ${url} HTTP/1.1\\r\\nHost: ${host}\\r\\n{auth}${rest}\\r\\n`

// --- What is not on the list

const tunnel = (authority: string, address: string, port: number): Row =>
  row(`CONNECT ${authority}`, {
    words: ['connect', authority],
    proof: observed(segment(address, port)),
    record: UNDECLARED,
  })

/** An address as people and parsers also write it. */
const spelled = (authority: string, text: string, address = OTHER.v4): Row =>
  row(`CONNECT ${authority}`, {
    words: ['connect', authority],
    proof: bare(['tcp', text, '8080'], segment(address, 8080)),
    record: { verdict: 'denied' },
  })

const UNLISTED: readonly Row[] = [
  tunnel('other.example:8080', OTHER.v4, 8080),
  tunnel('other.example:443', OTHER.v4, 443),
  tunnel('api.example:8080', API.v4, 8080),
  tunnel('wild.example:443', OTHER.v4, 443),
  tunnel('evilwild.example:443', OTHER.v4, 443),
  tunnel('evilapi.example:443', OTHER.v4, 443),
  tunnel('api.example.other.example:443', OTHER.v4, 443),
  tunnel(`${OTHER.v4}:8080`, OTHER.v4, 8080),
  tunnel(`[${OTHER.v6}]:8080`, OTHER.v6, 8080),
  tunnel(`${PRIVATE.ten}:8080`, PRIVATE.ten, 8080),
  spelled(`[${OTHER.mapped}]:8080`, OTHER.mapped),
  spelled(`[${OTHER.nat64}]:8080`, OTHER.nat64, OTHER.nat64),
  spelled(`[${OTHER.sixToFour}]:8080`, OTHER.sixToFour, OTHER.sixToFour),
  spelled('755695682:8080', '755695682'),
  spelled('0x2d0b0042:8080', '0x2d0b0042'),
  spelled('055.013.0.0102:8080', '055.013.0.0102'),
  spelled('45.11.66:8080', '45.11.66'),
  row('a request in absolute form', {
    words: ['raw', 'right', getText('http://other.example/', 'other.example')],
    proof: observed(segment(OTHER.v4, 80)),
    record: UNDECLARED,
  }),
  row('SOCKS to a name', {
    words: ['socks', 'right', 'other.example', '8080'],
    proof: observed(segment(OTHER.v4, 8080)),
    record: UNDECLARED,
  }),
  row('SOCKS to an address', {
    words: ['socks', 'right', OTHER.v4, '8080'],
    proof: observed(segment(OTHER.v4, 8080)),
    record: UNDECLARED,
  }),
  row('SOCKS to an address of IPv6', {
    words: ['socks', 'right', OTHER.v6, '8080'],
    proof: observed(segment(OTHER.v6, 8080)),
    record: UNDECLARED,
  }),
  row('SOCKS to an address as a name', {
    words: ['socks', 'right', '0x2d0b0042', '8080'],
    proof: bare(['tcp', '0x2d0b0042', '8080'], segment(OTHER.v4, 8080)),
    record: { verdict: 'denied' },
  }),
  {
    name: 'a redirect of a declared host',
    language: 'node',
    words: ['fetch', 'http://api.example/?to=http://other.example/'],
    proof: observed(segment(OTHER.v4, 80)),
    record: { ...UNDECLARED, host: 'other.example' },
    sidecar: { asks: ['api.example'], dials: [API.v4], sendsAllBut: 'Host: other.example' },
  },
]

// --- Who it is

const LISTED = connectText('api.example:443')
const KNOWN: Proof = {
  stage: 'enforce',
  words: ['raw', 'right', LISTED],
  seen: segment(API.v4, 443),
}

const stranger = (which: string): Row =>
  row(`CONNECT with credentials: ${which}`, {
    words: ['raw', which, LISTED],
    proof: KNOWN,
    record: UNKNOWN,
  })

const STRANGERS: readonly Row[] = [
  ...['none', 'empty', 'no-secret', 'wrong-secret', 'one-character-off', 'prefix', 'longer'].map(
    stranger,
  ),
  ...['other-child', 'swapped', 'not-base64', 'bearer'].map(stranger),
  row('a request in absolute form without credentials', {
    words: ['raw', 'none', getText('http://api.example/{mark}', 'api.example')],
    proof: {
      stage: 'enforce',
      words: ['raw', 'right', getText('http://api.example/{mark}', 'api.example')],
      seen: { to: API.v4, port: 80, text: 'way-out' },
    },
    record: UNKNOWN,
  }),
  ...['none', 'wrong-secret'].map((which) =>
    row(`SOCKS with credentials: ${which}`, {
      words: ['socks', which, 'api.example', '80'],
      proof: {
        stage: 'enforce',
        words: ['socks', 'right', 'api.example', '80'],
        seen: { to: API.v4, port: 80, text: 'way-out' },
      },
      record: UNKNOWN,
    }),
  ),
  row('SOCKS 4, which has no password', {
    words: ['socks4', 'api.example', '80'],
    proof: { ...KNOWN, words: ['raw', 'right', LISTED] },
    record: UNKNOWN,
  }),
  row('credentials in the first request of a connection alone', {
    words: [
      'raw',
      'right',
      getText('http://api.example/first', 'api.example'),
      'GET http://api.example/{mark} HTTP/1.1\\r\\nHost: api.example\\r\\n\\r\\n',
    ],
    proof: {
      stage: 'enforce',
      words: ['raw', 'right', getText('http://api.example/{mark}', 'api.example')],
      seen: { to: API.v4, port: 80, text: 'way-out' },
    },
    record: UNKNOWN,
    sidecar: { asks: ['api.example'], dials: [API.v4], sendsAllBut: 'way-out' },
  }),
]

// --- At the port of its own, where it need not say who it is

const OWN: Proof = {
  stage: 'enforce',
  words: ['raw-own', 'none', LISTED],
  seen: segment(API.v4, 443),
}

const OWN_PORT: readonly Row[] = [
  row('what nobody declares, at the port of its own', {
    words: ['raw-own', 'none', connectText('other.example:8080')],
    proof: observed(segment(OTHER.v4, 8080)),
    record: UNDECLARED,
  }),
  ...['wrong-secret', 'other-child', 'not-base64'].map((which) =>
    row(`at the port of its own with credentials: ${which}`, {
      words: ['raw-own', which, LISTED],
      proof: OWN,
      record: UNKNOWN,
    }),
  ),
  row('SOCKS at the port of its own with wrong credentials', {
    words: ['socks-own', 'wrong-secret', 'api.example', '80'],
    proof: {
      stage: 'enforce',
      words: ['socks-own', 'none', 'api.example', '80'],
      seen: { to: API.v4, port: 80, text: 'way-out' },
    },
    record: UNKNOWN,
  }),
]

// --- Where a name leads

const astray = (name: string, proof: Proof, record: RecordOf): Row =>
  row(`a name that leads astray: ${name}`, {
    words: ['connect', `${name}.wild.example:443`],
    proof,
    record,
    sidecar: { asks: [`${name}.wild.example`] },
  })

const METADATA6_IS_THERE = bare(['tcp', METADATA.v6, '80'], segment(METADATA.v6, 80))
const FORBIDDEN = denied('forbidden-address')

const ASTRAY: readonly Row[] = [
  astray('private', observed(segment(PRIVATE.ten, 443)), denied('address')),
  astray('unique', observed(segment(PRIVATE.unique, 443)), denied('address')),
  astray('metadata', METADATA_IS_THERE, FORBIDDEN),
  astray('metadata6', METADATA6_IS_THERE, FORBIDDEN),
  astray(
    'alibaba',
    bare(['tcp', METADATA.alibaba, '80'], segment(METADATA.alibaba, 80)),
    FORBIDDEN,
  ),
  astray('azure', bare(['tcp', METADATA.azure, '80'], segment(METADATA.azure, 80)), FORBIDDEN),
  astray('mapped', METADATA_IS_THERE, FORBIDDEN),
  astray(
    'nat64',
    bare(['tcp', '64:ff9b::a9fe:a9fe', '80'], segment('64:ff9b::a9fe:a9fe', 80)),
    FORBIDDEN,
  ),
  row('a name that leads to a public address and a private one', {
    words: ['connect', 'both.wild.example:80'],
    proof: bare(['tcp', PRIVATE.ten, '80'], segment(PRIVATE.ten, 80)),
    record: { verdict: 'allowed' },
    sidecar: { asks: ['both.wild.example'], dials: [API.v4], sendsAllBut: 'x' },
  }),
  row('a name that changes between resolutions', {
    words: ['connect-often', 'changing.wild.example:80', '4'],
    proof: METADATA_IS_THERE,
    record: FORBIDDEN,
    sidecar: { asks: ['changing.wild.example'], dials: [API.v4], sendsAllBut: 'x' },
  }),
  row('a name that leads to somebody on the pod’s loopback', {
    words: [
      'raw',
      'right',
      connectText('loopback.wild.example:9999'),
      `${OTHER.v4} 8080 {mark}\\n`,
    ],
    proof: observed(segment(OTHER.v4, 8080)),
    record: denied('address'),
    sidecar: { asks: ['loopback.wild.example'] },
  }),
  row('somebody on the pod’s loopback', {
    words: ['raw', 'right', connectText('127.0.0.1:9999'), `${OTHER.v4} 8080 {mark}\\n`],
    proof: observed(segment(OTHER.v4, 8080)),
    record: UNDECLARED,
  }),
  row('a Service that is an alias of the API server', {
    words: ['connect', 'alias.team.svc:443'],
    proof: observed(segment(API_SERVER, 443)),
    record: denied('address'),
    sidecar: { asks: ['alias.team.svc.cluster.local', 'kubernetes.default.svc.cluster.local'] },
  }),
  row('the metadata address', {
    words: ['connect', `${METADATA.v4}:80`],
    proof: METADATA_IS_THERE,
    record: FORBIDDEN,
  }),
  row('the metadata address in a request', {
    words: ['raw', 'right', getText(`http://${METADATA.v4}/latest/`, METADATA.v4)],
    proof: METADATA_IS_THERE,
    record: FORBIDDEN,
  }),
  row('the sidecar’s own port', {
    words: ['connect', '127.0.0.1:15200'],
    proof: { stage: 'beside', words: ['tcp', '127.0.0.1', '15200'], seen: 'worked' },
    record: FORBIDDEN,
  }),
  row('the sidecar’s own port at the pod’s address', {
    words: ['connect', `${SERVER_ADDRESSES[0]}:15200`],
    proof: { stage: 'beside', words: ['tcp', SERVER_ADDRESSES[0], '15200'], seen: 'worked' },
    record: FORBIDDEN,
  }),
  row('a name as a tunnel', {
    words: ['connect', 'secret.tunnel.example:443'],
    proof: observed({ kind: 'udp', port: 53, text: 'secret' }),
    record: UNDECLARED,
  }),
  row('a name that the search list alone knows', {
    words: ['connect', 'lonely.example:443'],
    proof: bare(['resolve', 'lonely.example'], {
      kind: 'udp',
      port: 53,
      text: 'lonely\u0007example\u0004team',
    }),
    record: { verdict: 'failed' },
    sidecar: { asks: ['lonely.example'] },
  }),
]

export const PROXY_ROWS: readonly Row[] = [...UNLISTED, ...STRANGERS, ...OWN_PORT, ...ASTRAY]
export { MALFORMED, OTHER_IS_THERE, connectText, denied, getText, observed, row }
