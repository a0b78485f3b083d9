// `outrigger tools`: a real server locks and verifies; each change of a server's is told by name; what cannot be asked is a
// sentence.

import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { describeServer } from '../../../cli/tools/described.ts'
import { HttpTalk } from '../../../cli/tools/http-talk.ts'
import { CHECKOUT_CLI, serverCommand, startOutrigger } from '../../support/outrigger-run.ts'

const DRIFTING = [
  process.execPath,
  fileURLToPath(new URL('../../fixtures/drifting-server.ts', import.meta.url)),
]

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const tools = (...args: readonly string[]): Promise<Ended> =>
  new Promise((resolve) => {
    execFile(process.execPath, [CHECKOUT_CLI, 'tools', ...args], (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    )
  })

let folder: string
let lock: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'outrigger-tools-'))
  lock = join(folder, 'lock.yaml')
  const { code, stdout } = await tools('lock', '--', ...DRIFTING)
  expect(code).toBe(0)
  writeFileSync(lock, stdout)
})

afterAll(() => rmSync(folder, { recursive: true }))

test('a server that changes nothing', async () => {
  expect(await tools('verify', '-f', lock, '--', ...DRIFTING)).toMatchObject({
    code: 0,
    stdout: 'all is as it was locked\n',
  })
})

test('one that has changed all it can, each by name', async () => {
  const changes =
    'description schema annotations instructions tool prompt prompts resource resources template templates'
  expect(await tools('verify', '-f', lock, '--', ...DRIFTING, ...changes.split(' '))).toMatchObject(
    {
      code: 1,
      stdout: [
        "the server's instructions have changed",
        'the tool "echo" has changed: annotations differs, description differs, inputSchema differs',
        'the tool "shell" is new',
        'the prompt "greet" has changed: description differs',
        'the prompt "obey" is new',
        'the resource "note://one" has changed: name differs',
        'the resource "note://two" is new',
        'the resource template "db://{table}" is new',
        'the resource template "file:///{path}" has changed: name differs',
        '',
      ].join('\n'),
    },
  )
})

test('a server of the older protocol, by its command and by its URL', async () => {
  const command = serverCommand('@modelcontextprotocol/server-everything', 'stdio')
  const first = await tools('lock', '--', ...command)
  expect(first.code).toBe(0)
  // Listed to those alone whose client can do such a thing.
  expect(first.stdout).toContain('\n  trigger-sampling-request:\n')
  const bridge = await startOutrigger(command)
  try {
    const second = await tools('lock', '--url', bridge.url)
    expect([second.code, second.stdout]).toEqual([0, first.stdout])
  } finally {
    await bridge.stop()
  }
})

