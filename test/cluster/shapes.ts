// Deployments as people have them, before they have heard of Outrigger: the image, what the manifest
// says, the Service that leads to the server's own port, and a call that tells that it works.

import type { Json } from './api.ts'
import type { ImageConfig } from './images/archive.ts'
import type { LayerName } from './images/layers.ts'
import { PACKAGE_HOST } from './images/package-index.ts'

export interface Shape {
  readonly name: string
  readonly layers: readonly LayerName[]
  readonly image: ImageConfig
  /** The port that the Service leads to, by its number. */
  readonly port: number
  /** What the container says besides its image and port. */
  readonly container?: Json
  /** What the pod says besides its container. */
  readonly spec?: Json
  /** What the manifest has besides the Deployment and the Service. */
  readonly objects?: readonly Json[]
  readonly tool: string
  readonly args: Json
  readonly answer: RegExp
  /** Whom the server runs as once it is injected. */
  readonly uid: number
}

const ECHO = { tool: 'echo', args: { message: 'hello' }, answer: /^Echo: hello$/ } as const
/** The cluster configuration's, for images that run as root. */
const DEFAULT_UID = 65_534

export const SHAPES: readonly Shape[] = [
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
      env: [{ name: 'npm_config_registry', value: `${PACKAGE_HOST}/npm/` }],
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
]
