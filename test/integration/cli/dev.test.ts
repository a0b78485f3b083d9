// What `outrigger dev` says of a manifest in which nothing can run: the same reading and the same decisions as
// `outrigger inject`. (That a manifest runs, its users see: test/integration/servers and `npm start`.)

import { afterAll, expect, test } from '@jest/globals'
import { createServer } from 'node:http'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { dev } from '../../../cli/dev/dev.ts'
import { freePort } from '../../support/free-port.ts'
import { listening } from '../../support/listening.ts'
import { until } from '../../support/waiting.ts'

const directory = mkdtempSync(join(tmpdir(), 'outrigger-dev-'))
afterAll(() => rmSync(directory, { recursive: true }))

const FILE = join(directory, 'manifest.yaml')
const BAD = "outrigger.dev/inject: 'true'\n    outrigger.dev/port: '70000'"
const pod = (more: string): string =>
  `apiVersion: v1\nkind: Pod\nmetadata:\n  name: one\n  ${more}\nspec:\n  containers:\n    - name: c\n      image: i\n      command: [c]\n`
const OPEN = "outrigger.dev/inject: 'true'\n    outrigger.dev/auth: none"
const DENIED = /^outrigger dev: Pod\/one: denied: .*70000/m
const NOTHING = /^outrigger dev: no pod of the manifest is injected/m

/** Ctrl-C once something is so, and at last after a minute. */
const onceSo = (isSo: () => boolean): AbortSignal => {
  const end = new AbortController()
  void until(isSo, 'it is so')
    .catch(() => undefined)
    .then(() => end.abort())
  return end.signal
}

const run = async (text: string, signal: AbortSignal, ...flags: readonly string[]) => {
  const said = { stdout: '', stderr: '' }
  return runSaying(said, text, signal, ...flags)
}

