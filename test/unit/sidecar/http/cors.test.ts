// What a browser may read and send.

import { describe, expect, test } from '@jest/globals'
import { corsHeaders, PREFLIGHT } from '../../../../sidecar/http/cors.ts'

const preflight = new Map(PREFLIGHT)

describe('cors', () => {
  test('names the one origin, never a star, and says that the answer depends on it', () => {
    const headers = new Map(corsHeaders('https://a.example'))
    expect(headers.get('access-control-allow-origin')).toBe('https://a.example')
    expect(headers.get('vary')).toBe('Origin')
    expect(headers.has('access-control-allow-credentials')).toBe(false)
    expect(headers.get('access-control-expose-headers')).toContain('Mcp-Session-Id')
  })

  test.each([
    'Authorization',
    'Content-Type',
    'Accept',
    'Mcp-Session-Id',
    'MCP-Protocol-Version',
    'Mcp-Method',
    'Mcp-Name',
    'Last-Event-ID',
    '*',
  ])('allows the header %s', (name) => {
    expect(preflight.get('access-control-allow-headers')?.split(', ')).toContain(name)
  })

  test('allows the methods of the endpoint', () => {
    expect(preflight.get('access-control-allow-methods')).toBe('POST, GET, DELETE')
  })
})
