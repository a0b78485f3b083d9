// What is said of a manifest as a whole, and of what looks like something that Outrigger knows.

import { describe, expect, test } from '@jest/globals'
import { explainManifest } from '../../../../cli/manifest/explain.ts'
import { injectManifest } from '../../../../cli/manifest/inject.ts'
import type { ManifestOptions, ManifestResult } from '../../../../cli/manifest/manifest.ts'
import { uninjectManifest } from '../../../../cli/manifest/uninject.ts'
import { clusterConfig } from '../../../support/cluster-config.ts'

const optionsWith = (settings: object, floor: object): ManifestOptions => {
  const config = clusterConfig({ sidecar: { image: 'sidecar:1' }, settings, floor })
  return {
    file: 'app.yaml',
    config,
    isDefaultConfig: false,
    namespace: 'default',
    namespaces: [],
  }
}
const options = optionsWith({ auth: 'none' }, { allowAnonymous: true })

const deployment = (metadata: string, more = ''): string => `apiVersion: apps/v1
kind: Deployment
metadata: { name: a, ${metadata} }
${more}spec:
  template:
    spec:
      securityContext: { runAsUser: 1000 }
      containers: [{ name: x, image: i, command: [c], resources: { limits: { memory: 1Gi } } }]
`
const IN = "annotations: { outrigger.dev/inject: 'true' }"
const SERVICE = 'apiVersion: v1\nkind: Service\nmetadata: { name: s }\n'

const linesOf = ({ stderr, remarks = '' }: ManifestResult): readonly string[] =>
  `${stderr}${remarks}`.trimEnd().split('\n')
const lastOf = (result: ManifestResult): string => linesOf(result).at(-1) ?? ''

describe('the last line says what became of the documents', () => {
  test.each<[string, text: string, says: string]>([
    ['nothing', '', 'it holds no document: nothing to do'],
    ['comments alone', '# a\n---\n# b\n', 'it holds no document: nothing to do'],
    [
      'plain text',
      'hello world\n',
      '1 document: 1 left as it is (it is no object of Kubernetes: text or a list)',
    ],
    ['no object of Kubernetes', 'name: a\n', '1 document: 1 left as it is (it names no kind)'],
    ['one that opts in', deployment(IN), '1 document: 1 injected'],
    [
      'one that does not',
      deployment('labels: {}'),
      '1 document: 1 left as it is (nothing opts it in (outrigger.dev/inject: "true"))',
    ],
    [
      'several',
      `${deployment(IN)}---\n${SERVICE}---\n${SERVICE}---\n${deployment('labels: {}')}`,
      '4 documents: 1 injected, 3 left as they are (2: its ports need no change, 1: nothing opts it in (outrigger.dev/inject: "true"))',
    ],
    [
      'one that is denied',
      `${SERVICE}---\n${deployment(IN).replace('containers', 'hostPID: true\n      containers')}`,
      '2 documents: 1 denied, 1 left as it is (its ports need no change)',
    ],
  ])('%s', (_name, text, says) => {
    expect(lastOf(injectManifest(text, options))).toBe(`app.yaml: ${says}`)
  })

  test('of explain and of uninject, too', () => {
    expect(lastOf(explainManifest(deployment(IN), options))).toBe(
      'app.yaml: 1 document: 1 would be injected',
    )
    const injected = injectManifest(deployment(IN), options).stdout
    expect(lastOf(injectManifest(injected, options))).toContain(
      '1 left as it is (it is injected already)',
    )
    expect(lastOf(uninjectManifest(injected, options))).toBe('app.yaml: 1 document: 1 given back')
    expect(lastOf(uninjectManifest(SERVICE, options))).toContain('it bears nothing of ours')
  })
})

describe('what is near is named', () => {
  test.each<[string, text: string, says: string]>([
    [
      'a prefix',
      deployment("annotations: { outriger.dev/inject: 'true' }"),
      "outriger.dev/inject is nothing of Outrigger's; did you mean outrigger.dev/inject?",
    ],
    [
      'a kind',
      deployment(IN).replace('Deployment', 'Deploymnt'),
      'there is no kind Deploymnt; did you mean Deployment?',
    ],
    [
      'a kind in lower case',
      deployment(IN).replace('Deployment', 'deployment'),
      'there is no kind deployment; did you mean Deployment?',
    ],
    [
      'a member of a workload',
      deployment(IN).replace('\nspec:', '\nspce:'),
      'spce: there is no such member; did you mean spec?',
    ],
    [
      'a member of a pod',
      deployment(IN).replace('containers:', 'contianers:'),
      'spec.contianers: there is no such member; did you mean containers?',
    ],
  ])('%s', (_name, text, says) => {
    expect(linesOf(injectManifest(text, options))).toContain(
      `app.yaml: document 1: warning: ${says}`,
    )
  })

  test.each([
    ['a Service', SERVICE],
    ['a Role', SERVICE.replace('Service', 'Role')],
    [
      'what others annotate',
      deployment("annotations: { rigger.dev/a: b, argocd.argoproj.io/x: '1' }"),
    ],
  ])('%s is right as it is', (_name, text) => {
    expect(linesOf(injectManifest(text, options))).toHaveLength(1)
  })

  test('of many only the first few, and in no time', () => {
    const many = Array.from({ length: 20_000 }, (_item, index) => `outriger.dev/a${index}: b`)
    const result = injectManifest(deployment(`annotations: { ${many.join(', ')} }`), options)
    expect(linesOf(result).length).toBeLessThan(8)
  })
})

