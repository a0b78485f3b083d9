import { expect, test } from '@jest/globals'
import { baseLockFor, type Lockable } from '../../../../webhook/cluster/base-locks.ts'
import type { BaseLock } from '../../../../webhook/settings/floor.ts'

const lockOf = (name: string) => ({
  version: 1 as const,
  mode: 'enforce' as const,
  server: { name },
})

const LOCKS: readonly BaseLock[] = [
  { namespaces: ['team-a'], names: ['search'], lock: lockOf('search of team-a') },
  { images: ['docker.io/library/node', 'registry.example:5000/echo'], lock: lockOf('image') },
  { namespaces: ['team-b'], lock: lockOf('team-b') },
]

const LAST: BaseLock = { lock: lockOf('all others') }

const SERVER: Lockable = { namespace: 'team-c', name: 'files', image: 'registry.example/files' }

test.each<[string, Partial<Lockable>, string | undefined]>([
  ['nothing is about it', {}, undefined],
  ['namespace and name', { namespace: 'team-a', name: 'search' }, 'search of team-a'],
  ['the name of another namespace', { namespace: 'team-c', name: 'search' }, undefined],
  ['another name in the namespace', { namespace: 'team-a' }, undefined],
  ['its image, with a tag', { image: 'registry.example:5000/echo:1' }, 'image'],
  [
    'its image, by digest',
    { image: `registry.example:5000/echo@sha256:${'a'.repeat(64)}` },
    'image',
  ],
  ['its image, by its short name', { image: 'node' }, 'image'],
  ['its image, by another host', { image: 'index.docker.io/library/node:24' }, 'image'],
  ['its image, by its host in capitals', { image: 'Registry.Example:5000/echo:1' }, 'image'],
  ['an image below it', { image: 'registry.example:5000/echo/more' }, undefined],
  ['the first of two', { namespace: 'team-b', image: 'node:24' }, 'image'],
  ['no image at all', { namespace: 'team-b', image: '' }, 'team-b'],
])('%s', (_name, part, expected) => {
  const server = { ...SERVER, ...part }
  expect(baseLockFor(server, LOCKS)?.server?.name).toBe(expected)
  expect(baseLockFor(server, [...LOCKS, LAST])?.server?.name).toBe(expected ?? 'all others')
})
