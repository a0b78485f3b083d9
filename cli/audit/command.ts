// `outrigger audit verify`: whether audit files are as they were written.

import { createPublicKey, type KeyObject } from 'node:crypto'
import { oneLine } from '../../shared/one-line.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { defineCommand, tell, type Io } from '../command/command.ts'
import type { FlagTable, Given } from '../command/flags.ts'
import { readText } from '../command/read-text.ts'
import { readCheckpoints, verifyFiles, type Verdict } from './verify.ts'

const FLAGS = {
  checkpoints: {
    value: 'FILE',
    doc: "a log that holds checkpoints, such as the sidecar's standard output: what was cut off at the end is found by them alone",
  },
  key: {
    value: 'FILE',
    doc: 'the public Ed25519 key (PEM) by which every checkpoint must be signed',
  },
} as const satisfies FlagTable

interface Flags {
  readonly files: readonly string[]
  readonly checkpoints: string | undefined
  readonly key: string | undefined
}

const readFlags = ({ words, text }: Given): Result<Flags, string> => {
  const [verb, ...files] = words
  const [checkpoints, key] = [text('checkpoints'), text('key')]
  if (verb !== 'verify') return fail('say what to do: audit verify FILE')
  if (files.length === 0) return fail('say which files, all that there are: audit verify FILE')
  return key !== undefined && checkpoints === undefined
    ? fail('--key is for what --checkpoints FILE holds: give that too')
    : ok({ files, checkpoints, key })
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
    return `${place.file}:${place.line}: record ${seq}${of}: ${what}: ${why}`
  }
  const { records, checkpoints, open, torn } = verdict.verified
  const agree = hasCheckpoints ? `, ${checkpoints} checkpoints agree` : ''
  const ends = open.map(
    ({ instance, seq }) =>
      `; instance ${instance} has no last record: behind record ${seq} it runs still, was killed, or was cut${hasCheckpoints ? '' : ' (--checkpoints tells)'}`,
  )
  const rest = torn
    ? `; ${torn.file}:${torn.line}: the last line is no whole record: it was being written, or was overwritten`
    : ''
  return `${records} records, all as they were written${agree}${ends.join('')}${rest}`
}

const verify = async ({ files, checkpoints, key }: Flags): Promise<Result<Verdict, string>> => {
  const known = await readKey(key)
  if (!known.ok) return known
  const kept = checkpoints === undefined ? ok([]) : await readCheckpoints(checkpoints, known.value)
  return kept.ok ? verifyFiles(files, kept.value) : kept
}

const run = async (flags: Flags, io: Io): Promise<number> => {
  const verdict = await verify(flags)
  if (!verdict.ok) {
    tell(io, 'audit', verdict.error)
    return 1
  }
  io.stdout(`${oneLine(wordsOf(verdict.value, flags.checkpoints !== undefined))}\n`)
  return verdict.value.isWhole ? 0 : 1
}

export const audit = defineCommand({
  name: 'audit',
  synopsis: 'verify FILE... [flags]',
  about: `Says whether audit files are as the sidecar wrote them, or names the first record that was edited, removed,
inserted or cut (exit code 1). Give all files that there are, in any order: what their names and times say is not
looked at. The last lines of a file are held by nothing but checkpoints that were kept elsewhere.`,
  flags: FLAGS,
  takesWords: true,
  cleansUp: false,
  readFlags,
  run,
})