describe('explain', () => {
  test('tells what the floor has bent, and how many processes there will be', () => {
    const bent = optionsWith({ auth: 'none' }, { allowAnonymous: true, maxSidecarCpu: '500m' })
    const { stdout } = explainManifest(deployment(IN), bent)
    expect(stdout).toMatch(/^ +sidecar-cpu-limit +500m +the default 1, bent to the floor$/m)
    expect(stdout).toMatch(/^ +egress-mode +observe +default$/m)
    expect(stdout).toMatch(/^ +max-processes +10 +derived from the memory limit, 32 without one$/m)
  })

  test('tells within which word of a higher scope one keeps, and whose that is', () => {
    const bound = optionsWith({ auth: 'none', 'rate-limit': '300/m' }, { allowAnonymous: true })
    const own = "annotations: { outrigger.dev/inject: 'true', outrigger.dev/rate-limit: 1/s }"
    const { stdout } = explainManifest(deployment(own), bound)
    expect(stdout).toMatch(
      /^ +rate-limit +1\/s +Deployment a, within `300\/m` of cluster configuration$/m,
    )
    expect(explainManifest(deployment(IN), bound).stdout).toMatch(
      /^ +rate-limit +300\/m +cluster configuration$/m,
    )
  })

  test('tells of which list of the floor’s destinations are', () => {
    const egress = { '*': ['*.example.com:443'], other: ['a.example:443'] }
    const floored = optionsWith({ auth: 'none' }, { allowAnonymous: true, egress })
    const own =
      "annotations: { outrigger.dev/inject: 'true', outrigger.dev/egress: 'a.example.com:443' }"
    expect(explainManifest(deployment(own), floored).stdout).toMatch(
      /^ +egress +a\.example\.com:443 +Deployment a, of `\*\.example\.com:443` in floor\.egress$/m,
    )
  })

  test('tells which mode of egress the floor demands, and which one has more', () => {
    const floored = (egressMode: string) =>
      optionsWith({ auth: 'none' }, { allowAnonymous: true, egressMode })
    const own = "annotations: { outrigger.dev/inject: 'true', outrigger.dev/egress-mode: enforce }"
    expect(explainManifest(deployment(IN), floored('enforce')).stdout).toMatch(
      /^ +egress-mode +enforce +the default observe, bent to the floor$/m,
    )
    expect(explainManifest(deployment(own), floored('observe')).stdout).toMatch(
      /^ +egress-mode +enforce +Deployment a, within `observe` of floor\.egressMode$/m,
    )
  })

  test.each([
    [
      'enforced',
      "outrigger.dev/egress-mode: enforce, outrigger.dev/egress: 'a.example.com:443,5432=b.example.com:443'",
      [
        'a.example.com:443',
        'b.example.com:443, which it finds at its own 127.0.0.1:5432',
        'where the kernel cannot keep it to that, what it likes (floor.allowAdvisoryEgress)',
      ],
    ],
    [
      'enforced, and nothing declared',
      'outrigger.dev/egress-mode: enforce',
      [
        'nothing',
        'where the kernel cannot keep it to that, what it likes (floor.allowAdvisoryEgress)',
      ],
    ],
    [
      'observed',
      "outrigger.dev/egress: 'a.example.com:443'",
      ['what it likes, but for metadata and link-local addresses', 'declared: a.example.com:443'],
    ],
  ])('tells what is reached: %s', (_name, own, lines) => {
    const floor = {
      allowAnonymous: true,
      allowAdvisoryEgress: true,
      egressMode: 'observe',
      egress: { '*': ['*.example.com:443'] },
    }
    const text = deployment(`annotations: { outrigger.dev/inject: 'true', ${own} }`)
    const { stdout } = explainManifest(text, optionsWith({ auth: 'none' }, floor))
    const section = [
      '  what the server may reach on the network',
      ...lines.map((line) => `    ${line}`),
    ]
    expect(stdout).toContain(`${section.join('\n')}\n  what`)
  })

  test('tells what nothing acts on', () => {
    const own = "annotations: { outrigger.dev/inject: 'true', outrigger.dev/ingress-from: a }"
    expect(explainManifest(deployment(own), options).stdout).toMatch(
      /^ +ingress-from +a +Deployment a \(nothing acts on it: the cluster configuration has no companions\)$/m,
    )
  })

  test('tells which bound of the floor’s one keeps within, where nobody above has spoken', () => {
    const floored = optionsWith(
      { auth: 'none' },
      { allowAnonymous: true, most: { 'idle-timeout': '2h' } },
    )
    const own =
      "annotations: { outrigger.dev/inject: 'true', outrigger.dev/idle-timeout: 1h, outrigger.dev/request-timeout: 5m }"
    const { stdout } = explainManifest(deployment(own), floored)
    expect(stdout).toMatch(/^ +idle-timeout +1h +Deployment a, within `2h` of floor\.most$/m)
    expect(stdout).toMatch(/^ +request-timeout +5m +Deployment a, within `1h` of floor\.most$/m)
  })

  test('as JSON for programs', () => {
    const { stdout } = explainManifest(deployment(IN), { ...options, format: 'json' })
    expect(JSON.parse(stdout)).toMatchObject([
      {
        where: 'app.yaml: document 1: Deployment a',
        namespace: 'default',
        outcome: 'injected',
        settings: expect.arrayContaining([
          { key: 'auth', value: 'none', from: 'cluster configuration', isBuilt: true },
        ]),
      },
    ])
  })
})
