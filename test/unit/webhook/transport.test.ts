// What is found out about a server is found again by the next pass: the API server calls the webhook a second time.

import { describe, expect, test } from '@jest/globals'
import { objectsAt, type JsonObject } from '../../../shared/json.ts'
import { bareNamespace } from '../../../webhook/cluster/namespace.ts'
import { render } from '../../../webhook/inject/render.ts'
import { clusterConfig } from '../../support/cluster-config.ts'

const config = clusterConfig({
  sidecar: { image: 'x' },
  settings: { auth: 'none' },
  floor: { allowAnonymous: true },
})
const namespace = bareNamespace('n')

const BRIDGE = ['supergateway', '--stdio', 'server']
const PORTS = [{ containerPort: 8000 }, { containerPort: 9000 }]

describe('the ports of a bridge that is taken away', () => {
  test.each<
    readonly [
      name: string,
      server: JsonObject,
      others: readonly JsonObject[],
      ports: readonly JsonObject[],
    ]
  >([
    ['stay where the sidecar serves one', { ports: PORTS.slice(0, 1) }, [], PORTS.slice(0, 1)],
    [
      'stay where its line tells which',
      { command: [...BRIDGE, '--port', '8000'], ports: [] },
      [],
      [],
    ],
    ['go where none tells which is served', { ports: PORTS }, [], []],
    ['go where none is of TCP', { ports: [{ containerPort: 53, protocol: 'UDP' }] }, [], []],
    [
      'go where another container has it',
      { ports: PORTS.slice(0, 1) },
      [{ name: 'other', command: ['o'], ports: PORTS.slice(0, 1) }],
      [],
    ],
  ])('%s, and a second pass changes nothing', (_name, server, others, ports) => {
    const pod = {
      metadata: {
        name: 'p',
        annotations: { 'outrigger.dev/inject': 'true', 'outrigger.dev/container': 's' },
      },
      spec: { containers: [{ name: 's', command: BRIDGE, ...server }, ...others] },
    }
    const first = render(pod, namespace, config)
    const injected = first.kind === 'inject' ? first.pod : {}
    expect(objectsAt(objectsAt(injected, 'spec', 'containers')[0], 'ports')).toEqual(ports)
    const isTold = first.warnings.some((warning) => warning.includes('is taken off'))
    expect(isTold).toBe(ports.length === 0 && objectsAt(server, 'ports').length > 0)
    expect(render(injected, namespace, config)).toMatchObject({ kind: 'inject', patch: [] })
  })
})
