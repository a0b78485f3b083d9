import { describe, expect, test } from '@jest/globals'
import type { JsonObject } from '../../../../shared/json.ts'
import { parseClusterConfig, type ClusterConfig } from '../../../../webhook/cluster/config.ts'
import type { Namespace } from '../../../../webhook/cluster/namespace.ts'
import { admit } from '../../../../webhook/rules/admit.ts'
import { clusterConfig } from '../../../support/cluster-config.ts'

const configWith = (floor: Readonly<Record<string, unknown>>): ClusterConfig =>
  clusterConfig({
    sidecar: { image: 'example.com/sidecar' },
    settings: { auth: 'none' },
    floor: { allowAnonymous: true, ...floor },
  })

const LABEL = 'outrigger.dev/'
const namespaceWith = (labels: Readonly<Record<string, string>>): Namespace => ({
  name: 'team-a',
  labels: Object.fromEntries(
    Object.entries(labels).map(([word, value]) => [`${LABEL}${word}`, value]),
  ),
  annotations: {},
})

/** It breaks one rule of `strict`, and none of `baseline`. */
const POD: JsonObject = {
  metadata: { annotations: { 'outrigger.dev/inject': 'true' } },
  spec: {
    containers: [
      {
        name: 'server',
        image: 'example.com/server:1',
        command: ['server'],
        resources: { limits: { cpu: '1', memory: '1Gi' } },
      },
    ],
  },
}
const TAG = `container server: image: "example.com/server:1" is a tag; write IMAGE@sha256:…, or record the tag's digest with \`outrigger images add IMAGE\` (rule image-digest)`

interface Row {
  readonly name: string
  readonly floor?: Readonly<Record<string, unknown>>
  readonly labels?: Readonly<Record<string, string>>
  readonly becomes: 'denied' | 'warned' | 'recorded' | 'nothing'
}

const ROWS: readonly Row[] = [
  { name: 'by default', becomes: 'nothing' },
  { name: 'the floor enforces', floor: { enforce: 'strict' }, becomes: 'denied' },
  { name: 'the floor warns', floor: { warn: 'strict' }, becomes: 'warned' },
  { name: 'the floor records', floor: { audit: 'strict' }, becomes: 'recorded' },
  { name: 'the label enforces', labels: { enforce: 'strict' }, becomes: 'denied' },
  { name: 'the label warns', labels: { warn: 'strict' }, becomes: 'warned' },
  { name: 'the label records', labels: { audit: 'strict' }, becomes: 'recorded' },
  {
    name: 'a label lowers nothing',
    floor: { enforce: 'strict' },
    labels: { enforce: 'off' },
    becomes: 'denied',
  },
  {
    name: 'a label that is mistyped enforces everything',
    labels: { enforce: 'Strict' },
    becomes: 'denied',
  },
  { name: 'a mistyped one to warn', labels: { warn: 'Strict' }, becomes: 'nothing' },
  {
    name: 'the floor excepts the namespace',
    floor: {
      enforce: 'strict',
      allowExceptions: [{ rules: ['image-digest'], namespaces: ['team-b', 'team-a'] }],
    },
    becomes: 'nothing',
  },
  {
    name: 'the floor excepts another rule',
    floor: {
      enforce: 'strict',
      allowExceptions: [{ rules: ['limits'], namespaces: ['team-a'] }],
    },
    becomes: 'denied',
  },
]

