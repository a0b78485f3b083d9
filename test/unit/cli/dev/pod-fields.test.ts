import { describe, expect, test } from '@jest/globals'
import { fieldText, resourceText } from '../../../../cli/dev/pod-fields.ts'
import { mountsOf, type Content } from '../../../../cli/dev/volumes.ts'

const pod = {
  metadata: { labels: { app: 'a', tier: 'b"c' }, annotations: { 'example.org/x': 'y' } },
  spec: {
    serviceAccountName: 'robot',
    containers: [
      { name: 'c', resources: { limits: { cpu: 1, memory: '64Mi' }, requests: { cpu: '250m' } } },
    ],
  },
}
const own = { pod, name: 'one', namespace: 'n' }

test.each<[string, string | undefined]>([
  ['metadata.name', 'one'],
  ['metadata.namespace', 'n'],
  ["metadata.labels['app']", 'a'],
  ["metadata.labels['none']", ''],
  ["metadata.annotations['example.org/x']", 'y'],
  ['metadata.labels', 'app="a"\ntier="b\\"c"'],
  ['spec.serviceAccountName', 'robot'],
  ['status.podIP', '127.0.0.1'],
  ['spec.nodeName', undefined],
  ['toString', undefined],
])('the field %s', (path, text) => {
  expect(fieldText(own, path)).toBe(text)
})

test.each<[resource: string, divisor: string | number | undefined, string | undefined]>([
  ['limits.cpu', undefined, '1'],
  ['limits.cpu', '1m', '1000'],
  ['requests.cpu', '0', '1'],
  ['requests.cpu', '1m', '250'],
  ['limits.memory', '1Mi', '64'],
  ['limits.memory', 1, '67108864'],
  ['requests.memory', '1Gi', '1'],
  ['limits.ephemeral-storage', undefined, undefined],
  ['memory', undefined, undefined],
])('the resource %s by %s', (resource, divisor, text) => {
  const reference = divisor === undefined ? { resource } : { resource, divisor }
  expect(resourceText(own, 'c', reference)).toBe(text)
})

describe('a projected volume', () => {
  const contentOf = (...sources: readonly object[]): Content | string => {
    const volumes = [{ name: 'v', projected: { sources } }]
    const container = { name: 'c', volumeMounts: [{ name: 'v', mountPath: '/v' }] }
    const around = {
      name: 'one',
      namespace: 'n',
      supplies: (_kind: string, _namespace: string, name: string) =>
        name === 'none'
          ? undefined
          : { values: new Map([['k', Buffer.from(name)]]), binary: new Set<string>() },
      directories: new Map<string, string>(),
    }
    const spec = { ...pod.spec, volumes: JSON.parse(JSON.stringify(volumes)) }
    const { contents, notes } = mountsOf({ ...pod, spec }, container, around)
    return contents.get('v') ?? notes.join('')
  }
  const files = (all: Readonly<Record<string, string>>): Content => ({
    kind: 'files',
    files: new Map(Object.entries(all).map(([path, text]) => [path, Buffer.from(text)])),
  })
  const item = (path: string, fieldPath: string) => ({ path, fieldRef: { fieldPath } })

  test('has what each source brings, of two the later', () => {
    expect(
      contentOf(
        { secret: { name: 's' } },
        { configMap: { name: 'c', items: [{ key: 'k', path: 'd/k' }] } },
        { configMap: { name: 'later' } },
        { secret: { name: 'none', optional: true } },
        { downwardAPI: { items: [item('labels', "metadata.labels['app']")] } },
      ),
    ).toEqual(files({ k: 'later', 'd/k': 'c', labels: 'a' }))
  })

  test.each<[string, object, says: RegExp]>([
    ['a Secret that there is not', { secret: { name: 'none' } }, /Secret none, which the manifest/],
    [
      'a token',
      { serviceAccountToken: { path: 't' } },
      /serviceAccountToken, which only a cluster/,
    ],
    [
      'a field that only a cluster knows',
      { downwardAPI: { items: [item('n', 'spec.nodeName')] } },
      /spec\.nodeName, which only a cluster/,
    ],
    [
      'a path that climbs',
      { downwardAPI: { items: [item('../n', 'metadata.name')] } },
      /\.\.\/n leads out/,
    ],
    [
      'a file where another is a directory',
      { configMap: { name: 'c', items: [{ key: 'k', path: 'k/k' }] } },
      /k is a file and a directory/,
    ],
  ])('is not here with %s', (_name, source, says) => {
    expect(contentOf({ secret: { name: 's' } }, source)).toMatch(says)
  })
})
