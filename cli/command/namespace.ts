// The flags that name a namespace, or every one, and ours. Pure.

import { fail, ok, type Result } from '../../shared/result.ts'
import type { Flag, Given } from './flags.ts'

/** Ours, as the manifests have it. */
export const OWN_NAMESPACE = 'outrigger-system'

// RFC 1123, as the API server holds names of namespaces to it.
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

/** Takes the flag's text as it is; the error is a sentence. */
export const parseNamespace = <Text extends string | undefined>(
  text: Text,
): Result<Text, string> =>
  text === undefined || LABEL.test(text)
    ? ok(text)
    : fail(
        `-n ${JSON.stringify(text)} is no name of a namespace: use lower-case letters, digits and -, at most 63, the first and the last no -`,
      )

export const EVERYWHERE = { short: 'A', doc: 'look at every namespace' } as const satisfies Flag

/** Where a command looks in a cluster. */
export interface Place {
  /** Undefined where none is named. */
  readonly namespace: string | undefined
  readonly isEverywhere: boolean
}

/** By `-n` or `-A`; the error is a sentence. */
export const readPlace = ({ text, has }: Pick<Given, 'text' | 'has'>): Result<Place, string> => {
  const namespace = parseNamespace(text('namespace'))
  if (!namespace.ok) return namespace
  const isEverywhere = has('all-namespaces')
  return isEverywhere && namespace.value !== undefined
    ? fail('-A and -n: one namespace, or every one')
    : ok({ namespace: namespace.value, isEverywhere })
}
