// What a change of what is followed asks for.

import { expect, test } from '@jest/globals'
import type { JsonObject } from '../../../../shared/json.ts'
import { createLog } from '../../../../shared/log.ts'
import { followCluster } from '../../../../webhook/controller/followed.ts'
import type { Watcher } from '../../../../webhook/kube/collection.ts'
import type { Send } from '../../../../webhook/kube/reply.ts'
import { until } from '../../../support/waiting.ts'

const OURS = {
  'app.kubernetes.io/managed-by': 'outrigger',
  'outrigger.dev/server': 'deployment-a',
}

test('a policy of somebody else’s asks for its namespace, and one of ours for nothing more', async () => {
  const send: Send = async () => ({
    status: 200,
    body: (async function* () {
      yield Buffer.from(JSON.stringify({ items: [], metadata: { resourceVersion: '1' } }))
    })(),
  })
  let take: Parameters<Watcher['watch']>[2] | undefined
  const watcher: Watcher = {
    watch: async (_path, _query, heard) => {
      take = heard
      return { abort: () => undefined }
    },
  }
  const asked: string[] = []
  const tools = {
    log: createLog({ level: 'error', write: () => undefined, now: () => 0 }),
    now: () => 0,
    random: () => 0,
    sleep: async () => undefined,
  }
  const { otherPolicies } = followCluster({ send, watcher }, tools, {
    workload: (key) => asked.push(key),
    namespace: (name) => asked.push(`all of ${name}`),
    all: () => asked.push('everything'),
  })
  await otherPolicies.start()
  await until(() => take !== undefined, 'it is watched')
  const policy = (name: string, labels: JsonObject): JsonObject => ({
    metadata: { namespace: 'team', name, labels, resourceVersion: '2' },
    spec: {},
  })
  take?.('ADDED', policy('theirs', {}))
  take?.('MODIFIED', policy('outrigger-deployment-a', OURS))
  take?.('DELETED', policy('theirs', {}))
  otherPolicies.close()
  expect(asked).toEqual(['everything', 'all of team', 'all of team'])
})
