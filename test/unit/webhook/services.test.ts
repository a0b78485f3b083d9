// What Services tell of a server, and what is told to whoever wrote them.

import { describe, expect, test } from '@jest/globals'
import type { JsonObject } from '../../../shared/json.ts'
import { serviceOf } from '../../../webhook/cluster/namespace.ts'
import { parseClusterConfig } from '../../../webhook/cluster/config.ts'
import { render } from '../../../webhook/inject/render.ts'

const config = (() => {
  const parsed = parseClusterConfig({ sidecar: { image: 'x' }, floor: { allowAnonymous: true } })
  if (!parsed.ok) throw new Error(parsed.error.join())
  return parsed.value
})()

const pod = (container: JsonObject): JsonObject => ({
  metadata: {
    name: 'echo',
    labels: { app: 'echo', tier: 'tools' },
    annotations: { 'outrigger.dev/inject': 'true', 'outrigger.dev/auth': 'none' },
  },
  spec: { securityContext: { runAsUser: 1000 }, containers: [{ name: 'server', ...container }] },
})

const service = (ports: readonly JsonObject[], selector: JsonObject = { app: 'echo' }) =>
  serviceOf({ metadata: { name: 'echo' }, spec: { selector, ports } })

const outcomeOf = (container: JsonObject, ...services: readonly ReturnType<typeof service>[]) =>
  render(pod(container), { name: 'a', labels: {}, annotations: {}, services }, config)

const HTTP = { ports: [{ name: 'http', containerPort: 8000 }] }
const WARNING =
  'Service echo: its port 80 leads to the server itself on 8000, around the sidecar; set its targetPort to 15200'

describe('a Service that leads around the sidecar is named', () => {
  test.each<[string, JsonObject, ReturnType<typeof service>, readonly string[]]>([
    ['by number', HTTP, service([{ port: 80, targetPort: 8000 }]), [WARNING]],
    ['by name', HTTP, service([{ port: 80, targetPort: 'http' }]), [WARNING]],
    ['by the same number', HTTP, service([{ port: 8000 }]), [WARNING.replace('80 ', '8000 ')]],
    ['not to the sidecar', HTTP, service([{ port: 80, targetPort: 15_200 }]), []],
    ['not of other pods', HTTP, service([{ port: 80, targetPort: 8000 }], { app: 'x' }), []],
    ['not without a selector', HTTP, service([{ port: 80, targetPort: 8000 }], {}), []],
    ['not over UDP', HTTP, service([{ port: 80, targetPort: 8000, protocol: 'UDP' }]), []],
    [
      'not of a stdio server, where nobody listens',
      { ...HTTP, stdin: true, command: ['a'] },
      service([{ port: 80, targetPort: 8000 }]),
      [],
    ],
  ])('%s', (_name, container, leading, expected) => {
    const { kind, warnings } = outcomeOf(container, leading)
    expect(kind).toBe('inject')
    expect(warnings.filter((line) => line.startsWith('Service'))).toEqual(expected)
  })
})

test('of thousands of Services twenty are named, and the rest counted', () => {
  const many = Array.from({ length: 2000 }, () => service([{ port: 80, targetPort: 8000 }]))
  const { warnings } = outcomeOf(HTTP, ...many)
  expect(warnings.filter((line) => line === WARNING)).toHaveLength(20)
  expect(warnings).toContain(
    '1980 more ports of Services lead to the server itself, around the sidecar',
  )
})

describe('a server that declares no port', () => {
  const command = { command: ['a'] }

  test('speaks HTTP where a Service leads to it', () => {
    const { warnings } = outcomeOf(command, service([{ port: 80, targetPort: 8000 }]))
    expect(warnings[0]).toContain('HTTP on port 8000, since a Service leads to it')
  })

  test('speaks stdio where none does, or none by number', () => {
    for (const services of [[], [service([{ port: 80, targetPort: 'http' }])]]) {
      expect(outcomeOf(command, ...services).warnings).toEqual([])
    }
  })

  test('is asked for its port where several could be it', () => {
    const two = service([
      { port: 80, targetPort: 8000 },
      { port: 81, targetPort: 8001 },
    ])
    expect(outcomeOf(command, two)).toMatchObject({
      kind: 'deny',
      violations: [{ code: 'no-port' }],
    })
  })
})
