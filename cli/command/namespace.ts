// A flag that names a namespace, and ours. Pure.

import { fail, ok, type Result } from '../../shared/result.ts'

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
