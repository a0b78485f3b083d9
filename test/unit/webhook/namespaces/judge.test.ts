import { describe, expect, test } from '@jest/globals'
import type { Json } from '../../../../shared/json.ts'
import type { ClusterConfig } from '../../../../webhook/cluster/config.ts'
import type { Namespace } from '../../../../webhook/cluster/namespace.ts'
import type { Fate } from '../../../../webhook/namespaces/outlook.ts'
import { judgeNamespace, needsPods, NO_PODS } from '../../../../webhook/namespaces/judge.ts'
import { clusterConfig } from '../../../support/cluster-config.ts'

type Texts = Readonly<Record<string, string>>

const configWith = (
  floor: Readonly<Record<string, Json>> = {},
  settings: Texts = {},
): ClusterConfig =>
  clusterConfig({
    sidecar: { image: 'x' },
    floor: {
      allowAnonymous: true,
      egressMode: 'observe',
      allowLooserNamespaces: ['platform'],
      ...floor,
    },
    settings,
  })

const IN = { 'outrigger.dev/injection': 'enabled' }
const STRICT = { 'outrigger.dev/enforce': 'strict' }
const words = (texts: Texts): Texts =>
  Object.fromEntries(Object.entries(texts).map(([key, text]) => [`outrigger.dev/${key}`, text]))

interface Words {
  readonly labels?: Texts
  /** Without the prefix. */
  readonly says?: Texts
}
const namespaceOf = ({ labels = {}, says = {} }: Words, name = 'team-a'): Namespace => ({
  name,
  labels: { 'kubernetes.io/metadata.name': name, ...labels },
  annotations: { 'example.com/owner': 'ann', ...words(says) },
})

interface Row {
  readonly name: string
  readonly was?: Words
  readonly is?: Words
  readonly floor?: Readonly<Record<string, Json>>
  readonly settings?: Texts
  /** What is denied, all of it; or why it passes. */
  readonly becomes: readonly string[] | string
}

const LEAVE = 'leave it, or ask for a group of floor.allowLooserNamespaces (rule namespaces)'

