// What an API server goes by: it reads a changed caBundle a little later than it was written.

import { caBundlesOf, type FakeKube } from './fake-kube.ts'

export const bundleIn = (kube: Pick<FakeKube, 'configuration'>): string =>
  Buffer.from(caBundlesOf(kube.configuration())[0] ?? '', 'base64').toString()

/** The bundle as it was so many milliseconds ago, for who asks again and again; however seldom, it counts from the write. */
export const knownBundle = (
  kube: Pick<FakeKube, 'configuration' | 'configuredAtMs'>,
  lagMs: number,
): (() => string) => {
  let known = bundleIn(kube)
  let coming: { readonly at: number; readonly text: string }[] = []
  let last = known
  return () => {
    const at = performance.now()
    const text = bundleIn(kube)
    if (text !== last) coming.push({ at: kube.configuredAtMs(), text })
    last = text
    known = coming.findLast((each) => each.at <= at - lagMs)?.text ?? known
    coming = coming.filter((each) => each.at > at - lagMs)
    return known
  }
}
