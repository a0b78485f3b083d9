// What `outrigger dev` says of a manifest in which nothing can run: the same reading and the same decisions as
// `outrigger inject`. (That a manifest runs, its users see: test/integration/servers and `npm start`.)

import { afterAll, expect, test } from '@jest/globals'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { dev } from '../../../cli/dev/dev.ts'
import { freePort } from '../../support/admin.ts'

const directory = mkdtempSync(join(tmpdir(), 'outrigger-dev-'))
afterAll(() => rmSync(directory, { recursive: true }))

const FILE = join(directory, 'manifest.yaml')
const BAD = "outrigger.dev/inject: 'true'\n    outrigger.dev/port: '70000'"
const pod = (more: string): string =>
  `apiVersion: v1\nkind: Pod\nmetadata:\n  name: one\n  ${more}\nspec:\n  containers:\n    - name: c\n      image: i\n      command: [c]\n`
const OPEN = "outrigger.dev/inject: 'true'\n    outrigger.dev/auth: none"
const DENIED = /^outrigger dev: Pod\/one: denied: .*70000/m
const NOTHING = /^outrigger dev: no pod of the manifest is injected/m

const run = async (text: string, signal: AbortSignal, ...flags: readonly string[]) => {
  writeFileSync(FILE, text)
  const said = { stdout: '', stderr: '' }
  const code = await dev.run(['-f', FILE, ...flags], {
    stdout: (more) => (said.stdout += more),
    stderr: (more) => (said.stderr += more),
    log: (line) => (said.stderr += line),
    isTerminal: () => true,
    environment: process.env,
    signal,
  })
  return { code, ...said }
}

test.each<[string, text: string, says: RegExp]>([
  ['no YAML', 'a: [', /^outrigger dev: \S+manifest\.yaml: document 1: /m],
  [
    'no YAML in its second document',
    `${pod('labels: {}')}---\na: [\n`,
    /manifest\.yaml: document 2: /,
  ],
  ['no pod', 'apiVersion: v1\nkind: Service\n', NOTHING],
  ['a pod that does not opt in', pod('labels: {}'), /^Pod\/one: not injected \(/m],
  ['a pod that is denied', pod(`annotations:\n    ${BAD}`), DENIED],
  [
    'a pod in a List',
    `apiVersion: v1\nkind: List\nitems:\n  - ${pod(`annotations:\n    ${BAD}`).trimEnd().replaceAll('\n', '\n    ')}\n`,
    DENIED,
  ],
  [
    'a namespace that opts in',
    `apiVersion: v1\nkind: Namespace\nmetadata:\n  name: n\n  labels: { outrigger.dev/injection: enabled }\n---\n${pod("namespace: n\n  annotations: { outrigger.dev/port: '70000' }")}`,
    DENIED,
  ],
  [
    'annotations by a merge key',
    pod(`annotations:\n    <<: { outrigger.dev/inject: 'true', outrigger.dev/port: '70000' }`),
    DENIED,
  ],
  [
    'a pod whose callers would have to be verified',
    pod("annotations:\n    outrigger.dev/inject: 'true'\n    outrigger.dev/auth: oidc"),
    /^outrigger dev: Pod\/one: denied: outrigger\.dev\/auth: oidc is not built yet.*auth: none /m,
  ],
])('%s', async (_name, text, says) => {
  const { code, stdout, stderr } = await run(text, AbortSignal.abort())
  expect(stderr).toMatch(says)
  expect([code, stdout]).toEqual([1, ''])
})

test('a configuration that is wrong is told with its file', async () => {
  const config = join(directory, 'config.yaml')
  writeFileSync(config, 'sidecar: { image: x }\nprot: 1\n')
  const { code, stderr } = await run(pod('labels: {}'), AbortSignal.abort(), '--config', config)
  expect(stderr).toMatch(/config\.yaml: line 2: prot: there is no such member/)
  expect(code).toBe(1)
})

test('Ctrl-C ends a pod whose server has not answered yet', async () => {
  const command = JSON.stringify([process.execPath, '-e', 'setInterval(() => 0, 1000)'])
  const silent = pod(`annotations:
    ${OPEN}`).replace('[c]', command)
  const { code, stdout, stderr } = await run(silent, AbortSignal.timeout(1000))
  expect([code, stdout]).toEqual([0, ''])
  expect(stderr).not.toMatch(/^outrigger dev:/m)
})

test('a server that speaks HTTP itself has time to open its port', async () => {
  const port = await freePort()
  const server = `
    const answer = { jsonrpc: '2.0', id: 0, result: { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 's', version: '1' } } }
    const serve = async (request, response) => {
      const { id } = JSON.parse(Buffer.concat(await request.toArray()).toString() || '{}')
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ ...answer, id }))
    }
    setTimeout(() => require('node:http').createServer(serve).listen(${port}, '127.0.0.1'), 300)`
  const keys = `${OPEN}\n    outrigger.dev/transport: http\n    outrigger.dev/port: '${port}'`
  const command = JSON.stringify([process.execPath, '-e', server])
  const text = pod(`annotations:\n    ${keys}`).replace('[c]', command)
  const { code, stdout } = await run(text, AbortSignal.timeout(5000))
  expect(stdout).toMatch(
    /^outrigger: Pod\/one \(c\) on http:\S+\noutrigger: its health and metrics on http:\S+\/metrics\n$/,
  )
  expect(code).toBe(0)
})

test('a server that speaks HTTP and wants more of its callers is told by its answer', async () => {
  const port = await freePort()
  const server = `require('node:http').createServer((_, response) => response.writeHead(401).end()).listen(${port}, '127.0.0.1')`
  const keys = `${OPEN}\n    outrigger.dev/transport: http\n    outrigger.dev/port: '${port}'\n    outrigger.dev/startup-timeout: 3s`
  const command = JSON.stringify([process.execPath, '-e', server])
  const text = pod(`annotations:\n    ${keys}`).replace('[c]', command)
  const why = 'the server answered HTTP 401'
  await expect(run(text, AbortSignal.timeout(60_000))).rejects.toThrow(
    new RegExp(`^c: no answer within startup-timeout: ${why}`),
  )
})
