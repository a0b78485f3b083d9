// Which headers of a request go to another replica: none by which a client shows who it is.

import { expect, test } from '@jest/globals'
import { forwarded } from '../../../../sidecar/http/forwarded.ts'
import { askedHeaders } from '../../../../sidecar/replicas/hop-headers.ts'
import { VOUCHER_HEADER } from '../../../../sidecar/replicas/voucher.ts'
import { anExchange } from '../../../support/fake-exchange.ts'

const KEPT = {
  accept: 'application/json',
  'content-type': 'application/json',
  'last-event-id': '1',
  'mcp-session-id': 's',
  'mcp-param-city': 'Zürich',
  traceparent: 't',
  tracestate: 's',
  baggage: 'b',
  'user-agent': 'client/1',
}
const LEFT = {
  authorization: 'Bearer x',
  cookie: 'c',
  dpop: 'd',
  origin: 'https://a.example',
  host: 'h',
  connection: 'keep-alive, mcp-session-id',
  'content-length': '2',
  'transfer-encoding': 'chunked',
  expect: '100-continue',
  'x-api-key': 'k',
  [VOUCHER_HEADER]: 'v',
}

test.each([
  ['those of the protocol, of traces and for the record', undefined, {}],
  ['besides what the server is to get', forwarded(['X-API-Key']), { 'x-api-key': 'k' }],
])('%s', (_name, also, more) => {
  const { request } = anExchange({ ...KEPT, ...LEFT }).exchange
  expect(askedHeaders(request, also)).toEqual({ ...KEPT, ...more })
})
