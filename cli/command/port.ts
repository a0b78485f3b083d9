// A flag that names a TCP port. Pure.

import { fail, ok, type Result } from '../../shared/result.ts'

const DIGITS = /^\d{1,5}$/

/** Reads the flag's text; the error is a sentence. */
export const parsePort = (flag: string, text: string): Result<number, string> =>
  DIGITS.test(text) && Number(text) <= 65_535
    ? ok(Number(text))
    : fail(`--${flag} ${JSON.stringify(text)} is not a port: use 0 (any) to 65535`)
