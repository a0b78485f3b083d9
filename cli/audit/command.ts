// `outrigger audit verify` and `tail`: whether audit files are as they were written, and what stands in them.

import { createPublicKey, type KeyObject } from 'node:crypto'
import { STRANGE_LINE } from '../../shared/audit/finding.ts'
import { oneLine } from '../../shared/one-line.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { defineCommand, tell, type Io } from '../command/command.ts'
import type { FlagTable, Given } from '../command/flags.ts'
import { readText } from '../command/read-text.ts'
import { strayFlags, verbIn } from '../command/verb.ts'
import { plural } from '../output/plural.ts'
import { OUTCOMES, readOutcomes, readSince } from './choice.ts'
import { FORMATS, tail, type TailFlags } from './tail.ts'
import { OF_A_LOG, readCheckpoints, verifyFiles, type Verdict } from './verify.ts'

const FLAGS = {
  checkpoints: {
    value: 'FILE',
    doc: "verify: a log that holds checkpoints, such as the sidecar's standard output: what was cut off at the end is found by them alone",
  },
  key: {
    value: 'FILE',
    doc: 'verify: the public Ed25519 key (PEM) by which every checkpoint must be signed',
  },
  principal: {
    value: 'NAME',
    doc: 'tail: of this subject alone, or of a program or person that calls for one; nobody: of callers whom nobody knows; may be given several times, as the next two may',
  },
  tool: { value: 'NAME', doc: 'tail: of calls of this tool' },
  outcome: {
    value: 'WORD',
    doc: `tail: of what ended so: ${OUTCOMES.join(', ')}; failed is all but ok`,
    words: OUTCOMES,
  },
  since: { value: 'WHEN', doc: 'tail: from a time on, or from so long ago: 10m, 24h' },
  follow: {
    short: 'f',
    doc: 'tail: goes on with what is written from now on, into the next files',
  },
  format: {
    short: 'o',
    value: 'FORMAT',
    doc: 'tail: lines for people (text), the records as they stand there (json), or API Activity events of OCSF for a SIEM (ocsf), of calls and of what was refused',
    default: 'text',
    words: FORMATS,
  },
} as const satisfies FlagTable

interface VerifyFlags {
  readonly files: readonly string[]
  readonly checkpoints: string | undefined
  readonly key: string | undefined
}

type Flags = ({ readonly verb: 'verify' } & VerifyFlags) | ({ readonly verb: 'tail' } & TailFlags)

const VERBS = ['verify', 'tail'] as const
const VERB_FLAGS = {
  verify: ['checkpoints', 'key'],
  tail: ['principal', 'tool', 'outcome', 'since', 'follow', 'format'],
} as const

const readVerify = (files: readonly string[], { text }: Given): Result<Flags, string> => {
  const [checkpoints, key] = [text('checkpoints'), text('key')]
  if (files.length === 0) {
    const said = 'say which files, all that there are, or their folder: audit verify FILE'
    return fail(checkpoints === undefined ? said : `${said} --checkpoints LOG. ${OF_A_LOG}`)
  }
  return key !== undefined && checkpoints === undefined
    ? fail('--key is for what --checkpoints FILE holds: give that too')
    : ok({ verb: 'verify', files: [...new Set(files)], checkpoints, key })
}

const readTail = (words: readonly string[], { text, texts, has }: Given): Result<Flags, string> => {
  if (words.length === 0)
    return fail('say which files or folders: audit tail FILE (- reads standard input)')
  const outcomes = readOutcomes(texts('outcome'))
  if (!outcomes.ok) return outcomes
  const since = text('since')
  const sinceMs = since === undefined ? ok(undefined) : readSince(since, Date.now())
  if (!sinceMs.ok) return sinceMs
  const format = FORMATS.find((one) => one === text('format'))
  if (format === undefined) return fail(`--format must be one of ${FORMATS.join(', ')}`)
  return ok({
    verb: 'tail',
    sources: [...new Set(words)],
    choice: {
      principals: texts('principal'),
      tools: texts('tool'),
      outcomes: outcomes.value,
      sinceMs: sinceMs.value,
    },
    format,
    isFollowing: has('follow'),
  })
}

const readFlags = (given: Given): Result<Flags, string> => {
  const [word, ...words] = given.words
  const verb = verbIn(word, VERBS, 'audit verify FILE or audit tail FILE')
  if (!verb.ok) return verb
  const stray = strayFlags('audit', verb.value, VERB_FLAGS, given)
  if (stray !== undefined) return fail(stray)
  return verb.value === 'verify' ? readVerify(words, given) : readTail(words, given)
}

const readKey = async (
  file: string | undefined,
): Promise<Result<KeyObject | undefined, string>> => {
  if (file === undefined) return ok(undefined)
  const text = await readText(file)
  if (!text.ok) return text
  try {
    const key = createPublicKey(text.value)
    return key.asymmetricKeyType === 'ed25519' ? ok(key) : fail(`${file}: it is no Ed25519 key`)
  } catch {
    return fail(`${file}: it is no key in PEM`)
  }
}

const wordsOf = (verdict: Verdict, hasCheckpoints: boolean): string => {
  if (!verdict.isWhole) {
    const { what, instance, seq, place, why } = verdict.finding
    const of = instance === '' ? '' : ` of instance ${instance}`
    const hint = why === STRANGE_LINE ? `. ${OF_A_LOG}` : ''
    return `${place.file}:${place.line}: record ${seq}${of}: ${what}: ${why}${hint}`
  }
  const { records, checkpoints, open, torn } = verdict.verified
  const agree = hasCheckpoints
    ? `, ${plural(checkpoints, 'checkpoint')} ${checkpoints === 1 ? 'agrees' : 'agree'}`
    : ''
  const ends = open.map(
    ({ instance, seq }) =>
      `; instance ${instance} has no last record: behind record ${seq} it runs still, was killed, or was cut${hasCheckpoints ? '' : ' (--checkpoints tells)'}`,
  )
  const rest = torn
    ? `; ${torn.file}:${torn.line}: the last line is no whole record: it was being written, or was overwritten`
    : ''
  return `${plural(records, 'record')}, all as they were written${agree}${ends.join('')}${rest}`
}

const verify = async ({
  files,
  checkpoints,
  key,
}: VerifyFlags): Promise<Result<Verdict, string>> => {
  const known = await readKey(key)
  if (!known.ok) return known
  const kept = checkpoints === undefined ? ok([]) : await readCheckpoints(checkpoints, known.value)
  return kept.ok ? verifyFiles(files, kept.value) : kept
}

const runVerify = async (flags: VerifyFlags, io: Io): Promise<number> => {
  const verdict = await verify(flags)
  if (!verdict.ok) {
    tell(io, 'audit', verdict.error)
    return 1
  }
  io.stdout(`${oneLine(wordsOf(verdict.value, flags.checkpoints !== undefined))}\n`)
  return verdict.value.isWhole ? 0 : 1
}

const run = (flags: Flags, io: Io): Promise<number> =>
  flags.verb === 'verify' ? runVerify(flags, io) : tail(flags, io)

export const audit = defineCommand({
  name: 'audit',
  synopsis: 'verify|tail FILE... [flags]',
  about: `verify: says whether audit files are as the sidecar wrote them, or names the first record that was edited, removed,
inserted or cut (exit code 1). Give all files that there are, in any order, or their folder: what their names and times
say is not looked at. The last lines of a file are held by nothing but checkpoints that were kept elsewhere.
tail: shows the records of files, of folders, or (-) of a log on standard input, those that are chosen.`,
  flags: FLAGS,
  takesWords: true,
  cleansUp: false,
  readFlags,
  run,
})
