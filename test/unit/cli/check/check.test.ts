import { describe, expect, test } from '@jest/globals'
import { readFlags } from '../../../../cli/check/check-flags.ts'
import { checkSarif } from '../../../../cli/check/sarif.ts'
import { checkNotes, checkText } from '../../../../cli/check/text.ts'
import { STRICT } from '../../../../cli/manifest/inject.ts'
import { isClean, reportOn, type ReportedFile } from '../../../../cli/manifest/report.ts'
import { objectsAt, stringAt, type Json } from '../../../../shared/json.ts'
import { clusterConfig } from '../../../support/cluster-config.ts'

const config = clusterConfig({
  sidecar: { image: 'x' },
  settings: { auth: 'none' },
  floor: { allowAnonymous: true, egressMode: 'observe', enforce: 'strict' },
})

const checked = (file: string, text: string): ReportedFile =>
  reportOn(text, { file, config, isDefaultConfig: false, namespace: 'default', namespaces: [] })

const pod = (name: string, container = '', inject = 'true'): string =>
  `apiVersion: v1
kind: Pod
metadata:
  name: ${name}
  annotations:
    outrigger.dev/inject: '${inject}'
spec:
  containers:
    - name: c
      image: example.com/c@sha256:${'0'.repeat(64)}
      command: [c]
      resources: { limits: { cpu: '1', memory: 1Gi } }
      securityContext: { runAsUser: 1000 }
${container}`

const NAMESPACE = `apiVersion: v1
kind: Namespace
metadata: { name: team-a, labels: { outrigger.dev/enforce: high } }
`

const SECRET = '      env: [{ name: API_TOKEN, value: hunter2 }]\n'

const FILES: readonly ReportedFile[] = [
  checked('dir/ä b.yaml', `# one\n${pod('good')}---\n\n# two\n${pod('bad', SECRET)}`),
  checked('alone.yaml', pod('left', '', 'false')),
  checked('broken.yaml', 'a: [\n'),
]

const parsed = (text: string): Json => JSON.parse(text)

describe('as text', () => {
  test('says a line for each finding, where its object begins', () => {
    expect(checkText(FILES)).toBe(
      [
        'dir/ä b.yaml:18: Pod bad: denied: container c: env "API_TOKEN" holds a secret; put it into a Secret, and take it from there with valueFrom.secretKeyRef (rule secret-literal)',
        expect.any(String),
        '3 pods in 3 files: 1 denied, 1 injected, 1 left alone',
      ]
        .map((line, index) => (index === 1 ? (FILES[2]?.faults.join('\n') ?? '') : line))
        .join('\n')
        .concat('\n'),
    )
  })

  test.each([
    [
      'a prefix that is near to ours',
      pod('one').replace('outrigger.dev/inject', 'outriger.dev/inject'),
      "x.yaml:1: Pod one: warning: outriger.dev/inject is nothing of Outrigger's; did you mean outrigger.dev/inject?",
    ],
    [
      'a Namespace whose label is no level',
      `# two\n${NAMESPACE}`,
      'x.yaml:2: Namespace team-a: warning: namespace team-a: label outrigger.dev/enforce: "high" is none of off, baseline, strict; it counts as strict',
    ],
  ])('warns of %s, which denies nothing', (_what, text, line) => {
    const file = checked('x.yaml', text)
    expect(checkText([file]).split('\n')).toContain(line)
    expect(isClean([file])).toBe(true)
  })

  test('warns of no Namespace of the system', () => {
    const [file] = [checked('x.yaml', NAMESPACE.replace('team-a', 'kube-system'))]
    expect(checkText([file])).toBe('0 pods in 1 file: 0 denied, 0 injected, 0 left alone\n')
  })

  test('lets no name end its line or steer the terminal', () => {
    const [file] = [checked('x\u001b[2J\n.yaml', pod('bad', SECRET))]
    expect(checkText([file])).not.toMatch(/\u001b|\n\.yaml/)
  })
})

describe('beside the findings', () => {
  const strict = clusterConfig({ sidecar: { image: 'x' } })
  const open = pod('open').replace("inject: 'true'", "inject: 'true'\n    outrigger.dev/auth: none")
  const byStrict = reportOn(open, {
    file: 'open.yaml',
    config: strict,
    isDefaultConfig: true,
    namespace: 'default',
    namespaces: [],
  })

  test.each<[string, readonly ReportedFile[], boolean, readonly string[]]>([
    ['nothing, where a configuration was named', [byStrict], false, []],
    ['which configuration denies, where none was named', [byStrict], true, [STRICT]],
    ['nothing of what cannot be read', [checked('broken.yaml', 'a: [\n')], false, []],
    [
      'that there was no pod to judge',
      [checked('text.yaml', 'hello\n'), checked('empty.yaml', '')],
      false,
      ['no pod stands there, so none was judged'],
    ],
  ])('says %s', (_what, files, isDefaultConfig, notes) => {
    expect(checkNotes(files, { isDefaultConfig })).toEqual(notes)
  })
})

