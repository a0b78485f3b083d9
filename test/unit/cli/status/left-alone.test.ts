// What a namespace's word asks for, and nobody would get a sidecar into.

import { expect, test } from '@jest/globals'
import { statusOf } from '../../../../cli/status/status.ts'
import type { JsonObject } from '../../../../shared/json.ts'
import { clusterConfig } from '../../../support/cluster-config.ts'

const LABELS = { 'outrigger.dev/injection': 'enabled' }
const SPACE = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'tools', labels: LABELS } }
const DATABASE = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'db', namespace: 'tools' },
  spec: { containers: [{ name: 'c', image: 'postgres:18', ports: [{ containerPort: 5432 }] }] },
  status: { phase: 'Running' },
}

test.each<[string, JsonObject | undefined, readonly string[]]>([
  ['is left alone by the floor: none of ours', { unresolvable: 'skip' }, []],
  ['is denied by the floor', { unresolvable: 'deny' }, ['bare']],
  ['is judged by a floor that nobody knows', undefined, ['bare']],
])('in a namespace that opts in what is no server %s', (_name, floor, expected) => {
  const config = clusterConfig({ sidecar: { image: 'x' }, floor: floor ?? {} })
  const given = { namespace: 'default', config: floor && config }
  expect(statusOf([SPACE, DATABASE], given).map(({ state }) => state)).toEqual(expected)
})
