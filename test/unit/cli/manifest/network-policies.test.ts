// What `check` says of NetworkPolicies, which stand in the same manifests as pods: what the webhook denies whatever runs, and
// where only the cluster can tell.

import { describe, expect, test } from '@jest/globals'
import { checkSarif } from '../../../../cli/check/sarif.ts'
import { checkText } from '../../../../cli/check/text.ts'
import { isClean, reportOn, reportText } from '../../../../cli/manifest/report.ts'
import { clusterConfig } from '../../../support/cluster-config.ts'

const COMPANIONS = { companions: {} }

const reportWith = (labels: string, spec: string, more: object = COMPANIONS) => {
  const text = `apiVersion: v1
kind: Namespace
metadata: { name: team-a, labels: { ${labels} } }
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: theirs, namespace: team-a }
spec: ${spec}
`
  const config = clusterConfig({ sidecar: { image: 'sidecar:1' }, ...more })
  const file = { file: 'a.yaml', isDefaultConfig: false, namespace: 'default', namespaces: [] }
  return reportOn(text, { ...file, config })
}

const STRICT = 'outrigger.dev/enforce: strict'
const OPEN = '{ podSelector: {}, policyTypes: [Ingress], ingress: [{}] }'
const OF_SOME = OPEN.replace('{},', '{ matchLabels: { app: one } },')
const OF_WORKLOAD = OPEN.replace('{},', '{ matchLabels: { outrigger.dev/server: one } },')
const CLOSED = '{ podSelector: {}, policyTypes: [Ingress] }'

describe('a NetworkPolicy', () => {
  test.each<[string, policy: readonly [labels: string, spec: string, more?: object], says: RegExp]>(
    [
      [
        'that opens every injected pod is denied',
        [STRICT, OPEN],
        /^a\.yaml:5: NetworkPolicy theirs: denied: NetworkPolicy "theirs": .*opens ingress .*\(rule network-policies\)\n.*; NetworkPolicies denied: 1\n$/,
      ],
      [
        'of pods that may be injected is warned of',
        [STRICT, OF_SOME],
        /^a\.yaml:5: NetworkPolicy theirs: warning: .*nobody can tell it here/,
      ],
      [
        'that names a workload is warned of',
        [STRICT, OF_WORKLOAD],
        /^a\.yaml:5: NetworkPolicy theirs: warning: .*nobody can tell it here/,
      ],
      [
        'is a warning where the rule only warns',
        ['outrigger.dev/warn: strict, outrigger.dev/injection: enabled', OPEN],
        /^a\.yaml:5: NetworkPolicy theirs: warning: .*opens ingress .*only warns here\n/,
      ],
      ['that opens nothing passes', [STRICT, CLOSED], /^0 pods in 1 file/],
      ['passes where nobody keeps others', [STRICT, OPEN, {}], /^0 pods in 1 file/],
      [
        'passes where the API server asks nobody about it',
        ['a: b', OPEN, { ...COMPANIONS, floor: { enforce: 'strict' } }],
        /^0 pods in 1 file/,
      ],
    ],
  )('%s', (_name, policy, says) => {
    expect(checkText([reportWith(...policy)])).toMatch(says)
  })

  test('that is denied makes the whole fail, in each form', () => {
    const file = reportWith(STRICT, OPEN)
    expect([isClean([file]), isClean([reportWith(STRICT, OF_SOME)])]).toEqual([false, true])
    const { runs } = JSON.parse(checkSarif([file], '/'))
    expect(runs[0].results).toMatchObject([{ ruleId: 'network-policies', level: 'error' }])
    expect(reportText([file], { isDefaultConfig: false })).toMatch(
      /each denial\n {2}a\.yaml: document 2: NetworkPolicy theirs: /,
    )
  })
})
