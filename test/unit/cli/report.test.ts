import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { countsOf, reportJson, reportOn, reportText } from '../../../cli/manifest/report.ts'
import { kindOfWarning, OTHER, WARNING_KINDS } from '../../../cli/manifest/warning-kinds.ts'
import { isObject, stringsAt } from '../../../shared/json.ts'
import { clusterConfig } from '../../support/cluster-config.ts'

const GOLDEN = new URL('../../golden/', import.meta.url)

const config = clusterConfig({
  sidecar: { image: 'x' },
  floor: { allowAnonymous: true, egressMode: 'observe' },
})

const report = (file: string, text: string, by = config) =>
  reportOn(text, { file, config: by, isDefaultConfig: false, namespace: 'default', namespaces: [] })

const strictReport = (auth: string) => {
  const strict = clusterConfig({ sidecar: { image: 'x' } })
  return reportOn(pod('one', {}, { 'outrigger.dev/auth': auth }), {
    file: 'a.json',
    config: strict,
    isDefaultConfig: false,
    namespace: 'default',
    namespaces: [],
  })
}

const pod = (name: string, more: object = {}, annotations: object = {}): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      labels: { app: 'echo' },
      annotations: { 'outrigger.dev/inject': 'true', 'outrigger.dev/auth': 'none', ...annotations },
    },
    spec: { containers: [{ name: 'server', ports: [{ containerPort: 8000 }], ...more }] },
  })

const SERVICE = JSON.stringify({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'front' },
  spec: { selector: { app: 'echo' }, ports: [{ port: 80, targetPort: 8000 }] },
})

const FILES = [
  report('a.json', pod('one') + pod('two')),
  report('b.json', pod('three', { securityContext: { privileged: true } })),
  report('c.json', pod('four', {}, { 'outrigger.dev/inject': 'false' }) + SERVICE),
  report('d.yaml', 'a: [\n'),
  report('e.yaml', '# nothing\n'),
]

