// Nothing that a manifest writes leads out of the directories that stand for its volumes, and a path is taken for one
// only where it is one.

import { expect, test } from '@jest/globals'
import { relocation } from '../../../../cli/dev/relocate.ts'
import type { Supply } from '../../../../cli/dev/supplies.ts'
import { mountsOf } from '../../../../cli/dev/volumes.ts'

const supplyOf = (key: string): Supply => ({
  values: new Map([[key, Buffer.from('x')]]),
  binary: new Set(),
})

const OF_K = [{ key: 'k', path: 'k' }]

test.each<[string, mount: { key: string; items: typeof OF_K; subPath: string }, says: RegExp]>([
  ['a key', { key: 'k', items: [], subPath: '' }, /a new directory stands for it/],
  ['a key that climbs', { key: '../k', items: [], subPath: '' }, /\.\.\/k leads out of the volume/],
  [
    'a path of the machine',
    { key: 'k', items: [{ key: 'k', path: '/etc/k' }], subPath: '' },
    /\/etc\/k leads out/,
  ],
  [
    'a path that climbs later',
    { key: 'k', items: [{ key: 'k', path: 'a/../../k' }], subPath: '' },
    /leads out of the volume/,
  ],
  [
    'a subPath that climbs',
    { key: 'k', items: OF_K, subPath: 'a/../..' },
    /subPath a\/\.\.\/\.\. leads out of it/,
  ],
  ['a key that is not there', { key: 'l', items: OF_K, subPath: '' }, /it has no key k/],
  [
    'a file that another is to lie in',
    { key: 'k', items: [...OF_K, { key: 'k', path: 'k/l' }], subPath: '' },
    /k is a file and a directory in it/,
  ],
])('%s', (_name, { key, items, subPath }, says) => {
  const pod = { spec: { volumes: [{ name: 'v', secret: { secretName: 's', items } }] } }
  const container = { volumeMounts: [{ name: 'v', mountPath: '/v', subPath }] }
  const around = {
    name: 'p',
    namespace: 'n',
    supplies: () => supplyOf(key),
    directories: new Map(),
  }
  expect(mountsOf(pod, container, around).notes).toEqual([expect.stringMatching(says)])
})

const relocate = relocation(
  new Map([
    ['/data', '/here'],
    ['/data/deep', '/there'],
    ['', '/root'],
  ]),
)

test.each([
  ['/data', '/here'],
  ['/data/a b', '/here/a b'],
  ['--dir=/data', '--dir=/here'],
  ['/data:/data/deep/x', '/here:/there/x'],
  ['sqlite:/data/db', 'sqlite:/here/db'],
  ['/database', '/database'],
  ['/data-old', '/data-old'],
  ['/mnt/data', '/mnt/data'],
  ['https://example.com/data', 'https://example.com/data'],
])('%s', (text, moved) => {
  expect(relocate(text)).toBe(moved)
})
