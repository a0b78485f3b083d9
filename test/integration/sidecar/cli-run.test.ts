// `outrigger run` as a user meets it: what is wrong is said in words, on stderr, with an exit code; Ctrl-C leaves nothing
// behind; and the port is ours in both address families.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from '../../support/free-port.ts'
import { startOutrigger } from '../../support/outrigger-run.ts'
import { processTree, stillRunning } from '../../support/process-tree.ts'
import { openLegacy, PUPPET } from '../../support/puppet.ts'
import { until } from '../../support/waiting.ts'
import { listening } from '../../support/listening.ts'

const CLI = fileURLToPath(new URL('../../../cli/main.ts', import.meta.url))

type Outcome = { readonly code: number | null; readonly stdout: string; readonly stderr: string }

const outrigger = async (...args: readonly string[]): Promise<Outcome> => {
  const child = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const [code]: (number | null)[] = await once(child, 'close')
  return { code: code ?? null, stdout, stderr }
}

/** Whether a process of this machine could listen there too. */
const listens = (port: number, host: string): Promise<string> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error) => resolve('code' in error ? String(error.code) : error.message))
    server.listen({ port, host, ipv6Only: host.includes(':') }, () =>
      server.close(() => resolve('listening')),
    )
  })

let folder: string
const config = (text: string): string => {
  const path = join(folder, 'config.yaml')
  writeFileSync(path, text)
  return path
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'outrigger-cli-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

type Wrong = readonly [name: string, args: () => readonly string[], code: number, said: RegExp]

const WRONG: readonly Wrong[] = [
  [
    'an unknown flag',
    () => ['--no-such', '--', 'cat'],
    2,
    /there is no flag --no-such\n.*run --help/s,
  ],
  ['no command', () => ['--allow-anonymous'], 2, /the command is missing: put it after --/],
  [
    'no authentication',
    () => ['--', 'cat'],
    2,
    /auth: oidc needs an issuer.*--oidc-issuers URL.*--allow-anonymous/,
  ],
  [
    'a port that is none',
    () => ['--port', '70000', '--', 'cat'],
    2,
    /--port "70000" is not a port/,
  ],
  [
    'a setting with a wrong value',
    () => ['--allow-anonymous', '--process-model', 'many', '--', 'cat'],
    2,
    /--process-model: "many".*session/,
  ],
  [
    'an issuer without TLS',
    () => ['--oidc-issuers', 'http://login.example', '--', 'true'],
    2,
    /^outrigger run: --oidc-issuers "http:\/\/login\.example": must begin with https:\/\/, since whoever is on the way could answer for it$/m,
  ],
  [
    'an issuer beside everybody',
    () => ['--oidc-issuers', 'https://login.example', '--allow-anonymous', '--', 'true'],
    2,
    /^outrigger run: --oidc-issuers: --allow-anonymous lets everybody call, .*leave one of them out\n$/,
  ],
  [
    'a configuration that is not there',
    () => ['--allow-anonymous', '--config', '/no/such/file', '--', 'cat'],
    2,
    /--config \/no\/such\/file: there is no such file/,
  ],
  [
    'a configuration that is no YAML',
    () => ['--allow-anonymous', '--config', config('a: [b'), '--', 'cat'],
    2,
    /--config .*config\.yaml: /,
  ],
  [
    'a configuration with an unknown key',
    () => ['--allow-anonymous', '--config', config('prot: 1'), '--', 'cat'],
    2,
    /prot: there is no such member; did you mean port\?/,
  ],
  [
    'a configuration that is no mapping',
    () => ['--allow-anonymous', '--config', config('- a'), '--', 'cat'],
    2,
    /--config .*config\.yaml: must be a mapping/,
  ],
  [
    'a configuration whose settings are no mapping',
    () => ['--allow-anonymous', '--config', config('settings: request-timeout'), '--', 'cat'],
    2,
    /--config .*config\.yaml: settings: must be/,
  ],
  [
    'a configuration with a setting that is mistyped',
    () => ['--allow-anonymous', '--config', config('settings: { idle-timout: 2s }'), '--', 'cat'],
    2,
    /--config .*"idle-timout".*did you mean idle-timeout\?/,
  ],
  [
    'a configuration with a number for a text',
    () => ['--allow-anonymous', '--config', config('settings: { max-processes: 2 }'), '--', 'cat'],
    2,
    /settings\.max-processes: must be a string \(in YAML put it in quotes\)/,
  ],
  [
    'a command that is not there',
    () => ['--allow-anonymous', '--port', '0', '--', '/no/such/command'],
    1,
    /\/no\/such\/command/,
  ],
  [
    'a command that is no MCP server',
    () => ['--allow-anonymous', '--port', '0', '--', 'sh', '-c', 'echo no database >&2; exit 3'],
    1,
    /"message":"no database".*\noutrigger run: the server exited with code 3, before it had answered; try its command by itself\n$/s,
  ],
]

test('what is set in vain is a warning, be it by a flag or in the file', async () => {
  const file = config(
    'settings: { audit-level: metadata, ingress-from: a, sidecar-cpu-limit: "2" }',
  )
  const flags = ['--allow-anonymous', '--port', '0', '--config', file]
  const { stderr } = await outrigger('run', ...flags, '--', '/no/such/command')
  expect(stderr.split('\n').filter((line) => line.includes('acts on it'))).toEqual([
    `outrigger run: --config ${file}: settings: ingress-from: nothing acts on it here, only in a cluster`,
    `outrigger run: --config ${file}: settings: audit-level: nothing acts on it here, only in a cluster`,
    `outrigger run: --config ${file}: settings: sidecar-cpu-limit: nothing acts on it here, only in a cluster`,
  ])
})

describe('what cannot be served is refused in words', () => {
  test.each(WRONG)('%s', async (_name, args, code, said) => {
    const outcome = await outrigger('run', ...args())
    expect(outcome.stderr).toMatch(said)
    expect(outcome.stderr).not.toMatch(/\n\s+at /)
    expect({ code: outcome.code, stdout: outcome.stdout }).toEqual({ code, stdout: '' })
  })

  test('a port that is taken', async () => {
    const taken = createServer()
    const port = await listening(taken)
    const outcome = await outrigger('run', '--allow-anonymous', '--port', `${port}`, '--', 'cat')
    taken.close()
    expect(outcome.code).toBe(1)
    expect(outcome.stderr).toBe(
      `outrigger run: --port ${port}: something else listens there already; name another port, or 0 for any\n`,
    )
  })

  test.each([
    ['run', '--help'],
    ['help', 'run'],
  ])('help is no error: %s %s', async (...args) => {
    const outcome = await outrigger(...args)
    expect({ code: outcome.code, stderr: outcome.stderr }).toEqual({ code: 0, stderr: '' })
    expect(outcome.stdout).toContain('--process-model VALUE')
  })
})

describe('a server that does not come up, or writes what is no message, is seen for what it is', () => {
  const SAYS = 'const say = (text) => process.stdout.write(text); process.stdin.resume();'
  test.each([
    ['a prompt', 'say("Proceed? (y/n) ")', /Proceed\?.*npx: --yes/],
    [
      'silence',
      '',
      /waiting for the server's first answer on stdout, 2 s of 120 \(startup-timeout\)/,
    ],
    ['a log line', 'say("Listening on stdio\\n")', /Listening on stdio.*log to stderr/],
    ['Content-Length headers', 'say("Content-Length: 9\\r\\n\\r\\n")', /language servers do/],
    [
      'JSON over several lines',
      'say(JSON.stringify({jsonrpc:"2.0"},null,2)+"\\n")',
      /pretty printing/,
    ],
    ['UTF-16', 'say(Buffer.from("{\\"jsonrpc\\":\\"2.0\\"}\\n","utf16le"))', /OutputEncoding/],
  ])('%s, with the fix', async (_name, script, said) => {
    const command = [process.execPath, '-e', `${SAYS} ${script}`]
    const child = spawn(process.execPath, [
      CLI,
      'run',
      '--allow-anonymous',
      '--port',
      '0',
      '--',
      ...command,
    ])
    const exited = once(child, 'exit')
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    await until(() => said.test(stderr), 'it says what it has seen')
    child.kill('SIGINT')
    await exited
  })
})

test('Ctrl-C ends everything, with the code that shells expect', async () => {
  const port = await freePort()
  const flags = ['--allow-anonymous', '--port', `${port}`]
  const child = spawn(process.execPath, [CLI, 'run', ...flags, '--', ...PUPPET])
  const exited = once(child, 'exit')
  await once(child.stdout, 'data')
  const session = await openLegacy(`http://127.0.0.1:${port}/mcp`)
  await session.call('pid')
  const tree = processTree(child.pid ?? 0)
  expect(tree.length).toBeGreaterThan(3)
  child.kill('SIGINT')
  expect(await exited).toEqual([130, null])
  await until(() => stillRunning(tree).length === 0, 'nothing is left')
})

describe.each([['127.0.0.1'], ['::']])('listening on %s', (host) => {
  test.each([['127.0.0.1'], ['::1'], ['0.0.0.0'], ['::']])(
    'the port is not to be had on %s',
    async (other) => {
      const bridge = await startOutrigger(PUPPET, { flags: ['--host', host] })
      try {
        const port = Number(new URL(bridge.url).port)
        expect(await listens(port, other)).toBe('EADDRINUSE')
      } finally {
        await bridge.stop()
      }
    },
  )
})
