// Real programs with the proxy in their environment: nothing but its URL is told them.

import { execFile } from 'node:child_process'
import { createServer } from 'node:http'
import { promisify } from 'node:util'
import { expect, test } from '@jest/globals'
import { listening, startEgress, type Harness } from '../../../support/egress.ts'
import { closing } from '../../../support/egress-tunnel.ts'

const run = promisify(execFile)

const started = async (): Promise<Harness> => {
  const origin = createServer((request, response) => response.end(`you asked for ${request.url}`))
  const port = await listening(origin)
  const harness = await startEgress({
    egress: 'ok.example:80',
    names: { 'ok.example': ['93.184.216.34'] },
    hosts: { '93.184.216.34:80': port },
  })
  closing.push(harness.close, () => {
    origin.closeAllConnections()
    origin.close()
  })
  return harness
}

const environment = ({ url }: Harness): NodeJS.ProcessEnv => ({
  PATH: process.env['PATH'],
  http_proxy: url,
  HTTP_PROXY: url,
  https_proxy: url,
  HTTPS_PROXY: url,
  all_proxy: url,
  NODE_USE_ENV_PROXY: '1',
})

const FETCH = `const answer = await fetch(process.argv[1]); console.log(answer.status, await answer.text())`
const URLLIB = `import sys, urllib.request, urllib.error
try: print(200, urllib.request.urlopen(sys.argv[1]).read().decode())
except urllib.error.HTTPError as e: print(e.code, e.read().decode())`

const programs: readonly (readonly [string, readonly string[]])[] = [
  ['curl', ['-sS', '-w', '%{http_code}']],
  ['curl', ['-sS', '-w', '%{http_code}', '--proxytunnel']],
  // As git does: it asks first which way of naming itself is taken.
  ['curl', ['-sS', '-w', '%{http_code}', '--proxy-anyauth']],
  ['curl', ['-sS', '-w', '%{http_code}', '--proxytunnel', '--proxy-anyauth']],
  [process.execPath, ['--no-warnings', '--input-type=module', '-e', FETCH, '--']],
  ['python3', ['-c', URLLIB]],
]

test('git is no stranger', async () => {
  const harness = await started()
  await run('git', ['ls-remote', 'http://ok.example/repository'], {
    env: { ...environment(harness), GIT_TERMINAL_PROMPT: '0' },
    timeout: 20_000,
  })
  expect(new Set(harness.told.lines)).toEqual(new Set(['http ok.example:80 allowed']))
  expect(harness.told.strangers).toEqual([])
}, 30_000)

test.each(programs)(
  '%s %j reaches what is declared',
  async (program, words) => {
    const harness = await started()
    const asked = [...words, 'http://ok.example/path']
    const { stdout } = await run(program, asked, { env: environment(harness), timeout: 20_000 })
    expect(stdout).toContain('you asked for /path')
    expect(stdout).toContain('200')
    expect(harness.told.attempts.map(({ settled }) => settled[0]?.verdict)).toEqual(['allowed'])
    expect(harness.told.strangers).toEqual([])
  },
  30_000,
)

test.each(programs)(
  '%s %j does not reach anything else, and says why',
  async (program, words) => {
    const harness = await started()
    const asked = [...words, 'http://no.example/path']
    const { stdout, stderr } = await run(program, asked, {
      env: environment(harness),
      timeout: 20_000,
    }).catch((error: unknown) => {
      // By its shape: it is of another realm's class.
      if (typeof error === 'object' && error !== null && 'stdout' in error && 'stderr' in error) {
        return { stdout: String(error.stdout), stderr: String(error.stderr) }
      }
      throw error
    })
    // Who asks by CONNECT shows the code alone.
    expect(stdout + stderr).toMatch(/403|Proxy response/)
    expect(harness.told.lines[0]).toMatch(/^(http|connect) no\.example:80 denied undeclared$/)
    expect(harness.looked).toEqual([])
  },
  30_000,
)

test('curl by SOCKS5, the name looked up by the proxy', async () => {
  const harness = await started()
  const proxy = harness.url.replace('http:', 'socks5h:')
  const { stdout } = await run('curl', ['-sS', '-x', proxy, 'http://ok.example/path'], {
    timeout: 20_000,
  })
  expect(stdout).toBe('you asked for /path')
  expect(harness.told.lines).toEqual(['socks ok.example:80 allowed'])
}, 30_000)
