// The flag `-f FILE`, given exactly once: of two, one would be dropped without a word. Pure.

import { fail, ok, type Result } from '../../shared/result.ts'

/** Of a manifest. */
export const MANY_DOCUMENTS = ', which may hold many documents'

/** Takes every time that the flag was given; `missing` is what to say where it was not, `hint` where one will do. */
export const oneFile = (
  files: readonly string[],
  missing: string,
  hint = '',
): Result<string, string> => {
  const [file, ...more] = files
  if (file === undefined) return fail(missing)
  return more.length === 0
    ? ok(file)
    : fail(`-f was given ${more.length + 1} times: name one file${hint}`)
}
