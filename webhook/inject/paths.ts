// Mount paths, compared as the kubelet will see them. Pure.

import { posix } from 'node:path'

/** A mount path made absolute and clean: no `//`, `.`, `..` or slash at the end. */
export const cleanPath = (path: string): string => {
  const clean = posix.normalize(`/${path}`)
  return clean.length > 1 && clean.endsWith('/') ? clean.slice(0, -1) : clean
}

/** Whether a clean path is the other, or lies under it. */
export const isWithin = (inner: string, outer: string): boolean =>
  inner === outer || inner.startsWith(outer === '/' ? '/' : `${outer}/`)

/** Whether one of two clean paths lies at, above or under the other. */
export const doPathsMeet = (a: string, b: string): boolean => isWithin(a, b) || isWithin(b, a)
