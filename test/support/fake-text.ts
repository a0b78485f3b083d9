// A source of texts that a test sets: a text, none, or a fault.

import { fail, ok } from '../../shared/result.ts'
import type { TextSource } from '../../shared/text-source.ts'

export type Content = string | undefined | { readonly fault: string }

export const fakeText = (name: string, first?: Content) => {
  let content = first
  let stamp = 0
  let reads = 0
  const source: TextSource = {
    name,
    stamp: () => Promise.resolve(String(stamp)),
    read: () => {
      reads++
      return Promise.resolve(typeof content === 'object' ? fail(content.fault) : ok(content))
    },
  }
  return {
    source,
    reads: () => reads,
    put: (next: Content) => {
      content = next
      stamp++
    },
  }
}
