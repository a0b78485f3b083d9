// `outrigger audit verify`: reads the files twice, first for their order, then line by line.

import type { KeyObject } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { isSignedBy, readCheckpoint, type Checkpoint } from '../../shared/audit/checkpoint.ts'
import { inOrder, type FileEnds } from '../../shared/audit/file-order.ts'
import type { Finding } from '../../shared/audit/finding.ts'
import { readLinked, type ReadRecord } from '../../shared/audit/read-linked.ts'
import { Verification, type Verified } from '../../shared/audit/verification.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { fileWords } from '../output/system-words.ts'
import { fileLines, type FileLine } from './file-lines.ts'
import { filesIn } from './record-files.ts'

/** Reads all lines of a file until `take` has an answer; the error names the file. */
const readLines = async <T>(
  file: string,
  take: (own: FileLine, line: number) => T | undefined,
): Promise<Result<T | undefined, string>> => {
  let line = 0
  try {
    for await (const own of fileLines(file)) {
      const found = take(own, ++line)
      if (found !== undefined) return ok(found)
    }
    return ok(undefined)
  } catch (error) {
    return fail(`${file}: ${fileWords(error)}`)
  }
}

/** Records on standard output stand among lines of the sidecar's log. */
export const OF_A_LOG = `Of a container's log take the records out first: grep '^{"v":1,' LOG > records.jsonl`

/** Files are read twice; of a pipe the second time nothing would be left to find. */
const pipeFault = async (file: string): Promise<string | undefined> => {
  if (file === '-')
    return `-: standard input is read once, and records are read twice: name files. ${OF_A_LOG}`
  try {
    const about = await stat(file)
    if (about.isFile() || about.isDirectory()) return undefined
    return `${file}: it is no file, and records are read twice: put what comes from a pipe into one`
  } catch {
    // Reading it says why.
    return undefined
  }
}

const endsOf = async (file: string): Promise<Result<FileEnds, string>> => {
  const unreadable = await pipeFault(file)
  if (unreadable !== undefined) return fail(unreadable)
  let first: ReadRecord | undefined
  let last: ReadRecord | undefined
  const read = await readLines(file, ({ text }) => {
    const record = readLinked(text)
    first ??= record
    last = record ?? last
    return undefined
  })
  return read.ok ? ok({ file, first, last }) : read
}

const noCheckpoint = (hasRecords: boolean): string => {
  const words =
    "no line of it is a checkpoint: name the sidecar's own output, which gets one each minute and at its end"
  return hasRecords
    ? `${words}. It holds records: those are named without --checkpoints. ${OF_A_LOG}`
    : words
}

/** What a log holds of checkpoints; with a key only those that it has signed count, and others are an error. */
export const readCheckpoints = async (
  file: string,
  key: KeyObject | undefined,
): Promise<Result<readonly Checkpoint[], string>> => {
  const all: Checkpoint[] = []
  let hasRecords = false
  const forged = await readLines(file, ({ text }, line) => {
    const checkpoint = readCheckpoint(text)
    if (checkpoint) all.push(checkpoint)
    else hasRecords ||= readLinked(text) !== undefined
    return checkpoint && key && !isSignedBy(checkpoint, key) ? line : undefined
  })
  if (!forged.ok) return forged
  if (forged.value !== undefined) {
    return fail(`${file}:${forged.value}: this checkpoint was not signed by the key`)
  }
  return all.length === 0 ? fail(`${file}: ${noCheckpoint(hasRecords)}`) : ok(all)
}

export type Verdict =
  | { readonly isWhole: true; readonly verified: Verified }
  | { readonly isWhole: false; readonly finding: Finding }

/** One name of each file: a file that is given twice has its records once. */
const filesOf = async (names: readonly string[]): Promise<readonly string[]> => {
  const files = new Map<string, string>()
  for (const name of names) {
    const about = await stat(name, { bigint: true }).catch(() => undefined)
    const key = about ? `${about.dev} ${about.ino}` : name
    if (!files.has(key)) files.set(key, name)
  }
  return [...files.values()]
}

export const verifyFiles = async (
  names: readonly string[],
  checkpoints: readonly Checkpoint[],
): Promise<Result<Verdict, string>> => {
  const given: string[] = []
  for (const name of names) {
    const found = await filesIn(name)
    if (!found.ok) return found
    given.push(...found.value)
  }
  const files = await filesOf(given)
  const ends: FileEnds[] = []
  for (const file of files) {
    const read = await endsOf(file)
    if (!read.ok) return read
    ends.push(read.value)
  }
  const verification = new Verification(checkpoints)
  for (const file of inOrder(ends)) {
    const found = await readLines(file, ({ text, isEnded }, line) =>
      verification.take(text, { file, line }, isEnded),
    )
    if (!found.ok) return found
    if (found.value) return ok({ isWhole: false, finding: found.value })
  }
  const finding = verification.end()
  if (finding) return ok({ isWhole: false, finding })
  const { verified } = verification
  return verified.records === 0
    ? fail(`${files.join(', ')}: there is no record: nothing can be said of them`)
    : ok({ isWhole: true, verified })
}
