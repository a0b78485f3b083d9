// How a test file says which size of cluster it needs. Where there is no such cluster its tests
// are skipped, never passed.

import { describe } from '@jest/globals'
import type { Size } from './parts/host-tools.ts'
import { TARGET_VARIABLE, targetSchema, type Target } from './target.ts'

const text = process.env[TARGET_VARIABLE]
const target = text === undefined ? undefined : targetSchema.parse(JSON.parse(text))

/** Declares tests that need a cluster of a size. */
export const describeCluster = (
  size: Size,
  name: string,
  tests: (target: Target) => void,
): void => {
  if (target !== undefined && (size === 'control' || target.size === 'full')) {
    describe(name, () => tests(target))
    return
  }
  describe.skip(name, () =>
    // The tests are declared, so that they are counted; none of them runs.
    tests({ api: 'http://127.0.0.1:1', kubectl: '', kubeconfig: '', size, callback: '' }),
  )
}