const ROWS: readonly Row[] = [
  {
    name: 'nothing of ours differs',
    was: { labels: IN },
    is: { labels: { ...IN, a: 'b' } },
    becomes: 'unchanged',
  },
  { name: 'it opts in', is: { labels: IN }, becomes: 'complies' },
  {
    name: 'the label is taken off',
    was: { labels: IN },
    becomes: ['label outrigger.dev/injection: "enabled" is taken off'],
  },
  {
    name: 'the label says something else',
    was: { labels: IN },
    is: { labels: { 'outrigger.dev/injection': 'disabled' } },
    becomes: ['label outrigger.dev/injection: "enabled" is taken off'],
  },
  {
    name: 'a label that opted nothing in is taken off',
    was: { labels: { 'outrigger.dev/injection': 'true' } },
    becomes: 'complies',
  },
  { name: 'its level is raised', is: { labels: STRICT }, becomes: 'complies' },
  {
    name: 'its level is lowered',
    was: { labels: STRICT },
    is: { labels: { 'outrigger.dev/enforce': 'baseline' } },
    becomes: ['label outrigger.dev/enforce: strict becomes baseline'],
  },
  {
    name: 'a mistyped level, which counts as strict in what is judged, is mended',
    was: { labels: { 'outrigger.dev/enforce': 'basline' } },
    is: { labels: { 'outrigger.dev/enforce': 'baseline' } },
    becomes: 'complies',
  },
  {
    name: 'a mistyped level is taken off',
    was: { labels: { 'outrigger.dev/enforce': 'strct' } },
    becomes: 'complies',
  },
  {
    name: 'a right level becomes a mistyped one, from which the next step would be free',
    was: { labels: STRICT },
    is: { labels: { 'outrigger.dev/enforce': 'strct' } },
    becomes: ['label outrigger.dev/enforce: strict becomes "strct", which is none'],
  },
  {
    name: 'its level is taken off where the floor says the same',
    was: { labels: STRICT },
    floor: { enforce: 'strict' },
    becomes: 'complies',
  },
  {
    name: 'what is warned of and on record gets less',
    was: { labels: { 'outrigger.dev/warn': 'strict', 'outrigger.dev/audit': 'strict' } },
    becomes: [
      'label outrigger.dev/warn: strict becomes off',
      'label outrigger.dev/audit: strict becomes off',
    ],
  },
  {
    name: 'an annotation that binds is taken off',
    was: { says: { auth: 'oidc' } },
    becomes: ['annotation outrigger.dev/auth: "oidc" is taken off'],
  },
  {
    name: 'it is taken off where the cluster says the same',
    was: { says: { 'request-timeout': '30s' } },
    settings: { 'request-timeout': '30s' },
    becomes: 'complies',
  },
  {
    name: 'it is taken off where the cluster says less',
    was: { says: { 'request-timeout': '30s' } },
    settings: { 'request-timeout': '60s' },
    becomes: ['annotation outrigger.dev/request-timeout: "30s" becomes "60s"'],
  },
  {
    name: 'a limit gets more',
    was: { says: { 'rate-limit': '10/m' } },
    is: { says: { 'rate-limit': '20/m' } },
    becomes: ['annotation outrigger.dev/rate-limit: "10/m" becomes "20/m"'],
  },
  {
    name: 'a limit gets less',
    was: { says: { 'rate-limit': '20/m' } },
    is: { says: { 'rate-limit': '10/m' } },
    becomes: 'complies',
  },
  {
    name: 'a list gets longer, and another shorter that may only grow',
    was: { says: { egress: 'a.example:443', 'required-scopes': 'a,b' } },
    is: { says: { egress: 'a.example:443,b.example:443', 'required-scopes': 'a' } },
    becomes: [
      'annotation outrigger.dev/required-scopes: "a,b" becomes "a"',
      'annotation outrigger.dev/egress: "a.example:443" becomes "a.example:443,b.example:443"',
    ],
  },
  {
    name: 'a tool is given more time than all of them have',
    was: { says: { 'request-timeout': '30s' } },
    is: { says: { 'request-timeout': '30s', 'tool-limits': 'report=1h,search=10s,find=2' } },
    becomes: [
      'annotation outrigger.dev/tool-limits: "report=1h,search=10s,find=2" loosens "30s" of request-timeout; use `report=30s` or less',
    ],
  },
  {
    name: 'a tool has less time than all of them have',
    was: { says: { 'request-timeout': '30s' } },
    is: { says: { 'request-timeout': '30s', 'tool-limits': 'report=10s' } },
    becomes: 'complies',
  },
  {
    name: 'a tool that had more time gets less, and another gets some',
    was: { says: { 'request-timeout': '30s', 'tool-limits': 'report=1h' } },
    is: { says: { 'request-timeout': '30s', 'tool-limits': 'report=40m,search=1m' } },
    becomes: [
      'annotation outrigger.dev/tool-limits: "report=40m,search=1m" loosens "30s" of request-timeout; use `search=30s` or less',
    ],
  },
  {
    name: 'a tool has the time that the cluster gives it',
    was: { says: { 'request-timeout': '30s' } },
    is: { says: { 'request-timeout': '30s', 'tool-limits': 'report=1h' } },
    settings: { 'tool-limits': 'report=1h' },
    becomes: 'complies',
  },
  {
    name: 'a time for all that let no pod in bounds no tool',
    was: { says: { 'request-timeout': 'soon' } },
    is: { says: { 'request-timeout': '30s', 'tool-limits': 'report=1h' } },
    becomes: 'complies',
  },
  {
    name: 'another tool policy',
    was: { says: { 'tool-policy': 'ours' } },
    is: { says: { 'tool-policy': 'theirs' } },
    becomes: ['annotation outrigger.dev/tool-policy: "ours" becomes "theirs"'],
  },
  {
    name: 'a word that binds nobody is changed',
    was: { says: { 'log-level': 'info' } },
    is: { says: { 'log-level': 'debug' } },
    becomes: 'complies',
  },
  {
    name: 'a value that let no pod in is mended',
    was: { says: { auth: 'odic' } },
    is: { says: { auth: 'none' } },
    becomes: 'complies',
  },
  {
    name: 'a right value becomes a wrong one, from which the next step would be free',
    was: { says: { auth: 'oidc' } },
    is: { says: { auth: 'odic' } },
    becomes: ['annotation outrigger.dev/auth: "oidc" becomes "odic"'],
  },
  {
    name: 'more is left out of records, and somebody else vouches for them',
    was: { says: { 'audit-redact': 'iban' } },
    is: {
      says: {
        'audit-redact': 'iban,$.params',
        'audit-digest-secret': 'own-digest',
        'audit-signing-secret': 'own-signing',
      },
    },
    becomes: [
      'annotation outrigger.dev/audit-redact: "iban" becomes "iban,$.params"',
      'annotation outrigger.dev/audit-digest-secret: "own-digest" is added',
      'annotation outrigger.dev/audit-signing-secret: "own-signing" is added',
    ],
  },
  {
    name: 'what the cluster says of records stands in the namespace, too',
    is: { says: { 'audit-redact': 'iban', 'audit-signing-secret': 'all' } },
    settings: { 'audit-redact': 'iban', 'audit-signing-secret': 'all' },
    becomes: 'complies',
  },
  {
    name: 'the cluster’s word on records is joined by another of the namespace’s',
    is: { says: { 'audit-redact': 'iban,$.params' } },
    settings: { 'audit-redact': 'iban' },
    becomes: ['annotation outrigger.dev/audit-redact: "iban" becomes "iban,$.params"'],
  },
  {
    name: 'who vouches for records is somebody else, or nobody',
    was: { says: { 'audit-digest-secret': 'all', 'audit-signing-secret': 'all' } },
    is: { says: { 'audit-digest-secret': 'own' } },
    becomes: [
      'annotation outrigger.dev/audit-digest-secret: "all" becomes "own"',
      'annotation outrigger.dev/audit-signing-secret: "all" is taken off',
    ],
  },
  {
    name: 'everything at once',
    was: { labels: { ...IN, ...STRICT }, says: { auth: 'oidc' } },
    becomes: [
      'label outrigger.dev/injection: "enabled" is taken off',
      'label outrigger.dev/enforce: strict becomes baseline',
      'annotation outrigger.dev/auth: "oidc" is taken off',
    ],
  },
]

