// Deployments as people have them, before they have heard of Outrigger: the image, what the manifest
// says, the Service that leads to the server's own port, and a call that tells that it works.

import type { Json } from './api.ts'
import type { ImageConfig } from './images/archive.ts'
import type { LayerName } from './images/layers.ts'
import { PACKAGE_HOST } from './images/package-index.ts'
import { LISTS_PODS, roleFor } from './role.ts'

export interface Shape {
  readonly name: string
  readonly layers: readonly LayerName[]
  readonly image: ImageConfig
  /** The port that the Service leads to, by its number. */
  readonly port: number
  /** What the container says besides its image and port. */
  readonly container?: Json
  /** What the pod says besides its container; init containers run the same image. */
  readonly spec?: Json
  /** What the manifest has besides the Deployment and the Service. */
  readonly objects?: readonly Json[]
  readonly tool: string
  readonly args: Json
  readonly answer: RegExp
  /** Whom the server runs as once it is injected. */
  readonly uid: number
}

const EVERYTHING_PATH = '/node_modules/@modelcontextprotocol/server-everything/dist/index.js'
const EVERYTHING = `/app${EVERYTHING_PATH}`
const ECHO = { tool: 'echo', args: { message: 'hello' }, answer: /^Echo: hello$/ } as const
const NODE_HTTP = { cmd: ['node', EVERYTHING, 'streamableHttp'] } as const
const NPM_REGISTRY = { name: 'npm_config_registry', value: `${PACKAGE_HOST}/npm/` }
const PACKAGES = { volumeMounts: [{ name: 'packages', mountPath: '/packages' }] }
/** The cluster configuration's, for images that run as root. */
const DEFAULT_UID = 65_534

const KUBERNETES_ACCOUNT: readonly Json[] = [
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'pod-reader' } },
  ...roleFor('pod-reader', LISTS_PODS, { kind: 'ServiceAccount', name: 'pod-reader' }),
]

export const SHAPES: readonly Shape[] = [
  {
    name: 'go',
    layers: ['go-server'],
    image: { entrypoint: ['/mcp-http-server'], user: '65532' },
    port: 8080,
    ...ECHO,
    uid: 65_532,
  },
  {
    name: 'node',
    layers: ['node', 'everything'],
    image: { ...NODE_HTTP, user: '1000' },
    port: 3001,
    ...ECHO,
    uid: 1000,
  },
  {
    name: 'python',
    layers: ['python', 'python-server'],
    image: {
      entrypoint: ['python3'],
      cmd: ['/app/server.py'],
      env: ['PATH=/usr/local/bin:/usr/bin:/bin', 'PYTHONPATH=/app/packages'],
      user: '1000',
    },
    port: 8000,
    ...ECHO,
    uid: 1000,
  },
  {
    name: 'java',
    layers: ['python', 'java-server'],
    image: { entrypoint: ['/opt/jre/bin/java', '-cp', '/app', 'Server'], user: '1000' },
    port: 8080,
    ...ECHO,
    uid: 1000,
  },
  {
    name: 'sse',
    layers: ['node', 'everything'],
    image: { cmd: ['node', EVERYTHING, 'sse'], user: '1000' },
    port: 3001,
    ...ECHO,
    uid: 1000,
  },
  {
    name: 'npx',
    layers: ['node', 'npm'],
    image: { cmd: ['node'] },
    port: 8000,
    container: {
      command: ['npx', '-y', 'supergateway'],
      args: [
        '--stdio',
        'npx -y @modelcontextprotocol/server-everything',
        '--outputTransport',
        'streamableHttp',
        '--port',
        '8000',
      ],
      env: [NPM_REGISTRY],
    },
    ...ECHO,
    uid: DEFAULT_UID,
  },
  {
    name: 'npx-http',
    layers: ['node', 'npm'],
    image: { cmd: ['node'] },
    port: 3001,
    container: {
      command: ['sh', '-c', 'exec npx -y @modelcontextprotocol/server-everything streamableHttp'],
      env: [NPM_REGISTRY],
    },
    ...ECHO,
    uid: DEFAULT_UID,
  },
  {
    name: 'init-npm',
    layers: ['node', 'npm'],
    image: { cmd: ['node'] },
    port: 3001,
    container: { command: ['node', `/packages${EVERYTHING_PATH}`, 'streamableHttp'], ...PACKAGES },
    spec: {
      initContainers: [
        {
          name: 'packages',
          command: ['npm', 'install', '@modelcontextprotocol/server-everything'],
          workingDir: '/packages',
          env: [NPM_REGISTRY],
          ...PACKAGES,
        },
      ],
      volumes: [{ name: 'packages', emptyDir: {} }],
    },
    ...ECHO,
    uid: DEFAULT_UID,
  },
  {
    name: 'uv-http',
    layers: ['python', 'uv', 'python-server'],
    image: { cmd: ['python3'] },
    port: 8000,
    container: {
      command: ['uv', 'run', '--no-project', '--with', 'mcp'],
      args: ['python3', '/app/server.py'],
      env: [{ name: 'UV_DEFAULT_INDEX', value: `${PACKAGE_HOST}/simple` }],
    },
    ...ECHO,
    uid: DEFAULT_UID,
  },
  {
    name: 'uvx',
    layers: ['python', 'uv'],
    image: { cmd: ['python3'] },
    port: 8000,
    container: {
      command: [
        'uvx',
        'mcp-proxy',
        '--host=0.0.0.0',
        '--port=8000',
        '--',
        'uvx',
        'mcp-server-time',
      ],
      env: [{ name: 'UV_DEFAULT_INDEX', value: `${PACKAGE_HOST}/simple` }],
    },
    tool: 'get_current_time',
    args: { timezone: 'UTC' },
    answer: /"timezone": "UTC"/,
    uid: DEFAULT_UID,
  },
  {
    name: 'supergateway',
    layers: ['node', 'everything', 'supergateway'],
    image: { user: '1000' },
    port: 8000,
    container: {
      command: ['supergateway', '--stdio', 'mcp-server-everything stdio'],
      args: ['--outputTransport', 'streamableHttp', '--port', '8000'],
    },
    ...ECHO,
    uid: 1000,
  },
  {
    name: 'named-user',
    layers: ['node', 'everything', 'account'],
    image: { ...NODE_HTTP, user: 'mcp' },
    port: 3001,
    ...ECHO,
    uid: 1234,
  },
  {
    name: 'root-image',
    layers: ['node', 'everything'],
    image: NODE_HTTP,
    port: 3001,
    ...ECHO,
    uid: DEFAULT_UID,
  },
  {
    name: 'pod-lister',
    layers: ['go-server'],
    image: { entrypoint: ['/mcp-http-server'], user: '65532' },
    port: 8080,
    spec: { serviceAccountName: 'pod-reader', automountServiceAccountToken: true },
    objects: KUBERNETES_ACCOUNT,
    tool: 'pods',
    args: {},
    answer: /^Pods: .*pod-lister-/,
    uid: 65_532,
  },
  {
    name: 'writable-root',
    layers: ['python', 'python-server', 'notes'],
    image: {
      cmd: ['python3', '/app/server.py'],
      env: ['PATH=/usr/local/bin:/usr/bin:/bin', 'PYTHONPATH=/app/packages'],
      user: '1000',
    },
    port: 8000,
    container: { securityContext: { readOnlyRootFilesystem: false } },
    tool: 'keep',
    args: { path: '/notes/today', text: 'milk' },
    answer: /^Kept: milk$/,
    uid: 1000,
  },
]
