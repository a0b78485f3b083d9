import { describe, expect, test } from '@jest/globals'
import type { Key } from '../../../shared/annotations.ts'
import { conflicts, parseSettings, parseValue, wants } from '../../../shared/settings.ts'

const right: readonly (readonly [Key, string, unknown])[] = [
  ['inject', 'true', true],
  ['inject', 'false', false],
  ['container', 'my-server.v2', 'my-server.v2'],
  ['transport', 'http', 'http'],
  ['transport', 'sse', 'sse'],
  ['forward-headers', 'Authorization, X-Api-Key', ['Authorization', 'X-Api-Key']],
  ['command', '["node","a b","$(X)",""]', ['node', 'a b', '$(X)', '']],
  ['port', '65535', 65_535],
  ['path', '/a/%20b?c', '/a/%20b?c'],
  ['idle-timeout', '500ms', 500],
  ['idle-timeout', '2h', 7_200_000],
  ['idle-timeout', '2147483647ms', 2_147_483_647],
  ['max-processes', '1024', 1024],
  ['max-request-size', '512Ki', 524_288],
  ['rate-limit', '300/m', { amount: 300, periodMs: 60_000 }],
  ['rate-limit', '1/s', { amount: 1, periodMs: 1000 }],
  ['rate-limit', '1000000/h', { amount: 1_000_000, periodMs: 3_600_000 }],
  ['concurrency-limit', '4096', 4096],
  ['circuit-breaker', '5/30s', { failures: 5, pauseMs: 30_000 }],
  [
    'tool-limits',
    'search=30/m, search=2,search=90s,a/b.c:d-e=1h',
    new Map([
      ['search', { rate: { amount: 30, periodMs: 60_000 }, concurrency: 2, timeoutMs: 90_000 }],
      ['a/b.c:d-e', { timeoutMs: 3_600_000 }],
    ]),
  ],
  ['tool-limits', '__proto__=1', new Map([['__proto__', { concurrency: 1 }]])],
  ['max-response-size', '32Mi', 33_554_432],
  ['run-as-user', '2147483647', { every: 2_147_483_647, named: new Map() }],
  ['run-as-user', '7, init.db=8', { every: 7, named: new Map([['init.db', 8]]) }],
  [
    'run-as-user',
    'a=8,b=9',
    {
      every: undefined,
      named: new Map([
        ['a', 8],
        ['b', 9],
      ]),
    },
  ],
  ['oidc-issuers', 'https://a, https://b', ['https://a', 'https://b']],
  ['egress', 'api.example.com:443,*.example.com:80', ['api.example.com:443', '*.example.com:80']],
  [
    'egress',
    '10.0.0.0/8:5432,[2001:db8::]:443,2001:db8::/32:443',
    ['10.0.0.0/8:5432', '[2001:db8::]:443', '2001:db8::/32:443'],
  ],
  ['egress', '10.1.2.3:443,[::1]:80', ['10.1.2.3:443', '[::1]:80']],
  ['writable-paths', '/data,/var/lib/x', ['/data', '/var/lib/x']],
  ['sidecar-cpu-limit', '1.5', '1.5'],
  ['sidecar-memory-limit', '256Mi', '256Mi'],
  ['public-url', 'https://mcp.example/mcp', 'https://mcp.example/mcp'],
]

