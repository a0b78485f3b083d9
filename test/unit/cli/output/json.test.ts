// What commands print for programs holds names and words of whoever may write to a cluster, or a file: they come whole, and
// steer no terminal.

import { describe, expect, test } from '@jest/globals'
import { inspectionJson } from '../../../../cli/certs/text.ts'
import { checkSarif } from '../../../../cli/check/sarif.ts'
import { diagnosisJson } from '../../../../cli/doctor/text.ts'
import { explainManifest } from '../../../../cli/manifest/explain.ts'
import { reportJson } from '../../../../cli/manifest/report.ts'
import { jsonText } from '../../../../cli/output/json.ts'
import { scanJson } from '../../../../cli/scan/text.ts'
import type { Row } from '../../../../cli/status/status.ts'
import { reachingJson, statusJson } from '../../../../cli/status/text.ts'
import { plainJson } from '../../../../shared/one-line.ts'
import { clusterConfig } from '../../../support/cluster-config.ts'

/** What JSON itself lets pass: C1, line ends of Unicode's, a turn of direction. */
const HOSTILE = 'a\u009b2Jb\u2028c\u202Ed\u2066e\u007f'

const row: Row = {
  namespace: 'tools',
  kind: 'Pod',
  name: 'a',
  state: 'inside',
  ready: 1,
  desired: 1,
  bare: 0,
  accounts: ['default'],
  sidecars: [{ image: HOSTILE, config: undefined, serverImage: HOSTILE, pods: 1 }],
  held: 0,
  missingCompanions: undefined,
  advice: undefined,
}

const explained = (): string => {
  const config = clusterConfig({
    sidecar: { image: 'x' },
    settings: { auth: 'none' },
    floor: { allowAnonymous: true },
  })
  const metadata = { name: HOSTILE, annotations: { 'outrigger.dev/inject': 'true' } }
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [{ name: 'c' }] } }
  return explainManifest(plainJson(JSON.stringify(pod)), {
    file: 'a.json',
    config,
    isDefaultConfig: false,
    namespace: 'default',
    namespaces: [],
    format: 'json',
  }).stdout
}

describe('for programs', () => {
  test.each<[string, () => string]>([
    ['anything', () => jsonText([HOSTILE])],
    ['status', () => statusJson([row])],
    [
      'status --reaches',
      () => reachingJson([{ row, ways: [{ how: 'declared', by: `${HOSTILE}:443` }] }]),
    ],
    ['doctor', () => diagnosisJson([{ check: 'a', verdict: 'fault', what: HOSTILE }])],
    [
      'scan',
      () =>
        scanJson([
          {
            namespace: 'tools',
            kind: 'Pod',
            name: 'a',
            state: 'outside',
            signs: [`image ${HOSTILE}`],
            ways: [],
            advice: undefined,
          },
        ]),
    ],
    [
      'certs inspect',
      () =>
        inspectionJson({
          authorities: [],
          bundles: [],
          serving: [],
          faults: [{ what: HOSTILE, advice: 'b' }],
        }),
    ],
    [
      'inject --report',
      () => reportJson([{ file: 'a', pods: [], objects: [], faults: [`a: ${HOSTILE}`] }]),
    ],
    ['explain', explained],
  ])('%s says it, and steers no terminal', (_name, print) => {
    const text = print()
    expect(text).not.toMatch(/[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/)
    expect(JSON.stringify(JSON.parse(text))).toContain(JSON.stringify(HOSTILE).slice(1, -1))
    expect(text).toBe(jsonText(JSON.parse(text)))
  })

  test('check -o sarif steers none', () => {
    const fault = [{ file: HOSTILE, pods: [], objects: [], faults: [HOSTILE] }]
    expect(checkSarif(fault, '/')).not.toMatch(/[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/)
  })

  test('over several lines, as people read it', () => {
    expect(jsonText({ a: ['b', 'c\nd'] })).toBe('{\n  "a": [\n    "b",\n    "c\\nd"\n  ]\n}\n')
  })
})
