import { expect, test } from '@jest/globals'
import {
  companionName,
  DEFAULT_POLICY,
  HEADLESS,
  isCompanionOf,
  replicasName,
} from '../../../../webhook/cluster/companion-name.ts'

test('a short name is its workload’s', () => {
  expect(companionName('deployment-a')).toBe('outrigger-deployment-a')
  expect(companionName('deployment-a', HEADLESS)).toBe('outrigger-deployment-a-headless')
})

const LONGEST = `deployment-${'a'.repeat(52)}`
test.each([
  LONGEST,
  `statefulset-${'a.'.repeat(25)}b`,
  'deployment-my.server',
  `pod-${'-'.repeat(58)}x`,
  'pod-A_b',
])('%s becomes a name that a Service may have', (server) => {
  for (const name of [companionName(server), companionName(server, HEADLESS)]) {
    expect(name).toMatch(/^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/)
  }
})

test('the Secret of replicas is told apart, and kept from every container but the sidecar', () => {
  expect(replicasName('deployment-a')).toBe('outrigger-replicas-deployment-a')
  const names = [LONGEST, `${LONGEST}b`, 'pod-a', 'pod-a-headless', 'pod-A-b'].map(replicasName)
  expect(new Set(names).size).toBe(names.length)
  for (const name of names) expect(name).toMatch(/^outrigger-replicas-[-a-z0-9]{1,44}$/)
})

test('no two workloads share one', () => {
  const servers = [
    LONGEST,
    `${LONGEST}b`,
    'pod-a.b',
    'pod-a-b',
    'pod-a',
    'pod-a-headless',
    'pod-a-headless-headless',
    'pod-a.b-headless',
    LONGEST.slice(0, -HEADLESS.length),
    `${LONGEST.slice(0, -HEADLESS.length)}${HEADLESS}`,
    'pod-A-b',
  ]
  const names = servers.flatMap((server) => [
    companionName(server),
    companionName(server, HEADLESS),
  ])
  expect(new Set([...names, DEFAULT_POLICY]).size).toBe(names.length + 1)
  expect(isCompanionOf('pod-a-headless', companionName('pod-a', HEADLESS))).toBe(false)
})