describe('a report', () => {
  test('lets no name of a file or a pod end its line or steer the terminal', () => {
    const hostile = report('a\u001b[31m.json', pod('x\u001b[2J\u202E\ny', { stdin: 'true' }))
    const lines = reportText([hostile], { isDefaultConfig: false }).split('\n')
    expect(lines.filter((line) => /[\p{Cc}\p{Cf}]/u.test(line) || line.startsWith('y'))).toEqual([])
    expect(lines).toContainEqual(expect.stringContaining('a [31m.json: document 1: Pod x [2J y'))
  })

  test('counts pods by what becomes of them', () => {
    expect(countsOf(FILES)).toEqual({
      files: 5,
      pods: 4,
      injected: 2,
      leftAlone: 1,
      denied: 1,
      warnings: [
        ['runs as the cluster’s default user', 2],
        ['taken for a server that speaks HTTP', 2],
        ['the server can be reached beside its sidecar', 2],
      ],
      reasons: [['opted-out', 1]],
      violations: [['privileged', 1]],
    })
  })

  test('says so, then each denial and each file that cannot be read', () => {
    expect(reportText(FILES, { isDefaultConfig: true })).toBe(`4 pods in 5 files
     2  injected
     1  left alone
     1  denied

injected, with a warning
     2  runs as the cluster’s default user
     2  taken for a server that speaks HTTP
     2  the server can be reached beside its sidecar

left alone, because
     1  opted-out: outrigger.dev/inject is "false"

denied, for
     1  privileged: no container is privileged

each denial
  b.json: document 1: Pod three: container server: privileged: true; leave privileged out (rule privileged)

not read
${FILES[3]?.faults.map((fault) => `  ${fault}\n`).join('')}`)
  })

  test('has the same for programs, with every warning', () => {
    const { details, ...totals } = JSON.parse(reportJson(FILES))
    expect(totals).toMatchObject({ pods: 4, injected: 2, violations: { privileged: 1 } })
    expect(totals.notRead).toHaveLength(1)
    expect(details).toHaveLength(4)
    expect(details[0]).toMatchObject({ where: 'a.json: document 1: Pod one', decision: 'inject' })
    expect(details[0].warnings).toHaveLength(3)
  })

  test('warns of what is near to ours, and of a Namespace that means something else', () => {
    const far = pod('far').replaceAll('outrigger.dev', 'outriger.dev')
    const labels = { 'outrigger.dev/enforce': 'high' }
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team-a', labels } }
    const items = [JSON.parse(far), namespace]
    const file = report('x.json', JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))
    const warnings = [
      [
        'List unnamed',
        "outriger.dev/inject is nothing of Outrigger's; did you mean outrigger.dev/inject?",
      ],
      [
        'List unnamed',
        "outriger.dev/auth is nothing of Outrigger's; did you mean outrigger.dev/auth?",
      ],
      [
        'Namespace team-a',
        'namespace team-a: label outrigger.dev/enforce: "high" is none of off, baseline, strict; it counts as strict',
      ],
    ]
    const lines = warnings.map(([name, words]) => `  x.json: document 1: ${name}: ${words}\n`)
    expect(reportText([file], { isDefaultConfig: false })).toContain(
      `\n\nother warnings\n${lines.join('')}`,
    )
    const { objects } = JSON.parse(reportJson([file]))
    expect(objects.map(({ name }: { name: string }) => name)).toEqual([
      'List unnamed',
      'Namespace team-a',
    ])
  })

  test.each([
    ['the built-in configuration denies', true, 'none', true],
    ['another configuration denies', false, 'none', false],
    ['nothing is built that is asked for', true, 'oidc', true],
  ])('where %s it says which others there are: %s', (_name, isDefaultConfig, auth, says) => {
    const text = reportText([strictReport(auth)], { isDefaultConfig })
    expect(text).toContain('     1  denied')
    expect(text.includes('\nthe built-in cluster configuration is strict; name another')).toBe(says)
  })

  test('of nothing is empty', () => {
    expect(reportText([], { isDefaultConfig: true })).toMatch(/^0 pods in 0 files\n/)
  })

  test('names a Service that goes around where inject would not lead it', () => {
    const headless = SERVICE.replace('"spec":{', '"spec":{"clusterIP":"None",')
    const warnings = (service: string) =>
      countsOf([report('x.json', pod('one') + service)]).warnings
    expect(warnings(headless)).toContainEqual(['a Service leads around the sidecar', 1])
    expect(warnings(SERVICE)).not.toContainEqual(['a Service leads around the sidecar', 1])
  })
})

describe('every warning of the golden files has a kind, and every kind a warning', () => {
  const shapes = readFileSync(new URL('shapes.txt', GOLDEN), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('    ') && !line.includes('denied ('))
    .map((line) => line.trim())
  const cases = readdirSync(new URL('inject/', GOLDEN), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => {
      const text = readFileSync(new URL(`inject/${name}/outcome.json`, GOLDEN), 'utf8')
      const outcome: unknown = JSON.parse(text)
      const isInjected = isObject(outcome) && outcome['decision'] === 'inject'
      return isInjected ? (stringsAt(outcome, 'warnings') ?? []) : []
    })

  test('and there are some', () => {
    expect(Math.min(shapes.length, cases.length)).toBeGreaterThan(50)
  })

  test('so that none is counted as something else', () => {
    expect([...shapes, ...cases].filter((line) => kindOfWarning(line) === OTHER)).toEqual([])
  })

  test('and none stands behind another that takes all of its warnings', () => {
    const named = pod('named', { ports: [{ name: 'web', containerPort: 8000 }] })
    const asking = clusterConfig({
      sidecar: { image: 'x' },
      floor: { allowAnonymous: true, egressMode: 'observe', ownServiceAccounts: ['*'] },
      companions: {},
    })
    const leading = { ...asking, findsSidecarPorts: true }
    const led = countsOf([report('named.json', named, leading)]).warnings.map(([kind]) => kind)
    const met = new Set([...[...shapes, ...cases].map(kindOfWarning), ...led])
    expect(WARNING_KINDS.filter((kind) => !met.has(kind))).toEqual([])
  })
})
