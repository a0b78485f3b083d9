// What a legacy server is sent of a modern request, byte for byte.

import { describe, expect, test } from '@jest/globals'
import { rewrite } from '../../../../sidecar/mcp/rewrite.ts'
import { injection } from '../../../../sidecar/telemetry/trace-context.ts'
import { legacyRequest } from '../../../../sidecar/translation/legacy-request.ts'
import { aRequest } from '../../../support/messages.ts'

const VERSION = '"io.modelcontextprotocol/protocolVersion":"2026-07-28"'
const CAPABILITIES = '"io.modelcontextprotocol/clientCapabilities":{"elicitation":{}}'
const LEVEL = '"io.modelcontextprotocol/logLevel":"debug"'

const asked = (params: string): string =>
  `{"id":7,"jsonrpc":"2.0","method":"tools/call","params":${params}}`

describe('a modern request as the legacy era has it', () => {
  test.each<[string, string, string]>([
    ['without parameters of its own', `{"_meta":{${VERSION},${CAPABILITIES}}}`, '{"_meta":{}}'],
    [
      'with a progress token and a trace',
      `{"_meta":{"progressToken":"p",${VERSION},"traceparent":"00-x",${CAPABILITIES},${LEVEL}},"name":"x"}`,
      '{"_meta":{"progressToken":"p","traceparent":"00-x"},"name":"x"}',
    ],
    [
      'with numbers that no parser here could keep',
      `{"arguments":{"n":9007199254740993,"f":1.0},"_meta":{${VERSION},"n":1e400}}`,
      '{"arguments":{"n":9007199254740993,"f":1.0},"_meta":{"n":1e400}}',
    ],
    [
      'with names beyond ASCII and escapes',
      String.raw`{"_meta":{"\u0061":"ä","ö\"":"\u0062",${VERSION}}}`,
      String.raw`{"_meta":{"\u0061":"ä","ö\"":"\u0062"}}`,
    ],
    [
      'whose names are written with escapes',
      String.raw`{"_meta":{"io.modelcontextprotocol\/protocolVersion":"2026-07-28","x":1}}`,
      '{"_meta":{"x":1}}',
    ],
    [
      'with names of somebody else',
      '{"_meta":{"com.example/x":1}}',
      '{"_meta":{"com.example/x":1}}',
    ],
    [
      'with white space',
      `{ "_meta" : { ${VERSION} , "x" : 1 , ${CAPABILITIES} , "y" : 2 } }`,
      '{ "_meta" : {  "x" : 1 , "y" : 2 } }',
    ],
    ['without _meta', '{"name":"x"}', '{"name":"x"}'],
  ])('%s', (_name, params, legacy) => {
    const { request, edits } = legacyRequest(aRequest(asked(params)))
    const text = rewrite(request.text, edits)
    expect(Buffer.from(text, 'latin1').toString()).toBe(asked(legacy))
    expect(request.meta?.members.some(({ name }) => name.startsWith('io.'))).not.toBe(true)
  })
})

describe('the trace of a request', () => {
  const context = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), flags: 1, state: undefined }
  const traceparent = `00-${context.traceId}-${context.spanId}-01`

  test.each([
    ['with an envelope alone', `{"_meta":{${VERSION}}}`, { traceparent }],
    ['with a trace', `{"_meta":{"traceparent":"00-x",${VERSION}}}`, { traceparent }],
    ['with other members', `{"_meta":{${VERSION},"a":1}}`, { a: 1, traceparent }],
  ])('goes on to the server: %s', (_name, params, meta) => {
    const { request, edits } = legacyRequest(aRequest(asked(params)))
    const all = [...edits, ...injection(request, context)]
    const { params: sent } = JSON.parse(rewrite(request.text, all))
    expect(sent).toEqual({ _meta: meta })
  })
})
