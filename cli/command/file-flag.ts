// The flag `-f FILE`, given exactly once: of two, one would be dropped without a word. Pure.

import { fail, ok, type Result } from '../../shared/result.ts'

/** Takes every time that the flag was given; `missing` is what to say where it was not. */
export const oneFile = (files: readonly string[], missing: string): Result<string, string> => {
  const [file, ...more] = files
  if (file === undefined) return fail(missing)
  return more.length === 0
    ? ok(file)
    : fail(
        `-f was given ${more.length + 1} times: one manifest at a time (it may hold many documents)`,
      )
}
