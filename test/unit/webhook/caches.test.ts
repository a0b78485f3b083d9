// Where containers that install something at start are told to keep it.

import { describe, expect, test } from '@jest/globals'
import { objectsAt, stringAt, type JsonObject } from '../../../shared/json.ts'
import { bareNamespace } from '../../../webhook/cluster/namespace.ts'
import { nameOf } from '../../../webhook/inject/pod.ts'
import { render } from '../../../webhook/inject/render.ts'
import { clusterConfig } from '../../support/cluster-config.ts'

const config = clusterConfig({
  sidecar: { image: 'x' },
  settings: { auth: 'none' },
  floor: { enforce: 'baseline', allowAnonymous: true },
})

const VOLUMES: readonly JsonObject[] = [
  { name: 'data', emptyDir: {} },
  { name: 'secret', secret: { secretName: 's' } },
]
const HTTP = { command: ['npx', '-y', 'server'], ports: [{ containerPort: 8000 }] }

const outcomeOf = (server: JsonObject, annotations: JsonObject = {}, init: JsonObject[] = []) =>
  render(
    {
      metadata: { name: 'p', annotations: { 'outrigger.dev/inject': 'true', ...annotations } },
      spec: {
        securityContext: { runAsUser: 1000 },
        volumes: VOLUMES,
        initContainers: init,
        containers: [{ name: 'server', ...server }],
      },
    },
    bareNamespace('n'),
    config,
  )

type Entry = readonly [name: string, value: string | undefined]

const envOf = (pod: JsonObject, list: string): readonly Entry[] =>
  objectsAt(
    objectsAt(pod, 'spec', list).find((each) => nameOf(each) !== 'outrigger-sidecar'),
    'env',
  ).map((entry) => [nameOf(entry), stringAt(entry, 'value')])

const entries = (
  server: JsonObject,
  annotations: JsonObject = {},
): Readonly<Record<string, string | undefined>> => {
  const outcome = outcomeOf({ ...HTTP, ...server }, annotations)
  const pod = outcome.kind === 'inject' ? outcome.pod : {}
  expect(render(pod, bareNamespace('n'), config)).toMatchObject({ kind: 'inject', patch: [] })
  return Object.fromEntries(envOf(pod, 'containers'))
}

const mount = (mountPath: string, more: JsonObject = {}): JsonObject => ({
  volumeMounts: [{ name: 'data', mountPath, ...more }],
})
const env = (name: string, value: string): JsonObject => ({ name, value })
const below = (home: string): JsonObject => ({
  HOME: home,
  XDG_CACHE_HOME: `${home}/.cache`,
  npm_config_cache: `${home}/.npm`,
})
const { HOME: _, ...CACHES } = below('/tmp')

describe('a server that speaks HTTP and installs at start writes', () => {
  test.each<[string, JsonObject, JsonObject]>([
    ['to /tmp', {}, below('/tmp')],
    ['to /tmp of its own', mount('/tmp'), below('/tmp')],
    ['to a volume at a home', mount('/home/node'), below('/home/node')],
    ['to a volume at the home of root', mount('/root/'), below('/root')],
    [
      'to one with another below it',
      {
        volumeMounts: [
          { name: 'data', mountPath: '/home/node' },
          { name: 'secret', mountPath: '/home/node/.aws' },
        ],
      },
      below('/home/node'),
    ],
    [
      'to the HOME that it has, where a volume is',
      { ...mount('/data'), env: [env('HOME', '/data/me')] },
      below('/data/me'),
    ],
    [
      'to the cache that it has, where a volume is',
      {
        command: ['uvx', 'server'],
        ...mount('/data'),
        env: [env('XDG_CACHE_HOME', '/data/c')],
      },
      { HOME: '/tmp', XDG_CACHE_HOME: '/data/c', UV_CACHE_DIR: '/data/c/uv' },
    ],
    [
      'caches alone to /tmp, where its HOME cannot be written',
      { env: [env('HOME', '/app')] },
      { HOME: '/app', ...CACHES },
    ],
    [
      'caches alone to /tmp, where its HOME is worked out on the node',
      { env: [env('HOME', '/$(USER)')] },
      { HOME: '/$(USER)', ...CACHES },
    ],
    ['caches alone to /tmp, where files lie below a home', mount('/home/node/.aws'), CACHES],
    [
      'caches alone to /tmp, where a home is of a Secret',
      { volumeMounts: [{ name: 'secret', mountPath: '/root' }] },
      CACHES,
    ],
    [
      'caches alone to /tmp, where several homes can be written',
      {
        volumeMounts: [
          { name: 'data', mountPath: '/root' },
          { name: 'data', mountPath: '/home/node' },
        ],
      },
      CACHES,
    ],
    [
      'where it says itself',
      { env: [env('npm_config_cache', '/cache')] },
      { ...below('/tmp'), npm_config_cache: '/cache' },
    ],
    [
      'to /tmp also where it could write to its image',
      { securityContext: { readOnlyRootFilesystem: false } },
      below('/tmp'),
    ],
    [
      'to /tmp with names from elsewhere that cannot be these',
      { envFrom: [{ prefix: 'A_', configMapRef: { name: 'c' } }] },
      below('/tmp'),
    ],
    [
      'as before, where names from elsewhere may be these',
      { envFrom: [{ configMapRef: { name: 'c' } }] },
      {},
    ],
    [
      'as before, where such a name may come by a prefix',
      { envFrom: [{ prefix: 'HO', configMapRef: { name: 'c' } }] },
      {},
    ],
    ['as before, where its /tmp cannot be written', mount('/tmp', { readOnly: true }), {}],
    ['as before, where it installs nothing', { command: ['node', 'server.js'] }, {}],
  ])('%s', (_name, server, expected) => {
    expect(entries(server)).toEqual(expected)
  })

  test('to the home that writable-paths names', () => {
    const annotations = { 'outrigger.dev/writable-paths': '/home/node' }
    expect(entries({}, annotations)).toEqual(below('/home/node'))
  })
})

test('a stdio server is left to its shim, which knows each child; an init container is not', () => {
  const server = { command: ['npx', '-y', 'server'] }
  const init = { name: 'setup', command: ['sh', '-c', 'cd /data && npm ci'], ...mount('/data') }
  const outcome = outcomeOf(server, {}, [init])
  const pod = outcome.kind === 'inject' ? outcome.pod : {}
  expect(envOf(pod, 'containers')).toEqual([])
  expect(Object.fromEntries(envOf(pod, 'initContainers'))).toEqual(below('/tmp'))
})

test('what its author has set stays before what is added, which may refer to it', () => {
  const own = [env('A', '1'), env('B', '$(HOME)')]
  const outcome = outcomeOf({ ...HTTP, env: own })
  const pod = outcome.kind === 'inject' ? outcome.pod : {}
  const names = envOf(pod, 'containers').map(([name]) => name)
  expect(names).toEqual(['A', 'B', 'HOME', 'XDG_CACHE_HOME', 'npm_config_cache'])
})