describe('what comes of a broken rule', () => {
  test.each(ROWS)('$name: $becomes', ({ floor = {}, labels = {}, becomes }) => {
    const { decided, recorded } = admit(POD, namespaceWith(labels), configWith(floor))
    expect(decided.kind).toBe(becomes === 'denied' ? 'deny' : 'inject')
    const messages = decided.kind === 'deny' ? decided.violations.map(({ message }) => message) : []
    expect(messages).toEqual(becomes === 'denied' ? [TAG] : [])
    const warned = decided.warnings.filter((warning) => warning.includes('(rule '))
    expect(warned).toEqual(becomes === 'warned' ? [`${TAG}, which only warns here`] : [])
    expect(recorded.map(({ rule }) => rule)).toEqual(becomes === 'recorded' ? ['image-digest'] : [])
  })

  test('what keeps a pod from being injected is told together with what its author must mend besides', () => {
    const pod = {
      ...POD,
      spec: { hostNetwork: true, hostAliases: [{ ip: '10.0.0.1' }], ...Object(POD['spec']) },
    }
    const { decided } = admit(pod, namespaceWith({ enforce: 'strict' }), configWith({}))
    expect(decided).toMatchObject({
      kind: 'deny',
      violations: [
        { code: 'rule', rule: 'host-namespaces' },
        { code: 'rule', rule: 'image-digest' },
        { code: 'rule', rule: 'host-aliases' },
      ],
    })
  })

  test('a pod that nothing opts in is held against no rule', () => {
    const pod = { ...POD, metadata: {} }
    const { decided } = admit(pod, namespaceWith({ enforce: 'strict' }), configWith({}))
    expect(decided).toMatchObject({ kind: 'skip', warnings: [] })
  })

  test.each([
    ['enforce', 'as strict'],
    ['warn', 'for nothing'],
    ['audit', 'for nothing'],
  ])('a mistyped label %s is told, and counts %s', (mode, counts) => {
    const { decided } = admit(POD, namespaceWith({ [mode]: 'Strict' }), configWith({}))
    const text = `namespace team-a: label outrigger.dev/${mode}: "Strict" is none of off, baseline, strict; it counts ${counts}`
    expect(decided.warnings).toContain(text)
  })

  test.each([
    ['team-a', 'inject', []],
    ['team-b', 'deny', ['read-only-root']],
  ])('a root that can be written, excepted in team-a, in %s: %s', (name, kind, found) => {
    const allowExceptions = [
      { rules: ['read-only-root', 'image-digest'], namespaces: ['team-a'] },
      { rules: ['image-digest'], namespaces: ['team-b'] },
    ]
    const server = {
      name: 'server',
      image: 'example.com/server:1',
      command: ['server'],
      resources: { limits: { cpu: '1', memory: '1Gi' } },
      securityContext: { readOnlyRootFilesystem: false },
    }
    const pod = { ...POD, spec: { containers: [server] } }
    const namespace = { ...namespaceWith({ enforce: 'strict' }), name }
    const { decided } = admit(pod, namespace, configWith({ allowExceptions }))
    const violations = decided.kind === 'deny' ? decided.violations : []
    expect(decided.kind).toBe(kind)
    expect(violations.map(({ code, rule }) => rule ?? code)).toEqual(found)
  })

  const UNLIMITED = { name: 'server', image: `x@sha256:${'0'.repeat(64)}`, command: ['server'] }
  test.each<readonly [string, JsonObject, JsonObject, readonly string[]]>([
    ['none of the configuration’s', {}, {}, ['limits', 'limits']],
    ['the configuration’s for both', { cpu: '1', memory: '1Gi' }, {}, []],
    ['the configuration’s for one', { cpu: '1' }, {}, ['limits']],
    [
      'the configuration’s, and something else that is wrong',
      { cpu: '1', memory: '1Gi' },
      { hostNetwork: true },
      ['host-namespaces'],
    ],
  ])('a server without limits in strict, with %s', (_name, limits, spec, found) => {
    const config = clusterConfig({
      sidecar: { image: 'example.com/sidecar' },
      server: { limits },
      settings: { auth: 'none' },
      floor: { allowAnonymous: true },
    })
    const pod = { ...POD, spec: { containers: [UNLIMITED], ...spec } }
    const { decided } = admit(pod, namespaceWith({ enforce: 'strict' }), config)
    const violations = decided.kind === 'deny' ? decided.violations : []
    expect(violations.map(({ code, rule }) => rule ?? code)).toEqual(found)
  })

  test('baseline has no exceptions', () => {
    const floor = { allowExceptions: [{ rules: ['privileged'], namespaces: ['team-a'] }] }
    const config = parseClusterConfig({ sidecar: { image: 'x' }, floor })
    expect(config.ok ? [] : config.error).toEqual([
      expect.stringContaining('floor.allowExceptions'),
    ])
  })
})