describe('as SARIF', () => {
  const sarif = parsed(checkSarif(FILES, '/repo'))
  const [run] = objectsAt(sarif, 'runs')
  const results = objectsAt(run, 'results')
  const rules = objectsAt(run, 'tool', 'driver', 'rules')

  test('is version 2.1.0 of one run of ours', () => {
    expect(sarif).toMatchObject({ version: '2.1.0' })
    expect(stringAt(run, 'tool', 'driver', 'name')).toBe('outrigger')
  })

  test('every result names a rule that is listed', () => {
    const ids = rules.map(({ id }) => id)
    expect(ids).toEqual(['secret-literal', 'unreadable'])
    for (const { ruleId } of results) expect(ids).toContain(ruleId)
  })

  test('says where, by a URI and a line', () => {
    expect(results[1]).toMatchObject({ ruleId: 'unreadable', level: 'error' })
    expect(results[0]).toMatchObject({
      ruleId: 'secret-literal',
      level: 'error',
      message: { text: expect.stringContaining('Pod bad: container c') },
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: 'dir/%C3%A4%20b.yaml' },
            region: { startLine: 18 },
          },
          logicalLocations: [{ fullyQualifiedName: 'Pod bad' }],
        },
      ],
    })
  })

  test.each([
    ['../x.yaml', 'file:///home/a/x.yaml'],
    ['./a/../x.yaml', 'x.yaml'],
    ['/home/a/repo/x.yaml', 'x.yaml'],
    ['/home/a/repository/x.yaml', 'file:///home/a/repository/x.yaml'],
    ['-', '-'],
  ])('a file named %s is %s', (file, uri) => {
    const [found] = objectsAt(parsed(checkSarif([checked(file, 'a: [')], '/home/a/repo')), 'runs')
    const [result] = objectsAt(found, 'results')
    const [place] = objectsAt(result, 'locations')
    expect(stringAt(place, 'physicalLocation', 'artifactLocation', 'uri')).toBe(uri)
  })

  test('a warning of an object is a result as one of a pod is', () => {
    const [found] = objectsAt(parsed(checkSarif([checked('x.yaml', NAMESPACE)], '/repo')), 'runs')
    expect(objectsAt(found, 'results')).toMatchObject([
      {
        ruleId: 'warning',
        level: 'warning',
        message: { text: expect.stringContaining('Namespace team-a: namespace team-a: label') },
        locations: [{ physicalLocation: { region: { startLine: 1 } } }],
      },
    ])
  })

  test('the rule says what, why and what to do', () => {
    expect(rules[0]).toMatchObject({
      shortDescription: { text: 'no secret stands in the pod itself' },
      help: { text: expect.stringContaining('secretKeyRef') },
      properties: { level: 'strict', 'security-severity': '8.0' },
    })
  })

  test('nothing found is a run without results', () => {
    expect(objectsAt(parsed(checkSarif([], '/repo')), 'runs')[0]).toMatchObject({ results: [] })
  })

  test('repeats no secret', () => {
    expect(checkSarif(FILES, '/repo') + checkText(FILES)).not.toContain('hunter2')
  })
})

describe('flags', () => {
  const given = (texts: Readonly<Record<string, readonly string[]>>) =>
    readFlags({
      words: [],
      command: undefined,
      text: (name: string) => texts[name]?.at(-1),
      texts: (name: string) => texts[name] ?? [],
      has: (name: string) => texts[name] !== undefined,
    })

  test.each([
    ['no file', {}, 'say what to check'],
    ['standard input twice', { file: ['-', '-'] }, 'twice'],
    ['another level', { file: ['a'], level: ['lax'] }, '--level "lax": use baseline, strict'],
    ['another format', { file: ['a'], output: ['xml'] }, '-o "xml": use text, json, sarif'],
    ['a namespace that can be none', { file: ['a'], namespace: ['Bad_Name'] }, 'Bad_Name'],
  ])('%s', (_name, texts, error) => {
    expect(given(texts)).toMatchObject({ ok: false, error: expect.stringContaining(error) })
  })

  test('several files and directories', () => {
    expect(given({ file: ['a', 'b'], level: ['strict'] })).toMatchObject({
      ok: true,
      value: { files: ['a', 'b'], level: 'strict', format: 'text' },
    })
  })
})