const runSaying = async (
  said: { stdout: string; stderr: string },
  text: string,
  signal: AbortSignal,
  ...flags: readonly string[]
) => {
  writeFileSync(FILE, text)
  const code = await dev.run(['-f', FILE, ...flags], {
    stdout: (more) => (said.stdout += more),
    stderr: (more) => (said.stderr += more),
    log: (line) => (said.stderr += line),
    written: () => Promise.resolve(true),
    isTerminal: () => true,
    environment: { ...process.env, FROM_HERE: 'here' },
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
    /^outrigger dev: Pod\/one: denied: outrigger\.dev\/auth: oidc: the cluster configuration lists no issuer.*auth: none /m,
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
  expect(stderr).toMatch(/config\.yaml: line 2, column 1: prot: there is no such member/)
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
  const said = { stdout: '', stderr: '' }
  const isThere = onceSo(() => said.stdout.includes('/metrics\n'))
  const { code, stdout } = await runSaying(said, text, isThere)
  expect(stdout).toMatch(
    /^outrigger: Pod\/one \(c\) on http:\S+\noutrigger: its health and metrics on http:\S+\/metrics\n$/,
  )
  expect(code).toBe(0)
})

test('a server that speaks HTTP and wants more of its callers is told by its answer', async () => {
  // It is there at once, whenever the pod's own program is.
  const server = createServer((_, response) => response.writeHead(401).end())
  const port = await listening(server)
  const keys = `${OPEN}\n    outrigger.dev/transport: http\n    outrigger.dev/port: '${port}'\n    outrigger.dev/startup-timeout: 3s`
  const text = pod(`annotations:\n    ${keys}`).replace('[c]', '[sleep, "1000"]')
  const why = 'the server answered HTTP 401'
  await expect(run(text, AbortSignal.timeout(60_000))).rejects.toThrow(
    new RegExp(`^c: no answer within startup-timeout: ${why}`),
  )
  server.close()
})

const SUPPLIES = `---
apiVersion: v1
kind: Secret
metadata: { name: keys }
data: { TOKEN: aHVzaC1odXNo }
stringData: { 'bin.key': plain }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: words }
data: { COLOUR: blue, 'app.ini': 'a=1' }
`

/** A server that writes down what it was given, and answers nothing. */
const WRITES = `
  const { readFileSync, renameSync, writeFileSync } = require('node:fs')
  const [out, ...files] = process.argv.slice(1)
  const text = files.map((file) => { try { return readFileSync(file, 'utf8') } catch { return file } })
  const names = ['TOKEN', 'P_COLOUR', 'OWN', 'TOLD', 'FROM_HERE', 'LINE', 'DIR', 'GONE', 'IP']
  writeFileSync(out + '.next', JSON.stringify([text, names.map((name) => process.env[name] ?? null), files]))
  renameSync(out + '.next', out)
  setInterval(() => 0, 1000)`

const WRITTEN = z.tuple([z.array(z.string()), z.array(z.string().nullable()), z.array(z.string())])

test('variables and volumes come from the manifest and the flags; what is missing is named, no value is', async () => {
  const out = join(directory, 'out.json')
  const data = join(directory, 'data')
  mkdirSync(data)
  writeFileSync(join(data, 'mine'), 'of mine')
  writeFileSync(join(directory, 'env'), '# comment\n\nLINE=from a "file"\nTOLD=below\n')
  const args = [
    out,
    '/etc/keys/bin.key',
    '/etc/words/sub/x.ini',
    '/all/of/name',
    '/data/mine',
    '/claim/x',
  ]
  const spec = {
    containers: [
      {
        name: 'c',
        image: 'i',
        command: [process.execPath, '-e', WRITES, ...args],
        envFrom: [
          { secretRef: { name: 'keys' } },
          { prefix: 'P_', configMapRef: { name: 'words' } },
          { configMapRef: { name: 'elsewhere' } },
        ],
        env: [
          { name: 'OWN', value: 'own $(TOKEN)' },
          { name: 'TOLD', valueFrom: { secretKeyRef: { name: 'nowhere', key: 'k' } } },
          { name: 'GONE', valueFrom: { secretKeyRef: { name: 'keys', key: 'none' } } },
          { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
          { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
          { name: 'DIR', value: 'file:/data/db?x' },
        ],
        volumeMounts: [
          { name: 'k', mountPath: '/etc/keys/' },
          { name: 'w', mountPath: '/etc/words' },
          { name: 'd', mountPath: '/data' },
          { name: 'p', mountPath: '/claim' },
          { name: 'a', mountPath: '/all' },
        ],
      },
    ],
    volumes: [
      { name: 'k', secret: { secretName: 'keys' } },
      { name: 'w', configMap: { name: 'words', items: [{ key: 'app.ini', path: 'sub/x.ini' }] } },
      { name: 'd', persistentVolumeClaim: { claimName: 'd' } },
      {
        name: 'a',
        projected: {
          sources: [
            { secret: { name: 'keys' } },
            { secret: { name: 'perhaps', optional: true } },
            {
              downwardAPI: {
                items: [{ path: 'of/name', fieldRef: { fieldPath: 'metadata.name' } }],
              },
            },
          ],
        },
      },
      { name: 'p', persistentVolumeClaim: { claimName: 'p' } },
    ],
  }
  const annotations = { 'outrigger.dev/inject': 'true', 'outrigger.dev/auth': 'none' }
  const metadata = { name: 'one', annotations }
  const object = { apiVersion: 'v1', kind: 'Pod', metadata, spec }
  const flags = ['--env', 'TOLD=told', '--env', 'FROM_HERE', '--volume', `d=${data}`]
  const env = ['--env-from', join(directory, 'env')]
  const said = await run(
    `${JSON.stringify(object)}\n${SUPPLIES}`,
    onceSo(() => existsSync(out)),
    ...flags,
    ...env,
  )
  const [texts, variables, paths] = WRITTEN.parse(JSON.parse(readFileSync(out, 'utf8')))
  expect([texts, variables]).toEqual([
    ['plain', 'a=1', 'one', 'of mine', '/claim/x'],
    [
      'hush-hush',
      'blue',
      'own hush-hush',
      'told',
      'here',
      'from a "file"',
      `file:${data}/db?x`,
      null,
      '127.0.0.1',
    ],
  ])
  expect(said.stderr.split('\n').filter((line) => /--env|--volume/.test(line))).toEqual([
    'Pod/one: variables come from ConfigMap elsewhere, which the manifest does not hold: --env-from FILE or --env NAME=VALUE sets them',
    'Pod/one: variable GONE is not set: Secret keys has no key none; --env GONE=VALUE sets it, --env GONE takes yours',
    "Pod/one: variable NODE comes from the pod's spec.nodeName in a cluster: --env NODE=VALUE sets it, --env NODE takes yours",
    'Pod/one: /claim is not here (volume p: persistentVolumeClaim, which only a cluster has): --volume p=DIR gives it',
  ])
  expect(said.stderr + said.stdout).not.toMatch(/hush-hush|told\b|plain/)
  // What was made for the pod has gone with it.
  expect(paths.filter((path) => existsSync(path))).toEqual([join(data, 'mine')])
})

test.each<[string, flags: readonly string[], code: number, says: string]>([
  [
    'a variable that is not set',
    ['--env', 'NOT_SET_X'],
    1,
    '--env: NOT_SET_X is not set in the environment; export it, or write NAME=VALUE, or NAME to take it from the environment',
  ],
  [
    'a value without a name',
    ['--env', '=hush-hush'],
    1,
    '--env: this begins with no name of a variable; write NAME=VALUE, or NAME to take it from the environment',
  ],
  [
    'a value that stands without its flag',
    ['--env', 'A=1', 'B=hush-hush'],
    2,
    '"B=…" stands without a flag; a file is named by -f: -f B=…',
  ],
  [
    'a file of variables that is not there',
    ['--env-file', '/nowhere'],
    1,
    '--env-file /nowhere: there is no such file',
  ],
  [
    'the same by the name that npx leaves alone',
    ['--env-from', '/nowhere'],
    1,
    '--env-from /nowhere: there is no such file',
  ],
  [
    'a directory that is not there',
    ['--volume', 'd=/nowhere'],
    1,
    '--volume d=/nowhere: there is no such directory',
  ],
  [
    'a file for a directory',
    ['--volume', 'd=/dev/null'],
    1,
    '--volume d=/dev/null: this is a file, and a directory is wanted',
  ],
  [
    'a volume that no pod has',
    ['--volume', 'd=/'],
    1,
    '--volume d: no pod of the manifest has such a volume; they have none',
  ],
  [
    'a volume without a directory',
    ['--volume', 'd'],
    2,
    '--volume "d": write NAME=DIR, with the volume\'s name in the manifest',
  ],
])('%s', async (_name, flags, code, says) => {
  const said = await run(pod('labels: {}'), AbortSignal.abort(), ...flags)
  expect([said.code, said.stderr.split('\n')[0]]).toEqual([code, `outrigger dev: ${says}`])
  expect(said.stderr).not.toContain('hush-hush')
})

test.each<[string, object: string, says: string]>([
  [
    'a Secret that is no base64',
    'kind: Secret\ndata: { k: hush-hush }',
    'Secret s: data.k is no base64; plain text stands in stringData of a Secret, in data of a ConfigMap',
  ],
  [
    'a number for text',
    'kind: ConfigMap\ndata: { k: 8080 }',
    'ConfigMap s: data.k must be text: put it in quotes',
  ],
])('%s', async (_name, object, says) => {
  const text = `apiVersion: v1\nmetadata: { name: s }\n${object}\n`
  const { code, stderr } = await run(text, AbortSignal.abort())
  expect([code, stderr]).toEqual([1, `outrigger dev: ${FILE}: document 1: ${says}\n`])
})

test('a variable that is larger than the system takes is told in words', async () => {
  const text = pod(`annotations:\n    ${OPEN}`).replace(
    '[c]',
    `[c]\n      env: [{ name: BIG, value: ${'x'.repeat(200_000)} }]`,
  )
  await expect(run(text, AbortSignal.timeout(20_000))).rejects.toThrow(
    /^the server cannot be started: its arguments and variables are larger than the system takes/,
  )
})
