import { describe, expect, test } from '@jest/globals'
import type { ImageIndex } from '../../../shared/image-index.ts'
import { escapeExpansion, readLine } from '../../../webhook/inject/command.ts'
import { agreed, knownImage } from '../../../webhook/inject/image.ts'
import { cleanPath, doPathsMeet } from '../../../webhook/inject/paths.ts'
import { isExempt } from '../../../webhook/inject/exempt.ts'
import { serverLabel } from '../../../webhook/inject/server-label.ts'
import type { JsonObject } from '../../../shared/json.ts'
import {
  formatQuantity,
  isSameQuantity,
  parseQuantity,
} from '../../../webhook/settings/quantity.ts'
import { clusterConfig } from '../../support/cluster-config.ts'

describe('paths', () => {
  test.each([
    ['/a/b', '/a/b'],
    ['a//b/', '/a/b'],
    ['/a/./b/../c', '/a/c'],
    ['/../..', '/'],
    ['', '/'],
  ])('%j is %s', (path, clean) => {
    expect(cleanPath(path)).toBe(clean)
  })

  test.each([
    ['/a', '/a', true],
    ['/a', '/a/b', true],
    ['/a/b', '/a', true],
    ['/', '/a', true],
    ['/a', '/ab', false],
    ['/a/b', '/a/c', false],
  ])('%s and %s meet: %s', (a, b, meet) => {
    expect(doPathsMeet(a, b)).toBe(meet)
  })
})

describe('quantities', () => {
  test.each([
    ['1', '1000m'],
    ['0.5', '500m'],
    ['1.5Gi', '1536Mi'],
    ['1e3', '1k'],
    ['268435456', '256Mi'],
    ['100u', '0.1m'],
    ['1E3', '1000'],
  ])('%s is %s', (a, b) => {
    expect(isSameQuantity(a, b)).toBe(true)
  })

  test.each(['', 'x', '1x', '-1', '1 ', '1.2.3', 'Mi', '1e', '9'.repeat(40)])(
    '%j is none',
    (text) => {
      expect(parseQuantity(text)).toBeUndefined()
    },
  )

  test.each([
    ['250m', 'cpu', '250m'],
    ['2000m', 'cpu', '2'],
    ['1024', 'memory', '1Ki'],
    ['1025', 'memory', '1025'],
    ['1Gi', 'memory', '1Gi'],
    ['0.1m', 'cpu', '1m'],
  ] as const)('%s as %s is written %s', (text, kind, written) => {
    expect(formatQuantity(parseQuantity(text) ?? 0n, kind)).toBe(written)
  })
})

describe('the command line', () => {
  const shim = ['/outrigger/bin/shim', 'serve', '--run', '/outrigger/run', '--grace', '27', '--']
  const hold = ['/outrigger/bin/shim', 'exec', '--loopback', '--run', '/outrigger/run', '--']
  const line = (command?: readonly string[], args?: readonly string[]): JsonObject => ({
    name: 'c',
    ...(command ? { command } : {}),
    ...(args ? { args } : {}),
  })

  test.each([
    ['none', line(), undefined, undefined, undefined],
    ['plain', line(['a'], ['b']), ['a'], ['b'], undefined],
    ['ours', line([...shim, 'a'], ['b']), ['a'], ['b'], 'serve'],
    ['ours before one that speaks HTTP', line([...hold, 'a'], ['b']), ['a'], ['b'], 'exec'],
    ['ours alone', line(shim, ['b']), [], ['b'], 'serve'],
    ['behind a wrapper', line(['w', '--', ...shim, 'a']), ['w', '--', 'a'], undefined, 'serve'],
    ['in the arguments', line(['w'], [...hold, 'a', '--', 'b']), ['w'], ['a', '--', 'b'], 'exec'],
    ['twice', line([...shim, ...shim, 'a']), ['a'], undefined, 'serve'],
    ['of both kinds, the inner', line([...hold, ...shim, 'a']), ['a'], undefined, 'serve'],
  ])('%s', (_name, container, command, ...[args, hadShim]) => {
    expect(readLine(container)).toEqual({ ok: true, value: { command, args, hadShim } })
  })

  test.each([
    ['without its end', ['/outrigger/bin/shim', 'serve']],
    ['with another command', ['/outrigger/bin/shim', 'copy', '/x', '--', 'a']],
  ])('refuses a shim %s', (_name, command) => {
    expect(readLine(line(command))).toMatchObject({ ok: false, error: { code: 'reserved-path' } })
  })

  test.each([
    ['$(HOME)', '$$(HOME)'],
    ['$$', '$$$$'],
    ['a$b', 'a$$b'],
    ['plain', 'plain'],
  ])('%s is escaped as %s', (text, escaped) => {
    expect(escapeExpansion(text)).toBe(escaped)
  })
})

