// What `outrigger dev` says of a manifest in which nothing can run: the same reading and the same decisions as
// `outrigger inject`. (That a manifest runs, its users see: test/integration/servers and `npm start`.)

import { afterAll, expect, test } from '@jest/globals'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { dev } from '../../../cli/dev/dev.ts'

const directory = mkdtempSync(join(tmpdir(), 'outrigger-dev-'))
afterAll(() => rmSync(directory, { recursive: true }))

const FILE = join(directory, 'manifest.yaml')
const BAD = "outrigger.dev/inject: 'true'\n    outrigger.dev/port: '70000'"
const pod = (more: string): string =>
  `apiVersion: v1\nkind: Pod\nmetadata:\n  name: one\n  ${more}\nspec:\n  containers:\n    - name: c\n      image: i\n      command: [c]\n`
const DENIED = /^outrigger dev: Pod\/one: denied: .*70000/m
const NOTHING = /^outrigger dev: no pod of the manifest is injected/m

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
])('%s', async (_name, text, says) => {
  writeFileSync(FILE, text)
  const said = { stdout: '', stderr: '' }
  const code = await dev.run(['-f', FILE], {
    stdout: (more) => (said.stdout += more),
    stderr: (more) => (said.stderr += more),
    environment: {},
    signal: AbortSignal.abort(),
  })
  expect(said.stderr).toMatch(says)
  expect([code, said.stdout]).toEqual([1, ''])
})
