// Reading flags by Node's own parser; what it throws is a sentence for the user. Pure.

import { parseArgs, type ParseArgsConfig } from 'node:util'
import { messageOf } from '../../shared/message.ts'
import { fail, ok, type Result } from '../../shared/result.ts'

type Parsed<Config extends ParseArgsConfig> = ReturnType<typeof parseArgs<Config>>

/** Flags that are not in the configuration are refused, words without a flag unless it allows them. */
export const parseFlags = <const Config extends ParseArgsConfig>(
  config: Config,
): Result<Parsed<Config>, string> => {
  try {
    return ok(parseArgs(config))
  } catch (error) {
    return fail(messageOf(error))
  }
}
