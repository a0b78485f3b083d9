import { expect, test } from '@jest/globals'
import type { JsonObject } from '../../../../shared/json.ts'
import { memberOf } from '../../../../webhook/companions/member.ts'

const podWith = (more: JsonObject): JsonObject => ({
  metadata: {
    namespace: 'team',
    name: 'a-0',
    uid: 'u',
    labels: { 'outrigger.dev/injected': 'true', 'outrigger.dev/server': 'deployment-a' },
    ...more,
  },
})

test.each<[string, JsonObject, boolean]>([
  ['runs on', {}, false],
  ['was told to end', { deletionTimestamp: '2026-11-30T08:00:00Z' }, true],
])('a pod that %s is a member, and says so', (_name, more, isEnding) => {
  expect(memberOf(podWith(more))).toMatchObject({ server: 'deployment-a', isEnding })
})
