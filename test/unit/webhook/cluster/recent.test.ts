import { expect, test } from '@jest/globals'
import type { ClusterConfig } from '../../../../webhook/cluster/config.ts'
import { RecentConfigs } from '../../../../webhook/cluster/recent.ts'
import { clusterConfig } from '../../../support/cluster-config.ts'

const configOf = (image: string): ClusterConfig => clusterConfig({ sidecar: { image } })
const [a = configOf('a'), b = configOf('b'), c = configOf('c')] = ['a', 'b', 'c'].map(configOf)

test('what was in force within the last three minutes may explain a pod, the latest first', () => {
  let now = 0
  const recent = new RecentConfigs(a, () => now)
  expect(recent.all()).toEqual([])
  recent.taken(b)
  now = 90_000
  recent.taken(c)
  expect(recent.all()).toEqual([b, a])
  now = 180_000
  expect(recent.all()).toEqual([b])
  now = 270_000
  expect(recent.all()).toEqual([])
})

test('no more than three are kept', () => {
  const recent = new RecentConfigs(a, () => 0)
  for (let round = 0; round < 10; round += 1) recent.taken(b)
  expect(recent.all()).toEqual([b, b, b])
})