const wrong: readonly (readonly [Key, string])[] = [
  ['sidecar-cpu-limit', '9'.repeat(19)],
  ['sidecar-memory-limit', `0.${'1'.repeat(10)}Gi`],
  ['oidc-issuers', Array.from({ length: 257 }, (_, index) => `i${index}`).join(',')],
  ['inject', 'yes'],
  ['inject', 'True'],
  ['inject', ' true'],
  ['inject', 'constructor'],
  ['container', 'My_Server'],
  ['container', ''],
  ['transport', 'grpc'],
  ['forward-headers', 'Host'],
  ['forward-headers', 'Mcp-Session-Id'],
  ['forward-headers', 'X-A, X-A'],
  ['forward-headers', 'X: y'],
  ['forward-headers', ''],
  ['command', 'node server.js'],
  ['command', '[]'],
  ['command', '[""]'],
  ['command', '["a",1]'],
  ['command', '["a\\u0000b"]'],
  ['port', '0'],
  ['port', '65536'],
  ['port', '08080'],
  ['port', '1e3'],
  ['path', 'mcp'],
  ['path', '/a b'],
  ['idle-timeout', '0s'],
  ['idle-timeout', '1.5h'],
  ['idle-timeout', '30'],
  ['idle-timeout', '-1s'],
  ['idle-timeout', '999999999h'],
  ['max-processes', '0'],
  ['max-processes', '1025'],
  ['rate-limit', '0/m'],
  ['rate-limit', '300'],
  ['rate-limit', '300/d'],
  ['rate-limit', '1.5/s'],
  ['rate-limit', '1/m/s'],
  ['rate-limit', '1000001/h'],
  ['concurrency-limit', '0'],
  ['concurrency-limit', '4097'],
  ['circuit-breaker', '5'],
  ['circuit-breaker', '0/30s'],
  ['circuit-breaker', '5/30'],
  ['circuit-breaker', '5/30s/1'],
  ['tool-limits', ''],
  ['tool-limits', 'search'],
  ['tool-limits', 'search='],
  ['tool-limits', 'search=2=3'],
  ['tool-limits', '=2'],
  ['tool-limits', 'two words=2'],
  ['tool-limits', '*=2'],
  ['tool-limits', 'search=2,search=3'],
  ['tool-limits', 'search=1/s,search=2/s'],
  ['tool-limits', Array.from({ length: 257 }, (_, index) => `t${index}=1`).join()],
  ['max-request-size', '0Mi'],
  ['max-request-size', '4M'],
  ['max-request-size', '4194304'],
  ['max-response-size', '1.5Mi'],
  ['max-response-size', '1Gi'],
  ['run-as-user', '2147483648'],
  ['run-as-user', '0'],
  ['run-as-user', '1,2'],
  ['run-as-user', 'a=1,a=2'],
  ['run-as-user', 'a=1=2'],
  ['run-as-user', 'a='],
  ['run-as-user', '=1'],
  ['run-as-user', 'A=1'],
  ['run-as-user', ''],
  ['oidc-issuers', 'https://a,,https://b'],
  ['oidc-issuers', 'https://a,https://a'],
  ['egress', 'example.com'],
  ['egress', 'example.com:0'],
  ['egress', 'exa*mple.com:443'],
  ['egress', 'https://example.com:443'],
  ['egress', '999.0.0.0/8:443'],
  ['egress', '300.1.1.1:443'],
  ['egress', '10.0.0.0/33:443'],
  ['egress', '10.0.0.0/8/8:443'],
  ['egress', '2001:db8::1:443'],
  ['egress', '*.10.0.0.1:443'],
  ['egress', '*.:443'],
  ['egress', '[example.com]:443'],
  ['writable-paths', '/'],
  ['writable-paths', '/a/../b'],
  ['writable-paths', '/a/'],
  ['writable-paths', 'data'],
  ['sidecar-cpu-limit', '0'],
  ['sidecar-cpu-limit', '-1'],
  ['sidecar-cpu-limit', '1 core'],
  ['public-url', 'ftp://mcp.example'],
  ['public-url', 'https://user@mcp.example/'],
  ['public-url', 'https://mcp.example/#x'],
]

describe('parseValue', () => {
  test.each(right)('%s takes %j', (key, text, value) => {
    expect(parseValue(key, text)).toEqual({ ok: true, value })
  })

  test.each(wrong)('%s refuses %j and says what would be right', (key, text) => {
    const result = parseValue(key, text)
    expect(result.ok).toBe(false)
    // Of destinations each item is told by itself (destination.test.ts).
    const isRight =
      key === 'egress' ? expect.stringMatching(/: "/) : expect.stringContaining(wants(key))
    expect(result).toEqual({ ok: false, error: isRight })
  })

  test('a huge value is refused and not repeated', () => {
    const result = parseValue('oidc-issuers', 'x'.repeat(70_000))
    expect(result.ok).toBe(false)
    if (!result.ok) expect(result.error.length).toBeLessThan(300)
  })
})

describe('parseSettings', () => {
  test('tells every error at once', () => {
    const result = parseSettings({ port: 'x', transport: 'y', nonsense: 'z' })
    expect(result).toMatchObject({ ok: false })
    if (!result.ok) expect(result.error).toHaveLength(3)
  })
})

describe('what cannot hold together', () => {
  test.each([
    [{ 'translate-eras': 'true' }, 0],
    [{ 'forward-headers': 'X-A' }, 0],
    [{ 'forward-headers': 'X-A', 'translate-eras': 'false' }, 0],
    [{ 'forward-headers': 'X-A', 'translate-eras': 'true' }, 1],
    [{ 'forward-headers': 'X-A', 'process-model': 'principal' }, 1],
    [{ 'forward-headers': 'Authorization' }, 1],
    [{ 'forward-headers': 'Authorization', auth: 'none' }, 0],
    [{ 'spare-processes': '1', 'egress-mode': 'enforce' }, 0],
    [{ 'spare-processes': '1' }, 1],
    [{ 'spare-processes': '1', 'egress-mode': 'enforce', 'process-model': 'shared' }, 1],
    [{ 'spare-processes': '1', 'egress-mode': 'enforce', transport: 'http' }, 1],
    [
      {
        'spare-processes': '1',
        'egress-mode': 'enforce',
        'caller-environment': 'A={{claims.a}}',
      },
      1,
    ],
    [{ 'caller-environment': 'A={{claims.a}}' }, 0],
    [{ 'caller-environment': 'A={{claims.a}}', 'process-model': 'principal' }, 0],
    [{ 'caller-environment': 'A={{claims.a}}', 'process-model': 'shared' }, 1],
    [{ 'caller-environment': 'A={{claims.a}}', auth: 'none' }, 1],
    [{ 'caller-environment': 'A={{claims.a}}', transport: 'http' }, 1],
    [{ 'caller-environment': 'A={{claims.a}}', transport: 'sse', auth: 'none' }, 2],
    [{ 'caller-environment': 'A={{claims.a}}', transport: 'http', 'process-model': 'shared' }, 1],
  ])('%j: %d sentences', (texts, count) => {
    const settings = parseSettings(texts)
    expect(settings.ok && conflicts(settings.value)).toHaveLength(count)
  })
})
