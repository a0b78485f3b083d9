import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Io } from '../../../../cli/command/command.ts'
import { reportFiles } from '../../../../cli/manifest/report-files.ts'
import type { Namespace } from '../../../../webhook/cluster/namespace.ts'
import { clusterConfig } from '../../../support/cluster-config.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'outrigger-report-files-'))
})
afterAll(() => {
  rmSync(folder, { recursive: true })
})

const config = clusterConfig({
  sidecar: { image: 'x' },
  settings: { auth: 'none' },
  floor: { allowAnonymous: true },
})
const io: Io = {
  stdout: () => undefined,
  stderr: () => undefined,
  log: () => undefined,
  written: () => Promise.resolve(true),
  isTerminal: () => false,
  environment: {},
  signal: new AbortController().signal,
}

const namespace = (level: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'team-a', labels: { 'outrigger.dev/enforce': level } },
  })
const annotations = { 'outrigger.dev/inject': 'true' }
const POD = JSON.stringify({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'one', namespace: 'team-a', annotations },
  spec: { containers: [{ name: 'c', image: 'i', command: ['c'] }] },
})
const STRICT: Namespace = {
  name: 'team-a',
  labels: { 'outrigger.dev/enforce': 'strict' },
  annotations: {},
}

interface Row {
  readonly name: string
  readonly files: Readonly<Record<string, string>>
  readonly chosen?: readonly Namespace[]
  readonly decision: 'inject' | 'deny'
  readonly notes?: readonly string[]
}

test.each<Row>([
  { name: 'none', files: { 'pod.json': POD }, decision: 'inject' },
  {
    name: 'one in a file of its own, before the pod',
    files: { 'a.json': namespace('strict'), 'pod.json': POD },
    decision: 'deny',
  },
  {
    name: 'one in a file of its own, behind it',
    files: { 'pod.json': POD, 'z.json': namespace('strict') },
    decision: 'deny',
  },
  {
    name: 'one that was chosen by a flag, above what stands in other files',
    files: { 'a.json': namespace('off'), 'pod.json': POD, 'z.json': namespace('off') },
    chosen: [STRICT],
    decision: 'deny',
  },
  {
    name: 'two that are alike',
    files: { 'a.json': namespace('strict'), 'b.json': namespace('strict'), 'pod.json': POD },
    decision: 'deny',
  },
  {
    name: 'two that differ: the last holds, and that is told',
    files: { 'a.json': namespace('off'), 'pod.json': POD, 'z.json': namespace('strict') },
    decision: 'deny',
    notes: [
      'Namespace team-a stands in DIR/a.json and, otherwise, in DIR/z.json: pods of it in other files are judged by the latter; --namespace-file FILE chooses',
    ],
  },
  {
    name: 'one beside a file that cannot be read',
    files: { 'a.json': namespace('strict'), 'b.yaml': 'a: [ # Namespace\n', 'pod.json': POD },
    decision: 'deny',
  },
])('a Namespace is that of pods in other files: $name', async (row) => {
  const place = mkdtempSync(join(folder, 'row-'))
  const files = Object.entries(row.files).map(([name, text]) => {
    writeFileSync(join(place, name), text)
    return join(place, name)
  })
  const options = {
    file: '-',
    config,
    isDefaultConfig: false,
    namespace: 'default',
    namespaces: row.chosen ?? [],
  }
  const reported = await reportFiles(files, { options, resolvesImages: false }, io)
  const decisions = reported.files.flatMap(({ pods }) => pods.map(({ decision }) => decision))
  expect(decisions).toEqual([row.decision])
  expect(reported.notes.map((note) => note.replaceAll(place, 'DIR'))).toEqual(row.notes ?? [])
})
