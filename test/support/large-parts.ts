// Parts of a pod, each of many items, that meet in one: what is bounded by itself may still be held, item by item, against
// another. Together they are far from what takes long by its size alone. Each adds itself to a pod.

import { objectsAt, withAt, type Json, type JsonObject } from '../../shared/json.ts'
import { MESH_DIGEST } from './hostile-pods.ts'

type Part = (pod: JsonObject) => JsonObject

const many = <T extends Json>(count: number, item: (index: number) => T): readonly T[] =>
  Array.from({ length: count }, (_none, index) => item(index))

const inServer =
  (more: JsonObject): Part =>
  (pod) =>
    withAt(
      pod,
      ['spec', 'containers'],
      objectsAt(pod, 'spec', 'containers').map((one) =>
        one['name'] === 'server' ? Object.assign({}, one, more) : one,
      ),
    )

const adding =
  (list: string, items: readonly JsonObject[]): Part =>
  (pod) =>
    withAt(pod, ['spec', list], [...objectsAt(pod, 'spec', list), ...items])

const saying =
  (key: string, items: readonly string[]): Part =>
  (pod) =>
    withAt(pod, ['metadata', 'annotations', `outrigger.dev/${key}`], items.join(','))

const MOUNTS = many(5, (index) => ({ name: `v${index}`, mountPath: `/m/${index}` }))
const variables = (name: string): Part =>
  inServer({ env: many(2500, (index) => ({ name, value: `/m/${index % 900}/t` })) })
const token = (index: number): JsonObject => ({
  serviceAccountToken: { path: 't', audience: `a${index}` },
})

export const LARGE_PARTS: readonly (readonly [name: string, part: Part])[] = [
  [
    'mounts',
    inServer({
      volumeMounts: many(1000, (index) => ({ name: `v${index}`, mountPath: `/m/${index}` })),
    }),
  ],
  [
    'mounts in one another',
    inServer({
      volumeMounts: many(1000, (index) => ({
        name: `v${index}`,
        mountPath: `/${'m/'.repeat(1 + (index % 500))}`,
      })),
    }),
  ],
  [
    'tokens',
    adding(
      'volumes',
      many(500, (index) => ({ name: `v${index}`, projected: { sources: [token(index)] } })),
    ),
  ],
  [
    'Secrets',
    adding(
      'volumes',
      many(1000, (index) => ({ name: `v${index}`, secret: { secretName: `outrigger-${index}` } })),
    ),
  ],
  [
    'a mesh’s volumes',
    adding(
      'volumes',
      many(1000, (index) => ({
        name: index === 0 ? 'istio-envoy' : `v${index}`,
        csi: { driver: 'csi.spiffe.io' },
      })),
    ),
  ],
  [
    'a mesh’s proxy',
    adding('containers', [
      {
        name: 'istio-proxy',
        image: `docker.io/istio/proxyv2@${MESH_DIGEST}`,
        args: ['proxy', 'sidecar'],
        volumeMounts: many(500, () => ({ name: 'istio-envoy', mountPath: '/etc/istio/proxy' })),
        env: many(800, () => ({ name: 'ISTIO_META_X', value: 'y' })),
      },
    ]),
  ],
  [
    'ports',
    inServer({
      ports: many(256, (index) => ({ name: `p${index}`, containerPort: 8000 + index })),
    }),
  ],
  [
    'init containers',
    adding(
      'initContainers',
      many(100, (index) => ({
        name: `c${index}`,
        image: 'i',
        command: ['npx', 'x'],
        volumeMounts: MOUNTS,
      })),
    ),
  ],
  [
    'containers',
    adding(
      'containers',
      many(100, (index) => ({ name: `d${index}`, image: 'i', volumeMounts: MOUNTS })),
    ),
  ],
  [
    'debug containers',
    adding(
      'ephemeralContainers',
      many(200, (index) => ({ name: `e${index}`, image: 'i', volumeMounts: MOUNTS })),
    ),
  ],
  [
    'probes',
    inServer({
      livenessProbe: {
        httpGet: { port: 'p200', httpHeaders: many(1000, () => ({ name: 'a', value: 'b' })) },
      },
    }),
  ],
  [
    'words',
    inServer({ args: many(4000, (index) => (index % 2 === 0 ? 'npx' : '/outrigger/bin/shim')) }),
  ],
  [
    'users',
    saying(
      'run-as-user',
      many(250, (index) => `c${index}=${1000 + index}`),
    ),
  ],
  [
    'writable paths',
    saying(
      'writable-paths',
      many(250, (index) => `/w/${index}`),
    ),
  ],
  ...['AWS_WEB_IDENTITY_TOKEN_FILE', 'HOME', 'PROXY_CONFIG', 'API_TOKEN'].map(
    (name) => [`variables called ${name}`, variables(name)] as const,
  ),
]
