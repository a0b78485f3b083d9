import { describe, expect, test } from '@jest/globals'
import { findBridge, type Bridge } from '../../../webhook/inject/bridge.ts'

type Row = readonly [
  name: string,
  command: readonly string[] | undefined,
  args: readonly string[],
  image: string,
  expected: Bridge | undefined,
]

/** A bridge that tells no more than this. */
const bridge = (name: string, more: Partial<Bridge> = {}): Bridge => ({
  name,
  command: undefined,
  port: undefined,
  path: undefined,
  ...more,
})

const SERVER = ['npx', '-y', 'server', '/data']

describe('the server behind a bridge', () => {
  test.each<Row>([
    [
      'supergateway by its image',
      undefined,
      ['--stdio', 'npx -y server /data', '--port', '8000'],
      'supercorp/supergateway:3.4.3',
      bridge('supergateway', { command: SERVER, port: 8000 }),
    ],
    [
      'supergateway by npx, with a version and a path',
      ['npx', '-y', 'supergateway@3'],
      ['--stdio=npx -y server /data', '--streamableHttpPath', '/x'],
      'node',
      bridge('supergateway', { command: SERVER, path: '/x' }),
    ],
    [
      'mcpgateway in a shell',
      ['sh', '-c', "npx -y @michlyn/mcpgateway --stdio 'npx -y server /data' --port 8080"],
      [],
      'node',
      bridge('@michlyn/mcpgateway', { command: SERVER, port: 8080 }),
    ],
    [
      'mcp-proxy before dashes',
      ['/usr/bin/mcp-proxy'],
      ['--port', '8080', '--', 'npx', '-y', 'server', '/data'],
      'python',
      bridge('mcp-proxy', { command: SERVER, port: 8080 }),
    ],
    [
      'mcpo by uvx',
      ['uvx', 'mcpo'],
      ['--', 'npx', '-y', 'server', '/data'],
      'python',
      bridge('mcpo', { command: SERVER }),
    ],
    [
      'one whose server only a shell could start',
      ['supergateway'],
      ['--stdio', 'cd /app && server'],
      'node',
      bridge('supergateway'),
    ],
    [
      'one with a configuration of its own',
      ['mcpo', '--config', '/config.json'],
      [],
      'python',
      bridge('mcpo'),
    ],
    [
      'a port that is none',
      ['supergateway', '--port', '99999', '--httpPath', 'x'],
      [],
      'node',
      bridge('supergateway'),
    ],
    [
      'one whose server needs a shell for its environment',
      ['supergateway'],
      ['--stdio', 'KEY=1 npx -y server', '--port', '8000'],
      'x',
      bridge('supergateway', { port: 8000 }),
    ],
    [
      'one that is told two servers',
      ['supergateway'],
      ['--stdio', 'a', '--stdio', 'b'],
      'x',
      bridge('supergateway'),
    ],
    [
      'a server by exec, and its bridge by exec',
      ['sh', '-c', "exec supergateway --stdio 'exec npx -y server /data'"],
      [],
      'x',
      bridge('supergateway', { command: SERVER }),
    ],
    [
      'a port that is the server’s own',
      ['mcp-proxy'],
      ['--', 'server', '--port', '9000'],
      'x',
      bridge('mcp-proxy', { command: ['server', '--port', '9000'] }),
    ],
    [
      'npm’s own dashes before the bridge’s',
      ['npm', 'exec', 'mcp-proxy'],
      ['--', '--port', '8080', '--', ...SERVER],
      'x',
      bridge('mcp-proxy', { command: SERVER, port: 8080 }),
    ],
    [
      'npm’s own dashes before the package',
      ['npm', 'exec', '--', 'mcp-proxy'],
      ['--port', '8080', '--', ...SERVER],
      'x',
      bridge('mcp-proxy', { command: SERVER, port: 8080 }),
    ],
    [
      'an option of a script file',
      ['sh', 'start.sh', '-c', 'supergateway --stdio x'],
      [],
      'x',
      undefined,
    ],
    ['no bridge', ['server'], ['--stdio', 'x'], 'supergateway', undefined],
    ['a script of several commands', ['sh', '-c', 'a; supergateway --stdio b'], [], 'x', undefined],
    ['nothing at all', undefined, [], '', undefined],
  ])('%s', (...[, command, args, image, expected]) => {
    expect(findBridge(command, args, image)).toEqual(expected)
  })
})

describe('a bridge is kept for what it does beside bridging', () => {
  test.each<[string, string, readonly string[]]>([
    ['an environment', 'mcp-proxy', ['--env', 'KEY', 'value']],
    ['an environment, in short', 'mcp-proxy', ['-e', 'KEY', 'value']],
    ['a directory', 'mcp-proxy', ['--cwd=/app']],
    ['more servers', 'mcp-proxy', ['--named-server', 'other', 'server2']],
    ['a shell', 'mcp-proxy', ['--shell']],
    ['a key that callers need', 'mcpo', ['--api-key', 'x']],
    ['a key that callers need, in short', 'mcpo', ['-k', 'x']],
    ['a key that callers need, of the other mcp-proxy', 'mcp-proxy', ['--apiKey', 'x']],
    ['a file of variables', 'mcpo', ['--env-path', '.env']],
  ])('%s', (_name, program, flags) => {
    expect(findBridge([program, ...flags, '--', ...SERVER], [], 'x')).toEqual(bridge(program))
    expect(findBridge([program, '--', ...SERVER, ...flags], [], 'x')?.command).toEqual([
      ...SERVER,
      ...flags,
    ])
  })
})
