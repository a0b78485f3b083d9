// A pod with a tool policy runs here without it, and says so.

import { expect, test } from '@jest/globals'
import { localPod, NOTHING_AROUND } from '../../../../cli/dev/local-pod.ts'
import { expectedPod } from '../../../support/golden.ts'

const local = (name: string) => {
  const read = localPod(expectedPod(name) ?? {}, 0, NOTHING_AROUND)
  if (!read.ok) throw new Error(read.error.join('; '))
  return { policy: read.value.config.toolPolicy, notes: read.value.notes.join('; ') }
}

test.each([
  [
    'tool-policy',
    expect.stringMatching(/^outrigger\.dev\/tool-policy: callers may do everything here/),
  ],
  ['introspection', 'outrigger.dev/introspection-secret: tokens that are no JWTs are refused here'],
  ['pod', ''],
])('%s: %s', (name, notes) => {
  expect(local(name)).toEqual({ policy: undefined, notes })
})
