// `outrigger images add --apply` as a program, against a registry and a fake API server.

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { stringify } from 'yaml'
import { mergeIndexes, readImageIndex, type ImageIndex } from '../../../shared/image-index.ts'
import { kubeconfigFor, startFakeKube, type FakeKube } from '../../support/fake-kube.ts'
import { createBench, type Bench } from '../../support/images-command.ts'
import { buildImage } from '../../support/oci-image.ts'
import { startRegistry, type Registry } from '../../support/registry.ts'

const CLI = fileURLToPath(new URL('../../../cli/main.ts', import.meta.url))

let registry: Registry
let kube: FakeKube
let bench: Bench

beforeAll(async () => {
  registry = await startRegistry()
  for (const name of ['one', 'two']) {
    await registry.push(name, '1', await buildImage({ config: { Entrypoint: [name] } }))
  }
})
afterAll(() => registry.stop())
beforeEach(async () => {
  kube = await startFakeKube({})
  bench = createBench()
})
afterEach(async () => {
  bench.close()
  await kube.close()
})

const apply = (
  image: string,
  kubeconfig = kubeconfigFor(kube),
): Promise<{ readonly code: number; readonly stderr: string }> => {
  const registries = { [registry.host]: { allowPlainHttp: true } }
  const config = bench.write('config.yaml', stringify({ sidecar: { image: 'x' }, registries }))
  const KUBECONFIG = bench.write('kubeconfig', kubeconfig)
  const args = [CLI, 'images', 'add', '--apply', '--config', config, image]
  const env = { PATH: process.env['PATH'], KUBECONFIG, DOCKER_CONFIG: bench.directory }
  return new Promise((resolve) => {
    const child = execFile(process.execPath, args, { env }, (_error, _stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stderr }),
    )
  })
}

const written = (): ImageIndex | undefined => {
  const index = readImageIndex(kube.images.text() ?? '')
  return index.ok ? index.value : undefined
}

const OTHER: ImageIndex = {
  version: 1,
  tags: {},
  images: {
    [`sha256:${'a'.repeat(64)}`]: {
      'linux/amd64': { entrypoint: ['else'], cmd: [], user: { uid: 1 } },
    },
  },
}

test('fills the empty ConfigMap, and adds to what it holds', async () => {
  expect(await apply(`${registry.host}/one:1`)).toMatchObject({ code: 0 })
  expect(await apply(`${registry.host}/two:1`)).toMatchObject({ code: 0 })
  expect(Object.keys(written()?.tags ?? {})).toEqual([
    `${registry.host}/one:1`,
    `${registry.host}/two:1`,
  ])
  expect(kube.writes).toHaveLength(2)
})

test('loses nothing of what somebody else writes meanwhile', async () => {
  let reads = 0
  kube.images.onRead = () => {
    reads += 1
    // Between our reading for the change and our writing of it.
    if (reads === 2) kube.images.write(JSON.stringify(OTHER))
  }
  expect(await apply(`${registry.host}/one:1`)).toMatchObject({ code: 0 })
  const index = written()
  expect(index && mergeIndexes(index, OTHER)).toEqual(index)
  expect(Object.keys(index?.tags ?? {})).toEqual([`${registry.host}/one:1`])
})

test('leaves an index that it cannot read as it is, and says so', async () => {
  kube.images.write('{"version":2}')
  const { code, stderr } = await apply(`${registry.host}/one:1`)
  expect(code).toBe(1)
  expect(stderr).toContain('the index in the cluster')
  expect(kube.images.text()).toBe('{"version":2}')
})

test('writes nothing where an image cannot be read', async () => {
  expect(await apply(`${registry.host}/no:1`)).toMatchObject({ code: 1 })
  expect(kube.writes).toEqual([])
})

test.each<[string, (whole: string) => string, RegExp]>([
  [
    'that is no YAML',
    () => '{',
    /the kubeconfig \S+kubeconfig: it is not what kubectl reads: [^\n]+\n$/,
  ],
  [
    'without a current context',
    (whole) => JSON.stringify({ ...JSON.parse(whole), 'current-context': 'none' }),
    /the kubeconfig \S+kubeconfig: its current-context leads to no cluster/,
  ],
  [
    'of a cluster that is not there',
    (whole) => whole.replace(/127\.0\.0\.1:\d+/, 'kube.invalid'),
    /the API server at kube\.invalid cannot be reached: (?:no such host is known here|the name service does not answer) \(\w+\)\n$/,
  ],
])('a kubeconfig %s is told in a line', async (_name, spoilt, says) => {
  const { code, stderr } = await apply(`${registry.host}/one:1`, spoilt(kubeconfigFor(kube)))
  expect(code).toBe(1)
  expect(stderr).toMatch(says)
  expect(stderr.trimEnd()).not.toContain('\n')
})
