import { expect, test } from '@jest/globals'
import {
  AccountStore,
  MAX_ACCOUNTS,
  placedAccount,
} from '../../../../webhook/cluster/account-store.ts'

test.each<[string, boolean]>([
  ['eks.amazonaws.com/role-arn', true],
  ['iam.gke.io/gcp-service-account', true],
  ['azure.workload.identity/client-id', true],
  ['pod-identity.alibabacloud.com/role-name', true],
  ['kubectl.kubernetes.io/last-applied-configuration', false],
  ['not-amazonaws.com/role', false],
  ['amazonaws.com.example.com/role', false],
  ['amazonaws.com', false],
])('an account with the annotation %s is somebody at a cloud: %s', (name, isAtCloud) => {
  const metadata = { namespace: 'team', name: 'default', annotations: { [name]: 'x' } }
  expect(placedAccount({ metadata })).toEqual({ namespace: 'team', isAtCloud })
})

test('what is known of a namespace changes with its account', () => {
  const store = new AccountStore()
  store.put({ namespace: 'team', isAtCloud: true })
  expect([store.isAtCloud('team'), store.isAtCloud('other')]).toEqual([true, undefined])
  store.put({ namespace: 'team', isAtCloud: false })
  expect(store.isAtCloud('team')).toBe(false)
  store.put({ namespace: 'team', isAtCloud: true })
  store.remove({ namespace: 'team' })
  expect([store.isAtCloud('team'), store.leftOut]).toEqual([undefined, 0])
})

test('beyond what is kept none is known, until there is room', () => {
  const store = new AccountStore()
  const beyond = { namespace: `n-${MAX_ACCOUNTS}`, isAtCloud: false }
  for (let index = 0; index < MAX_ACCOUNTS; index++)
    store.put({ namespace: `n-${index}`, isAtCloud: true })
  store.put(beyond)
  expect([store.leftOut, store.isAtCloud(beyond.namespace)]).toEqual([1, undefined])
  store.put({ namespace: 'n-0', isAtCloud: false })
  expect(store.isAtCloud('n-0')).toBe(false)
  store.remove({ namespace: 'n-0' })
  store.put(beyond)
  expect([store.leftOut, store.isAtCloud(beyond.namespace)]).toEqual([0, false])
})
