// How a test file says which cluster it needs. Where there is none its tests are skipped, never
// passed, and one line says why.

import { beforeAll, describe } from '@jest/globals'
import { createApi } from './api.ts'
import type { Size } from './parts/host-tools.ts'
import { TARGET_VARIABLE, targetSchema, type Target } from './target.ts'

/** A cluster that this run brought up itself: the tests know its network and its node. */
export type OwnTarget = Target & { readonly own: NonNullable<Target['own']> }

const NOWHERE: OwnTarget = {
  api: 'http://127.0.0.1:1',
  kubectl: '',
  kubeconfig: '',
  size: 'full',
  own: {
    dir: '',
    address: '',
    cache: '',
    staticServer: '',
    httpServer: '',
    egressServer: '',
    helm: '',
  },
}

const text = process.env[TARGET_VARIABLE]
const target = text === undefined ? undefined : targetSchema.parse(JSON.parse(text))

const isOwn = (candidate: Target): candidate is OwnTarget => candidate.own !== undefined

/** The tests are declared all the same, so that they are counted; none of them runs. */
const skip = (name: string, why: string, declare: () => void): void => {
  process.stderr.write(`skipped: ${name}: ${why}\n`)
  describe.skip(name, declare)
}

const obstacle = (size: Size): string | undefined => {
  if (target === undefined) return 'there is no cluster (npm run test:cluster brings one up)'
  return size === 'full' && target.size !== 'full' ? 'the cluster has no node' : undefined
}

/**
 * Declares the tests of a file, which finds no namespace that another file's tests have left: what counts over the whole cluster
 * (a controller, `scan -A`) sees its own objects alone, whichever file came first.
 */
const declareAlone = (name: string, { api }: Target, declare: () => void): void =>
  describe(name, () => {
    beforeAll(async () => await createApi(api).removeMade())
    declare()
  })

/** Declares tests that need any cluster of a size. */
export const describeCluster = (
  size: Size,
  name: string,
  tests: (target: Target) => void,
): void => {
  const why = obstacle(size)
  if (target === undefined || why !== undefined) skip(name, why ?? '', () => tests(NOWHERE))
  else declareAlone(name, target, () => tests(target))
}

/** Declares tests that need a cluster of our own: processes on its network, images on its node. */
export const describeOwnCluster = (
  size: Size,
  name: string,
  tests: (target: OwnTarget) => void,
): void => {
  const why = obstacle(size)
  if (target !== undefined && why === undefined && isOwn(target)) {
    declareAlone(name, target, () => tests(target))
    return
  }
  const theirs =
    "a user's cluster reaches no process of this machine and has no image of these tests"
  skip(name, why ?? theirs, () => tests(NOWHERE))
}
