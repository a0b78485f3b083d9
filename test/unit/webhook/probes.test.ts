// What becomes of the probes and hooks of a server that is held on loopback.

import { describe, expect, test } from '@jest/globals'
import type { JsonObject } from '../../../shared/json.ts'
import { probeLoopback, probeWarnings } from '../../../webhook/inject/probes.ts'

const SHIM = '/outrigger/bin/shim'
const PORTS = [
  { name: 'http', containerPort: 8000 },
  { name: 'metrics', containerPort: 9090, protocol: 'TCP' },
]
const withProbe = (probe: JsonObject): JsonObject => ({
  name: 'server',
  ports: PORTS,
  readinessProbe: { periodSeconds: 3, ...probe },
})
const LESS =
  'container server: readinessProbe: only tells whether the port is open: the shim speaks neither TLS nor gRPC'

describe('a probe asks the server on loopback', () => {
  test.each<[string, JsonObject, readonly string[]]>([
    ['by number', { httpGet: { path: '/healthz', port: 8000 } }, ['8000', '/healthz']],
    ['by name', { httpGet: { path: '/healthz', port: 'http' } }, ['8000', '/healthz']],
    ['by a number as text', { httpGet: { path: '/', port: '8000' } }, ['8000', '/']],
    ['without a path', { httpGet: { port: 'metrics' } }, ['9090', '/']],
    ['with a path without a slash', { httpGet: { path: 'up', port: 8000 } }, ['8000', '/up']],
    ['with a query', { httpGet: { path: '/up?full', port: 8000 } }, ['8000', '/up?full']],
    ['with a space', { httpGet: { path: '/a b', port: 8000 } }, ['8000', '/a%20b']],
    [
      'with what the kubelet would expand',
      { httpGet: { path: '/$(A)', port: 8000 } },
      ['8000', '/$$(A)'],
    ],
    [
      'with headers',
      { httpGet: { path: '/', port: 8000, httpHeaders: [{ name: 'Host', value: 'a.example' }] } },
      ['8000', '/', 'Host: a.example'],
    ],
    [
      'that may take long',
      { httpGet: { port: 8000 }, timeoutSeconds: 20 },
      ['--within', '20', '8000', '/'],
    ],
    ['that only connects', { tcpSocket: { port: 'http' } }, ['8000']],
  ])('%s', (_name, probe, words) => {
    const { timeoutSeconds } = probe
    expect(probeLoopback(withProbe(probe))['readinessProbe']).toEqual({
      periodSeconds: 3,
      ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
      exec: { command: [SHIM, 'probe', ...words] },
    })
    expect(probeWarnings(withProbe(probe))).toEqual([
      'container server: readinessProbe: asked on loopback by the shim, where the server is now',
    ])
  })
})

describe('a probe that the shim cannot ask as it stands only connects, and that is said', () => {
  test.each<[string, JsonObject]>([
    ['TLS', { httpGet: { path: '/', port: 8000, scheme: 'HTTPS' } }],
    ['gRPC', { grpc: { port: 8000, service: 'health' } }],
    ['a long path', { httpGet: { path: `/${'x'.repeat(1024)}`, port: 8000 } }],
    [
      'a header with a line in it',
      { httpGet: { port: 8000, httpHeaders: [{ name: 'A', value: 'b\r\nc: d' }] } },
    ],
    [
      'many headers',
      {
        httpGet: {
          port: 8000,
          httpHeaders: Array.from({ length: 100 }, () => ({ name: 'X', value: 'y'.repeat(100) })),
        },
      },
    ],
  ])('%s', (_name, probe) => {
    expect(probeLoopback(withProbe(probe))['readinessProbe']).toMatchObject({
      exec: { command: [SHIM, 'probe', '8000'] },
    })
    expect(probeWarnings(withProbe(probe))).toContain(LESS)
  })
})

describe('left as it is', () => {
  test.each<[string, JsonObject]>([
    ['a command', { exec: { command: ['healthy'] } }],
    ['another host', { httpGet: { host: 'other.example', path: '/', port: 8000 } }],
    ['a port that there is not', { httpGet: { path: '/', port: 'grpc' } }],
    ['a port that is none', { tcpSocket: { port: 70_000 } }],
    ['nothing that is known', { future: { port: 8000 } }],
  ])('%s', (_name, probe) => {
    expect(probeLoopback(withProbe(probe))).toEqual(withProbe(probe))
    expect(probeWarnings(withProbe(probe))).toEqual([])
  })
})

test('hooks are asked so, too, and there nobody expands', () => {
  const lifecycle = {
    postStart: { httpGet: { path: '/$(A)', port: 8000 } },
    preStop: { exec: { command: ['bye'] } },
  }
  const server = { name: 'server', ports: PORTS, lifecycle }
  expect(probeLoopback(server)['lifecycle']).toEqual({
    ...lifecycle,
    postStart: { exec: { command: [SHIM, 'probe', '8000', '/$(A)'] } },
  })
})

test('a second pass finds nothing to change', () => {
  const once = probeLoopback(withProbe({ httpGet: { path: '/healthz', port: 'http' } }))
  expect(probeLoopback(once)).toEqual(once)
})