describe('what is no such server', () => {
  const json = (value: unknown): RequestListener => {
    return (_request, response) => {
      response.setHeader('content-type', 'application/json')
      response.end(typeof value === 'string' ? value : JSON.stringify(value))
    }
  }
  const status =
    (code: number, headers = {}): RequestListener =>
    (_request, response) =>
      response.writeHead(code, headers).end('<p>')
  const stream =
    (...texts: readonly string[]): RequestListener =>
    (_request, response) => {
      response.setHeader('content-type', 'text/event-stream')
      for (const text of texts) response.write(text)
      response.end()
    }
  /** Modern, with the answer to each list. */
  const lists =
    (answerTo: (cursor: string) => object): RequestListener =>
    (request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const { id, method, params } = JSON.parse(Buffer.concat(chunks).toString())
        const first = { supportedVersions: ['2026-07-28'], capabilities: { tools: {} } }
        const result = method === 'server/discover' ? first : answerTo(String(params.cursor ?? '0'))
        response.setHeader('content-type', 'application/json')
        response.end(JSON.stringify({ jsonrpc: '2.0', id, result }))
      })
    }

  test.each<[string, RequestListener, string]>([
    [
      'a web page',
      status(200),
      'it answers with what is no message: it is not a JSON object or array',
    ],
    [
      'no endpoint',
      status(404),
      'it answers 404, and no MCP; the URL ends with the path of the endpoint, such as /mcp',
    ],
    [
      'one that knows its callers',
      status(401),
      'it wants a token, or another one than it got: --token-file FILE holds one',
    ],
    [
      'one that has moved',
      status(308, { location: 'https://other.example/mcp' }),
      'it answers 308: it has moved to https://other.example/mcp',
    ],
    [
      'an error',
      json({ jsonrpc: '2.0', id: 1, error: { code: 1, message: 'no\nmore' } }),
      'it answers with an error: no more',
    ],
    [
      'a name that stands twice',
      json('{"id":1,"id":2}'),
      'it answers with what is no message: the member name "id" stands twice',
    ],
    ['neither result nor error', json({ id: 1 }), 'it answers with what is no result'],
    [
      'a stream without an answer',
      stream(': hello\n\n', 'data: {"id":7}\n\n'),
      'it ends its stream without an answer',
    ],
    [
      'a stream of what is no JSON',
      stream('data: hello\n\n'),
      'it answers with what is no message: it is not a JSON object or array',
    ],
    [
      'an answer without end',
      stream(...Array.from({ length: 17 }, () => `data: ${'x'.repeat(1024 * 1024)}\n`)),
      'it answers with more than 16777216 bytes',
    ],
    [
      'pages without end',
      lists((cursor) => ({ tools: [], nextCursor: `${Number(cursor) + 1}` })),
      'asked for tools/list, it has more than 100 pages',
    ],
    [
      'items without end',
      lists((cursor) => ({
        tools: Array.from({ length: 900 }, (_, at) => ({ name: `${cursor}.${at}` })),
        nextCursor: `${cursor}1`,
      })),
      'asked for tools/list, it lists more than 2000 items',
    ],
    [
      'a tool without a name',
      lists(() => ({ tools: [{ description: 'x' }] })),
      'asked for tools/list, it lists what has no name',
    ],
  ])('%s', async (_what, listener, words) => {
    const server: Server = createServer(listener).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const talk = new HttpTalk({
      url: `http://127.0.0.1:${port}/mcp`,
      token: undefined,
      timeoutMs: 300_000,
      signal: new AbortController().signal,
    })
    const described = await describeServer(talk)
    server.closeAllConnections()
    server.close()
    expect(described).toEqual({ ok: false, error: words })
  })

  test('a server that does not answer', async () => {
    const server: Server = createServer(() => undefined).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const described = await describeServer(
      new HttpTalk({
        url: `http://127.0.0.1:${port}/mcp`,
        token: undefined,
        timeoutMs: 100,
        signal: new AbortController().signal,
      }),
    )
    server.closeAllConnections()
    server.close()
    expect(described).toEqual({ ok: false, error: 'it does not answer within 0.1 s' })
  })

  test.each<[string, readonly string[], number, string]>([
    [
      'nobody',
      ['--url', 'http://127.0.0.1:9999/mcp'],
      1,
      'http://127.0.0.1:9999/mcp: it cannot be reached: nobody listens there',
    ],
    [
      'a command that ends',
      ['--', 'false'],
      1,
      'the server exited with code 1, before it had answered; try its command by itself',
    ],
    ['no server', [], 2, 'say which server: -- CMD ARGS, or --url URL'],
    [
      'two servers',
      ['--url', 'http://a.example', '--', 'b'],
      2,
      'name one server: -- CMD ARGS, or --url URL',
    ],
    [
      'another scheme',
      ['--url', 'file:///etc'],
      2,
      '--url "file:///etc": must be a URL such as https://host.example/mcp',
    ],
    [
      'a misspelt kind',
      ['--kinds', 'tools,prompt', '--', 'b'],
      2,
      '--kinds: there is no kind "prompt"; did you mean prompts?',
    ],
  ])('%s', async (_what, args, code, words) => {
    const ended = await tools('lock', ...args)
    expect([ended.code, ended.stderr.split('\n')[0]]).toEqual([code, `outrigger tools: ${words}`])
  })

  test('a lock that cannot be used starts no server', async () => {
    const path = join(folder, 'bad.yaml')
    writeFileSync(path, 'version: 2\n')
    expect(await tools('verify', '-f', path, '--', 'false')).toEqual({
      code: 1,
      stdout: '',
      stderr: `outrigger tools: ${path}: line 1, column 1: version: must be 1\n`,
    })
  })
})
