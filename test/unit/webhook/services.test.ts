// What Services tell of a server, and what is told to whoever wrote them.

import { describe, expect, test } from '@jest/globals'
import { objectAt, objectsAt, type JsonObject } from '../../../shared/json.ts'
import { serviceOf } from '../../../webhook/cluster/namespace.ts'
import { render } from '../../../webhook/inject/render.ts'
import { clusterConfig } from '../../support/cluster-config.ts'

const config = clusterConfig({ sidecar: { image: 'x' }, floor: { allowAnonymous: true } })

const pod = (container: JsonObject): JsonObject => ({
  metadata: {
    name: 'echo',
    labels: { app: 'echo', tier: 'tools' },
    annotations: {
      'outrigger.dev/inject': 'true',
      'outrigger.dev/auth': 'none',
      'outrigger.dev/egress-mode': 'observe',
    },
  },
  spec: { securityContext: { runAsUser: 1000 }, containers: [{ name: 'server', ...container }] },
})

const service = (ports: readonly JsonObject[], selector: JsonObject = { app: 'echo' }) =>
  serviceOf({ metadata: { name: 'echo' }, spec: { selector, ports } })

const odd = (spec: JsonObject): ReturnType<typeof service> =>
  serviceOf({
    metadata: { name: 'echo' },
    spec: { selector: { app: 'echo' }, ports: [{ port: 80, targetPort: 8000 }], ...spec },
  })

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
    ['not of a name elsewhere', HTTP, odd({ type: 'ExternalName', externalName: 'x.example' }), []],
    [
      'and what to do where its ports say nothing',
      HTTP,
      odd({ clusterIP: 'None' }),
      [
        'Service echo is headless: whoever resolves it reaches the server itself on 8000, around the sidecar; have callers use port 15200',
      ],
    ],
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

  test('is not taken for one that speaks HTTP by a Service that leads to the sidecar', () => {
    const { warnings } = outcomeOf(command, service([{ port: 80, targetPort: 15_200 }]))
    expect(warnings).toEqual([])
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

describe('where Services look for names among native sidecars, the name of the server’s port moves', () => {
  const modern = { ...config, findsSidecarPorts: true }
  const rendered = (
    container: JsonObject,
    { services = [], others = [] }: Partial<Record<'services' | 'others', readonly JsonObject[]>>,
  ) => {
    const { metadata, spec } = pod(container)
    const containers = [...objectsAt(spec, 'containers'), ...others]
    const annotations = {
      ...objectAt(metadata, 'annotations'),
      'outrigger.dev/container': 'server',
    }
    const object = {
      metadata: { ...objectAt(metadata), annotations },
      spec: { ...objectAt(spec), containers },
    }
    const namespace = {
      name: 'a',
      labels: {},
      annotations: {},
      services: services.map((each) => serviceOf(each)),
    }
    const outcome = render(object, namespace, modern)
    if (outcome.kind !== 'inject') throw new Error(JSON.stringify(outcome))
    const again = render(outcome.pod, namespace, modern)
    expect(again).toMatchObject({ kind: 'inject', patch: [] })
    return { ...outcome, again }
  }
  const portsOf = (list: string, { pod: after }: { readonly pod: JsonObject }): unknown =>
    objectAt(objectsAt(after, 'spec', list)[0])['ports']
  const OWN = [
    { name: 'mcp', containerPort: 15_200, protocol: 'TCP' },
    { name: 'outrigger-admin', containerPort: 15_201, protocol: 'TCP' },
  ]
  const onSidecar = (name: string) => ({ name, containerPort: 15_200, protocol: 'TCP' })
  const byName = {
    metadata: { name: 'echo' },
    spec: { selector: { app: 'echo' }, ports: [{ port: 80, targetPort: 'http' }] },
  }

  test('to the sidecar, and nobody goes around it', () => {
    const outcome = rendered(HTTP, { services: [byName] })
    expect(portsOf('initContainers', outcome)).toEqual([...OWN, onSidecar('http')])
    expect(portsOf('containers', outcome)).toEqual([{ containerPort: 8000 }])
    expect(outcome.warnings).toContain(
      "container server: the port name http is the sidecar's now, so that Services that target it lead there",
    )
    expect(outcome.warnings.filter((line) => line.startsWith('Service'))).toEqual([])
  })

  test('whether a Service is known or not, since one may come later', () => {
    expect(portsOf('initContainers', rendered(HTTP, {}))).toEqual([...OWN, onSidecar('http')])
  })

  test('and what used it in the container takes the number', () => {
    const probe = { httpGet: { path: '/', port: 'http' } }
    const { pod: after } = rendered(
      {
        ...HTTP,
        readinessProbe: probe,
        livenessProbe: { tcpSocket: { port: 'http' } },
        lifecycle: { preStop: probe },
      },
      {},
    )
    expect(objectsAt(after, 'spec', 'containers')[0]).toMatchObject({
      readinessProbe: { httpGet: { path: '/', port: 8000 } },
      livenessProbe: { tcpSocket: { port: 8000 } },
      lifecycle: { preStop: { httpGet: { path: '/', port: 8000 } } },
    })
  })

  test.each<[string, readonly JsonObject[], readonly JsonObject[], readonly JsonObject[]]>([
    [
      'mcp, which the sidecar has anyway',
      [{ name: 'mcp', containerPort: 8000 }],
      [{ containerPort: 8000 }],
      OWN,
    ],
    [
      'the one of several that tells its port, which is still known the next time',
      [
        { name: 'http', containerPort: 8000 },
        { name: 'api', containerPort: 9000 },
      ],
      [{ containerPort: 8000 }, { name: 'api', containerPort: 9000 }],
      [...OWN, onSidecar('http')],
    ],
    [
      'both of one port',
      [
        { name: 'http', containerPort: 8000 },
        { name: 'web', containerPort: 8000 },
      ],
      [{ containerPort: 8000 }, { containerPort: 8000 }],
      [...OWN, onSidecar('http'), onSidecar('web')],
    ],
    ['none', [{ containerPort: 8000 }], [{ containerPort: 8000 }], OWN],
  ])('%s', (_name, ports, left, sidecar) => {
    const outcome = rendered({ ports }, {})
    expect(portsOf('containers', outcome)).toEqual(left)
    expect(portsOf('initContainers', outcome)).toEqual(sidecar)
  })

  test('but not one that another container has, too: Services find that first', () => {
    const others = [{ name: 'helper', ports: [{ name: 'http', containerPort: 7000 }] }]
    const outcome = rendered(HTTP, { services: [byName], others })
    expect(portsOf('containers', outcome)).toEqual(HTTP.ports)
    expect(outcome.warnings).toContain(WARNING)
  })

  test('and a Service by number, or a headless one, is named as before', () => {
    const byNumber = {
      ...byName,
      spec: { ...byName.spec, ports: [{ port: 80, targetPort: 8000 }] },
    }
    expect(rendered(HTTP, { services: [byNumber] }).warnings).toContain(WARNING)
    const headless = { ...byName, spec: { ...byName.spec, clusterIP: 'None' } }
    const { warnings } = rendered(HTTP, { services: [headless] })
    expect(warnings.filter((line) => line.includes('is headless'))).toHaveLength(1)
  })

  test('a name that somebody wrote on the sidecar leads to the sidecar, or goes', () => {
    const first = rendered(HTTP, {}).pod
    const forged = (ports: readonly JsonObject[]): unknown => {
      const [sidecar = {}] = objectsAt(first, 'spec', 'initContainers')
      const spec = { ...objectAt(first, 'spec'), initContainers: [{ ...sidecar, ports }] }
      const outcome = render({ ...first, spec }, { name: 'a', labels: {}, annotations: {} }, modern)
      return outcome.kind === 'inject' ? portsOf('initContainers', outcome) : outcome
    }
    expect(forged([{ name: 'x', containerPort: 9999 }])).toEqual(OWN)
    expect(forged([onSidecar('x')])).toEqual([...OWN, onSidecar('x')])
  })
})