describe('the image index', () => {
  const [digest, other] = [`sha256:${'a'.repeat(64)}`, `sha256:${'b'.repeat(64)}`]
  const command = (word: string) => ({ entrypoint: [word], cmd: [] })
  const index: ImageIndex = {
    version: 1,
    tags: { 'docker.io/library/i:1': digest, 'docker.io/library/i:latest': digest },
    images: { [digest]: { 'linux/amd64': command('amd'), 'linux/arm64/v8': command('arm') } },
  }
  const on = (arch?: string): JsonObject =>
    arch ? { spec: { nodeSelector: { 'kubernetes.io/arch': arch } } } : {}

  test.each<readonly [string, string, JsonObject, { word?: string; pinned?: string }]>([
    ['by digest and platform', `r/i@${digest}`, on('amd64'), { word: 'amd' }],
    ['by a variant of the platform', `r/i:1@${digest}`, on('arm64'), { word: 'arm' }],
    ['not for another platform', `r/i@${digest}`, on('s390x'), {}],
    ['not where platforms differ', `r/i@${digest}`, on(), {}],
    ['by a tag that it knows', 'i:1', on('amd64'), { word: 'amd', pinned: `i:1@${digest}` }],
    [
      'by that tag, spelt out',
      'docker.io/library/i:1',
      on('amd64'),
      { word: 'amd', pinned: `docker.io/library/i:1@${digest}` },
    ],
    ['by the tag that is not said', 'i', on('amd64'), { word: 'amd', pinned: `i@${digest}` }],
    ['not by another tag', 'i:2', on('amd64'), {}],
    ['not by that tag elsewhere', 'r.example/library/i:1', on('amd64'), {}],
    ['not by another digest', `i:1@${other}`, on('amd64'), {}],
    ['not by a name of Object itself', 'i:1@constructor', on('amd64'), {}],
  ])('answers %s', (_name, image, pod, { word, pinned }) => {
    const known = knownImage({ image }, pod, index)
    const found = known && agreed(known, ({ entrypoint }) => entrypoint)
    expect(found?.[0]).toBe(word)
    expect(known?.pinned).toBe(pinned)
  })
})

describe('exempt containers', () => {
  const DIGEST = `sha256:${'a'.repeat(64)}`
  const config = clusterConfig({
    sidecar: { image: 'x' },
    floor: {
      exemptContainers: [
        { name: 'proxy', image: 'host:5000/mesh/proxy', tags: { latest: DIGEST, '1.2': DIGEST } },
      ],
    },
  })
  const { floor } = config

  test.each([
    ['proxy', 'host:5000/mesh/proxy', true],
    ['proxy', 'host:5000/mesh/proxy:1.2', true],
    ['proxy', `host:5000/mesh/proxy:1@${DIGEST}`, true],
    ['proxy', 'host:5000/mesh/proxy:1', false],
    ['proxy', 'host:5000/mesh/proxy:constructor', false],
    ['proxy', 'host:5000/mesh/proxy-evil', false],
    ['proxy', 'evil/host:5000/mesh/proxy', false],
    ['proxy', 'host:5001/mesh/proxy', false],
    ['other', 'host:5000/mesh/proxy', false],
    ['proxy', '', false],
  ])('%s %s: %s', (name, image, exempt) => {
    expect(isExempt({ name, image }, floor)).toBe(exempt)
  })
})

describe('the server label', () => {
  const owned = (kind: string, name: string, labels: JsonObject = {}): JsonObject => ({
    metadata: {
      labels,
      ownerReferences: [
        { kind: 'Node', name: 'n' },
        { kind, name, controller: true },
      ],
    },
  })

  test.each([
    [
      'a Deployment',
      owned('ReplicaSet', 'web-abc', { 'pod-template-hash': 'abc' }),
      'deployment-web',
    ],
    ['a bare ReplicaSet', owned('ReplicaSet', 'web'), 'replicaset-web'],
    ['a StatefulSet', owned('StatefulSet', 'db'), 'statefulset-db'],
    ['a Job', owned('Job', 'once'), 'job-once'],
    ['a CronJob', owned('Job', 'tick-29384756'), 'cronjob-tick'],
    ['a Pod', { metadata: { name: 'p' } }, 'pod-p'],
    ['a Pod without a name yet', { metadata: { generateName: 'p-' } }, 'pod-p'],
    [
      'the same with the name made of it',
      { metadata: { generateName: 'p-', name: 'p-x7f2k' } },
      'pod-p',
    ],
    [
      'a Pod that has nothing to make one of',
      { metadata: { generateName: '', name: 'p' } },
      'pod-p',
    ],
    ['nothing', {}, 'pod-unnamed'],
  ])('%s', (_name, pod, label) => {
    expect(serverLabel(pod, undefined)).toBe(label)
  })

  test('is a label value of at most 63 characters, and tells long names apart', () => {
    const labels = ['a', 'b'].map((end) => {
      const name = `${'x'.repeat(44)}.${'.'.repeat(1)}${'y'.repeat(30)}${end}`
      return serverLabel({}, { kind: 'Deployment', name })
    })
    expect(new Set(labels).size).toBe(2)
    for (const label of labels) {
      expect(label.length).toBeLessThanOrEqual(63)
      expect(label).toMatch(/^[a-z0-9]([-a-z0-9_.]*[a-z0-9])?$/)
    }
  })
})
