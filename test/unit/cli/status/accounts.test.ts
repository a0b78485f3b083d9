// By which ServiceAccounts the pods of a workload run.

import { expect, test } from '@jest/globals'
import { statusOf } from '../../../../cli/status/status.ts'
import { statusJson, statusText } from '../../../../cli/status/text.ts'
import type { JsonObject } from '../../../../shared/json.ts'

const IN = { 'outrigger.dev/inject': 'true' }

const set: JsonObject = {
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'a', namespace: 'tools' },
  spec: { replicas: 3, template: { metadata: { annotations: IN }, spec: {} } },
}

const pod = (name: string, creationTimestamp: string, spec: JsonObject): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name,
    namespace: 'tools',
    creationTimestamp,
    annotations: IN,
    ownerReferences: [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'a', controller: true }],
  },
  spec,
  status: { phase: 'Running' },
})

const OWN = { serviceAccountName: 'outrigger-statefulset-a' }
const OLD = pod('a-0', '2026-11-30T12:00:00Z', {})
const NEW = pod('a-1', '2026-11-30T12:00:02Z', OWN)

test.each<[string, readonly JsonObject[], readonly string[], string]>([
  ['no pod', [], [], '  -  -  -  -'],
  ['pods of its own', [NEW], ['outrigger-statefulset-a'], '  outrigger-statefulset-a  '],
  ['one of before, as it is named nowhere', [OLD], ['default'], '  default  '],
  [
    'both, the newest first',
    [OLD, NEW, pod('a-2', '2026-11-30T12:00:01Z', OWN)],
    ['outrigger-statefulset-a', 'default'],
    '  outrigger-statefulset-a (+1)  ',
  ],
])('a workload with %s', (_name, pods, accounts, cell) => {
  const rows = statusOf([set, ...pods], { namespace: 'default', config: undefined })
  expect(rows.map((row) => row.accounts)).toEqual([accounts])
  expect(statusText(rows).split('\n')[1]?.replaceAll(/ {2,}/g, '  ')).toContain(cell)
  expect(JSON.parse(statusJson(rows))).toMatchObject({ workloads: [{ accounts }] })
})
