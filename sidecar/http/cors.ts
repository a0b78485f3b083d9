// What browsers on an allowed Origin need to hear (Fetch standard, CORS). Nothing is said to others.

export const corsHeaders = (origin: string): readonly (readonly [string, string])[] => [
  ['access-control-allow-origin', origin],
  ['access-control-expose-headers', 'Mcp-Session-Id, WWW-Authenticate, DPoP-Nonce'],
  ['vary', 'Origin'],
]

/** The star stands for the `Mcp-Param-*` headers, which a tool names; `Authorization` is never meant by it. */
export const PREFLIGHT: readonly (readonly [string, string])[] = [
  ['access-control-allow-methods', 'POST, GET, DELETE'],
  [
    'access-control-allow-headers',
    'Authorization, Content-Type, Accept, Mcp-Session-Id, MCP-Protocol-Version, Mcp-Method, Mcp-Name, Last-Event-ID, *',
  ],
  ['access-control-max-age', '600'],
]