describe('a change of a namespace', () => {
  test.each(ROWS)('$name', ({ was = {}, is = {}, floor = {}, settings = {}, becomes }) => {
    const [before, after] = [namespaceOf(was), namespaceOf(is)]
    const config = configWith(floor, settings)
    const known = { workloads: [], cut: undefined, isNamed: true }
    const judged = (groups: readonly string[]) =>
      judgeNamespace({ before, after, groups }, known, config)
    const { decided, recorded } = judged(['devs', 'system:masters'])
    const told =
      decided.kind === 'deny' ? decided.violations.map(({ message }) => message) : decided.reason
    const denied = typeof becomes === 'string' ? [] : becomes
    expect(told).toEqual(
      typeof becomes === 'string'
        ? becomes
        : becomes.map((found) => `namespace team-a: ${found}; ${LEAVE}`),
    )
    expect(recorded).toEqual([])
    expect(needsPods({ before, after, groups: [] }, config)).toBe(
      decided.kind === 'allow' && decided.reason !== 'unchanged',
    )
    // A group of the floor's may, and it stands on record.
    const leave = judged(['devs', 'platform'])
    expect(leave.decided).toMatchObject({
      kind: 'allow',
      reason: denied.length > 0 ? 'break-glass' : becomes,
    })
    expect(leave.recorded.map(({ rule, found }) => [rule, found])).toEqual(
      denied.map((found) => ['namespaces', found]),
    )
  })

  test('of the system is nobody’s to judge', () => {
    const [before, after] = [
      namespaceOf({ labels: IN }, 'kube-system'),
      namespaceOf({}, 'kube-system'),
    ]
    const change = { before, after, groups: [] }
    expect(needsPods(change, configWith())).toBe(false)
    expect(judgeNamespace(change, '', configWith()).decided).toMatchObject({
      kind: 'allow',
      reason: 'system-namespace',
    })
  })

  test.each([true, false])('which pods it is about is told to whoever may list them: %p', (may) => {
    const change = { before: namespaceOf({}), after: namespaceOf({ labels: IN }), groups: [] }
    const outlook = (name: string, count: number, fate: Fate) => ({
      workload: { kind: 'StatefulSet', name },
      pods: [`${name}-0`],
      count,
      fate,
    })
    const workloads = [
      outlook('secret-a', 3, { kind: 'sidecar' }),
      outlook('secret-b', 1, { kind: 'denied', why: 'container secret-c: its reason' }),
      outlook('secret-d', 2, { kind: 'no-server' }),
      outlook('secret-e', 2, { kind: 'same' }),
    ]
    const known = { workloads, cut: 'there are more', isNamed: may }
    const { warnings } = judgeNamespace(change, known, configWith()).decided
    expect(warnings.join().includes('secret')).toBe(may)
    expect(warnings.slice(may ? 99 : 0)).toEqual(
      may
        ? []
        : [
            'namespace team-a: running pods that stay as they are until they are made anew: 3',
            'namespace team-a: running pods that will be denied when they are made anew: 1',
            'namespace team-a: running pods that are left alone, since no MCP server can be found in them: 2',
            'which pods these are is told to whoever may list them: kubectl -n team-a auth can-i list pods',
            'namespace team-a: not all of its running pods were looked at: there are more',
          ],
    )
  })

  test.each([
    [
      'inject',
      'label outrigger.dev/inject opts nothing in; the label that does is outrigger.dev/injection=enabled',
    ],
    [
      'injecton',
      'outrigger.dev/injecton is not a label of Outrigger; did you mean outrigger.dev/injection?',
    ],
    [
      'enforc',
      'outrigger.dev/enforc is not a label of Outrigger; did you mean outrigger.dev/enforce?',
    ],
    ['rate-limit', 'outrigger.dev/rate-limit is an annotation, not a label'],
    ['xyzzy', 'outrigger.dev/xyzzy is not a label of Outrigger'],
  ])('a label that means nothing on a namespace is a warning: %s', (word, says) => {
    const after = namespaceOf({ labels: { [`outrigger.dev/${word}`]: 'true' } })
    const change = { before: namespaceOf({}), after, groups: [] }
    expect(judgeNamespace(change, NO_PODS, configWith()).decided.warnings).toEqual([
      `namespace team-a: ${says}`,
    ])
  })

  test('of many such labels a few are told', () => {
    const labels = Object.fromEntries(
      Array.from({ length: 50 }, (_, index) => [`outrigger.dev/xyzzy-${index}`, '']),
    )
    const change = { before: namespaceOf({}), after: namespaceOf({ labels }), groups: [] }
    const { warnings } = judgeNamespace(change, NO_PODS, configWith()).decided
    expect(warnings).toHaveLength(6)
    expect(warnings.at(-1)).toBe(
      'namespace team-a: 45 more labels under outrigger.dev/ mean nothing on a namespace',
    )
  })

  test('the label as an annotation is told to be a label', () => {
    const change = {
      before: namespaceOf({}),
      after: namespaceOf({ says: { injection: 'enabled' } }),
      groups: [],
    }
    expect(judgeNamespace(change, NO_PODS, configWith()).decided.warnings).toEqual([
      'namespace team-a: outrigger.dev/injection is not an annotation of Outrigger; it is a label, and of namespaces alone',
    ])
  })

  test('what is wrong with its own words is a warning, and so is not to know of its pods', () => {
    const change = {
      before: namespaceOf({}),
      after: namespaceOf({
        labels: { 'outrigger.dev/injection': 'true', 'outrigger.dev/enforce': 'strct' },
        says: { 'request-timeout': 'soon', injct: 'true' },
      }),
      groups: [],
    }
    const { decided } = judgeNamespace(change, 'the API server answered 403', configWith())
    expect(decided.warnings).toEqual([
      expect.stringContaining('outrigger.dev/injct is not an annotation of Outrigger'),
      'namespace team-a: label outrigger.dev/injection: "true" opts nothing in; the value that does is "enabled"',
      expect.stringContaining(
        'label outrigger.dev/enforce: "strct" is none of off, baseline, strict',
      ),
      expect.stringMatching(
        /^pods that ask for a server will be denied: namespace team-a: outrigger\.dev\/request-timeout: /,
      ),
      'namespace team-a: pods that run stay as they are until they are made anew; which, is not known: the API server answered 403',
    ])
  })
})
