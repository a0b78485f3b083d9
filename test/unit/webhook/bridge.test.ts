import { describe, expect, test } from '@jest/globals'
import { findBridge } from '../../../webhook/inject/bridge.ts'

type Row = readonly [
  name: string,
  command: readonly string[] | undefined,
  args: readonly string[],
  image: string,
  expected: object | undefined,
]

const SERVER = ['npx', '-y', 'server', '/data']

describe('the server behind a bridge', () => {
  test.each<Row>([
    [
      'supergateway by its image',
      undefined,
      ['--stdio', 'npx -y server /data', '--port', '8000'],
      'supercorp/supergateway:3.4.3',
      { name: 'supergateway', command: SERVER, port: 8000, path: undefined },
    ],
    [
      'supergateway by npx, with a version and a path',
      ['npx', '-y', 'supergateway@3'],
      ['--stdio=npx -y server /data', '--streamableHttpPath', '/x'],
      'node',
      { name: 'supergateway', command: SERVER, port: undefined, path: '/x' },
    ],
    [
      'mcpgateway in a shell',
      ['sh', '-c', "npx -y @michlyn/mcpgateway --stdio 'npx -y server /data' --port 8080"],
      [],
      'node',
      { name: '@michlyn/mcpgateway', command: SERVER, port: 8080, path: undefined },
    ],
    [
      'mcp-proxy before dashes',
      ['/usr/bin/mcp-proxy'],
      ['--port', '8080', '--', 'npx', '-y', 'server', '/data'],
      'python',
      { name: 'mcp-proxy', command: SERVER, port: 8080, path: undefined },
    ],
    [
      'mcpo by uvx',
      ['uvx', 'mcpo'],
      ['--', 'npx', '-y', 'server', '/data'],
      'python',
      { name: 'mcpo', command: SERVER, port: undefined, path: undefined },
    ],
    [
      'one whose server only a shell could start',
      ['supergateway'],
      ['--stdio', 'cd /app && server'],
      'node',
      { name: 'supergateway', command: undefined, port: undefined, path: undefined },
    ],
    [
      'one with a configuration of its own',
      ['mcpo', '--config', '/config.json'],
      [],
      'python',
      { name: 'mcpo', command: undefined, port: undefined, path: undefined },
    ],
    [
      'a port that is none',
      ['supergateway', '--port', '99999', '--httpPath', 'x'],
      [],
      'node',
      { name: 'supergateway', command: undefined, port: undefined, path: undefined },
    ],
    ['no bridge', ['server'], ['--stdio', 'x'], 'supergateway', undefined],
    ['a script of several commands', ['sh', '-c', 'a; supergateway --stdio b'], [], 'x', undefined],
    ['nothing at all', undefined, [], '', undefined],
  ])('%s', (...[, command, args, image, expected]) => {
    expect(findBridge(command, args, image)).toEqual(expected)
  })
})
