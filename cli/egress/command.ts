// `outrigger egress suggest`: from what servers were seen to reach to what they declare.

import { fail, ok, type Result } from '../../shared/result.ts'
import { defineCommand } from '../command/command.ts'
import type { FlagTable, Given } from '../command/flags.ts'
import { verbIn } from '../command/verb.ts'
import { FORMATS, suggest, type SuggestFlags } from './suggest.ts'

const FLAGS = {
  server: {
    value: 'NAME',
    doc: 'of this server alone, as records name it: KIND-NAME of its workload; may be given several times',
  },
  output: {
    short: 'o',
    value: 'FORMAT',
    doc: 'the annotation with what is known of each destination as comments (text), or all of it for programs (json)',
    default: 'text',
    words: FORMATS,
  },
} as const satisfies FlagTable

const VERBS = ['suggest'] as const
const FORM = 'egress suggest AUDIT_FILE'

const readFlags = ({
  words: [word, ...words],
  text,
  texts,
}: Given): Result<SuggestFlags, string> => {
  const verb = verbIn(word, VERBS, FORM)
  if (!verb.ok) return verb
  if (words.length === 0)
    return fail(`say which files or folders of records: ${FORM} (- reads standard input)`)
  const format = FORMATS.find((one) => one === text('output'))
  return format === undefined
    ? fail(`--output must be one of ${FORMATS.join(', ')}`)
    : ok({ sources: [...new Set(words)], servers: texts('server'), format })
}

export const egress = defineCommand({
  name: 'egress',
  synopsis: 'suggest AUDIT_FILE... [flags]',
  about: `Adds up what servers were seen to reach on the network, in audit records (run --audit-file, audit-sink), and prints it as the
annotation outrigger.dev/egress. A file is read with the full ones beside it; folders and a log on standard input (-) will do.
What tells no name, was refused, or is a cloud's metadata is not in it, and stands behind it with why.`,
  flags: FLAGS,
  takesWords: true,
  cleansUp: false,
  readFlags,
  run: suggest,
})
