// Which paths of a server's own pass, and that the sidecar takes every document that says so.

import { describe, expect, test } from '@jest/globals'
import type { JsonObject } from '../../../shared/json.ts'
import { bareNamespace } from '../../../webhook/cluster/namespace.ts'
import { render } from '../../../webhook/inject/render.ts'
import { documentOf } from '../../../webhook/inject/stand-ins.ts'
import { ownSidecar } from '../../../webhook/inject/pod.ts'
import { clusterConfig } from '../../support/cluster-config.ts'

const config = clusterConfig({
  sidecar: { image: 'x' },
  settings: { auth: 'none' },
  floor: { allowAnonymous: true, allowOpenPaths: true },
})

const podWith = (annotations: JsonObject): JsonObject => ({
  metadata: {
    name: 'p',
    annotations: {
      'outrigger.dev/inject': 'true',
      'prometheus.io/scrape': 'true',
      ...annotations,
    },
  },
  spec: { containers: [{ name: 's', command: ['s'], ports: [{ containerPort: 8000 }] }] },
})

const many = Array.from({ length: 256 }, (_, index) => `/p${index}`)

describe('the metrics that Prometheus is told of', () => {
  test.each<readonly [name: string, annotations: JsonObject, paths: readonly string[]]>([
    ['pass', {}, ['/metrics']],
    ['pass beside others', { 'outrigger.dev/open-paths': '/health' }, ['/health', '/metrics']],
    ['pass once', { 'outrigger.dev/open-paths': '/metrics' }, ['/metrics']],
    ['pass without the space around them', { 'prometheus.io/path': ' /metrics ' }, ['/metrics']],
    [
      'pass once, with a space before them',
      { 'outrigger.dev/open-paths': '/metrics', 'prometheus.io/path': ' /metrics' },
      ['/metrics'],
    ],
    [
      'do not pass where the server speaks MCP',
      { 'outrigger.dev/path': '/api', 'prometheus.io/path': '/api' },
      [],
    ],
    [
      'do not pass where the server speaks MCP, spelt otherwise',
      { 'outrigger.dev/path': '/api', 'prometheus.io/path': '/API/' },
      [],
    ],
    [
      'do not pass beyond as many as there may be',
      { 'outrigger.dev/open-paths': many.join() },
      many,
    ],
    ['do not pass as two', { 'prometheus.io/path': '/a,/b' }, []],
  ])('%s, and the sidecar takes its document', (_name, annotations, paths) => {
    const outcome = render(podWith(annotations), bareNamespace('n'), config)
    const pod = outcome.kind === 'inject' ? outcome.pod : {}
    const document = documentOf(ownSidecar(pod))
    expect(document).toBeDefined()
    expect(document?.settings['open-paths'] ?? []).toEqual(paths)
  })
})
