// Whether what was done to audit files is found and rightly named, and nothing else is.

import { describe, expect, test } from '@jest/globals'
import { Chain, digest, membersOf, type Link } from '../../../../shared/audit/chain.ts'
import {
  checkpointLine,
  readCheckpoint,
  type Checkpoint,
} from '../../../../shared/audit/checkpoint.ts'
import type { Finding } from '../../../../shared/audit/finding.ts'
import type { AuditEvent, Position } from '../../../../shared/audit/record.ts'
import { readLinked } from '../../../../shared/audit/read-linked.ts'
import { Verification } from '../../../../shared/audit/verification.ts'
import { makeFolder, type MadeFolder } from '../../../support/audit-files.ts'
import { chanceOf, type Chance } from '../../../support/chance.ts'

type Files = readonly (readonly string[])[]

const verify = (files: Files, checkpoints: readonly Checkpoint[]): Finding | undefined => {
  const verification = new Verification(checkpoints)
  for (const [index, lines] of files.entries()) {
    for (const [line, text] of lines.entries()) {
      const found = verification.take(text, { file: `${index}`, line: line + 1 })
      if (found) return found
    }
  }
  return verification.end()
}

const texts = ({ files }: MadeFolder): Files => files.map((lines) => lines.map(({ text }) => text))

/** One of the lines that are records. */
const someLine = ({ files }: MadeFolder, chance: Chance) => {
  const all = files.flatMap((lines, file) => lines.map((line, index) => ({ file, index, ...line })))
  const records = all.flatMap((one) => (one.link ? [{ ...one, link: one.link }] : []))
  const found = records[chance(records.length)]
  if (!found) throw new Error('a folder has records')
  const [last] = records.slice(-1)
  return { ...found, isLast: found === last }
}

interface Spot {
  readonly file: number
  readonly index: number
}

/** With lines put in the place of so many at a spot. */
const put = (files: Files, { file, index }: Spot, drop: number, ...lines: string[]): Files =>
  files.map((own, at) => (at === file ? own.toSpliced(index, drop, ...lines) : own))

/** The line with its hash computed anew. */
const resealed = (text: string): string => {
  const body = text.slice(0, text.lastIndexOf(',"hash":"'))
  return `${body},"hash":"${digest(body)}"}`
}

interface Crime {
  readonly files: Files
  /** What is right to say of it: any of these words, of this record. */
  readonly said: RegExp
}

type Deed = (folder: MadeFolder, chance: Chance) => Crime

const named = (what: string, { instance, seq }: { instance: string; seq: number }): RegExp =>
  new RegExp(`^(${what}) ${instance} ${seq}$`)

/** Of an instance without a checkpoint only the one behind it is known to have been there. */
const lost = (what: string, link: { instance: string; seq: number }): RegExp =>
  new RegExp(`${named(what, link).source}|^(cut|edited) i\\d+-\\d+ 1$`)

const editedByte: Deed = (folder, chance) => {
  const { file, index, text, link } = someLine(folder, chance)
  const at = chance(text.length)
  const other = text[at] === 'x' ? 'y' : 'x'
  const edited = `${text.slice(0, at)}${other}${text.slice(at + 1)}`
  return { files: put(texts(folder), { file, index }, 1, edited), said: named('edited', link) }
}

const sealedAnew: Deed = (folder, chance) => {
  const { file, index, text, link, isLast } = someLine(folder, chance)
  const edited = resealed(text.replace(/"time":"2/, '"time":"3'))
  return {
    files: put(texts(folder), { file, index }, 1, edited),
    // Only a checkpoint says so of the last: of the records since the one before it.
    said: isLast ? new RegExp(`^edited ${link.instance} `) : named('edited', link),
  }
}

const removed: Deed = (folder, chance) => {
  const { file, index, link } = someLine(folder, chance)
  return { files: put(texts(folder), { file, index }, 1), said: named('removed|cut', link) }
}

const cutInside: Deed = (folder, chance) => {
  const { file, index, text, link } = someLine(folder, chance)
  const lines = texts(folder)
  const rest = text.slice(0, 1 + chance(text.length - 1))
  const cut = lines.slice(0, file + 1).map((own, at) => (at === file ? own.slice(0, index) : own))
  return { files: put(cut, { file, index }, 0, rest), said: lost('edited|cut', link) }
}

const cutOff: Deed = (folder, chance) => {
  const { file, index, link } = someLine(folder, chance)
  const files = texts(folder)
    .slice(0, file + 1)
    .map((own, at) => (at === file ? own.slice(0, index) : own))
  return { files, said: lost('cut|removed', link) }
}

const twice: Deed = (folder, chance) => {
  const { text, link } = someLine(folder, chance)
  const { file, index } = someLine(folder, chance)
  // A record that stands before its place is missing there only for what comes between.
  return {
    files: put(texts(folder), { file, index }, 0, text),
    said: new RegExp(`^(inserted ${link.instance} ${link.seq}|(removed|cut) .*)$`),
  }
}

const strangeLine: Deed = (folder, chance) => {
  const { file, index, link } = someLine(folder, chance)
  const files = put(texts(folder), { file, index }, 0, '{"v":1,"event":"call"}')
  return { files, said: named('inserted', link) }
}

/** A record with everything right but that the next does not follow it. */
const forged: Deed = (folder, chance) => {
  const { file, index, text, link, isLast } = someLine(folder, chance)
  const forgery = resealed(text.replace(/"time":"2/, '"time":"3'))
  const place = chance(2)
  return {
    files: put(texts(folder), { file, index: index + place }, 0, forgery),
    // Of two last ones nobody can say which was there first, without a checkpoint.
    said: isLast ? /^(inserted|edited) / : named('inserted', link),
  }
}

const DEEDS: readonly (readonly [string, Deed])[] = [
  ['a byte is changed', editedByte],
  ['a record is changed and sealed anew', sealedAnew],
  ['a record is taken out', removed],
  ['everything from the middle of a record on is cut', cutInside],
  ['everything from a record on is cut', cutOff],
  ['a record is put in a second time', twice],
  ['a line that is none is put in', strangeLine],
  ['a record is forged beside another', forged],
]

const words = (found: Finding | undefined): string =>
  found ? `${found.what} ${found.instance} ${found.seq}` : 'nothing'

describe('what was done to audit files', () => {
  test.each(DEEDS)('%s: found and named, 125 times', (_name, deed) => {
    for (let seed = 0; seed < 125; seed++) {
      const chance = chanceOf(seed)
      const folder = makeFolder(chance)
      const { files, said } = deed(folder, chance)
      const found = words(verify(files, folder.checkpoints))
      expect([seed, found]).toEqual([seed, expect.stringMatching(said)])
    }
  })

  test('nothing was done: nothing is found, 1,000 times, with and without checkpoints', () => {
    for (let seed = 0; seed < 1000; seed++) {
      const folder = makeFolder(chanceOf(seed))
      expect([seed, words(verify(texts(folder), folder.checkpoints))]).toEqual([seed, 'nothing'])
      expect([seed, words(verify(texts(folder), []))]).toEqual([seed, 'nothing'])
    }
  })

  test('old files were taken away in order: nothing is found, 1,000 times', () => {
    for (let seed = 0; seed < 1000; seed++) {
      const folder = makeFolder(chanceOf(seed), true)
      expect([seed, words(verify(texts(folder), folder.checkpoints))]).toEqual([seed, 'nothing'])
      expect([seed, words(verify(texts(folder), []))]).toEqual([seed, 'nothing'])
    }
  })
})

/** What one instance writes: a beginning, so many records, and an end. */
const instance = (
  name: string,
  { before, timeMs, rotates }: { before?: Link; timeMs: number; rotates?: Position },
) => {
  const own = new Chain({ instance: name, server: 'deployment-notes', prev: before?.hash ?? '' })
  const line = (event: AuditEvent): string => own.line(membersOf(event), timeMs).slice(0, -1)
  const lines = [
    line({
      event: 'begin',
      ...(before && { before }),
      configuration: digest('c'),
      attempts: false,
      onFailure: 'refuse',
    }),
    ...(rotates ? [line({ event: 'rotation', file: 'audit.jsonl.9', oldest: rotates })] : []),
    line({ event: 'process-start', process: 1 }),
    line({ event: 'end' }),
  ]
  const checkpoint = readCheckpoint(
    checkpointLine(own.last, { server: 'deployment-notes', timeMs }, undefined),
  )
  if (!checkpoint) throw new Error('it is one')
  return { lines, checkpoint, last: own.last }
}

describe('files that are gone as a whole', () => {
  const first = instance('first', { timeMs: 1000 })
  const second = instance('second', { timeMs: 2000 })
  const behind = instance('behind', { before: first.last, timeMs: 3000 })
  const pruning = instance('pruning', {
    before: first.last,
    timeMs: 3000,
    rotates: { instance: 'pruning', seq: 1 },
  })

  test.each<[string, Files, readonly Checkpoint[], string]>([
    [
      'of an instance, and the next began in an empty folder',
      [second.lines],
      [first.checkpoint, second.checkpoint],
      'removed first 1',
    ],
    [
      'of the newest instance',
      [first.lines],
      [first.checkpoint, second.checkpoint],
      'cut second 1',
    ],
    [
      'of an instance that the next names',
      [behind.lines],
      [first.checkpoint, behind.checkpoint],
      `cut first ${first.last.seq}`,
    ],
    [
      'of an instance that the next names, as the oldest that was kept',
      [pruning.lines],
      [first.checkpoint, pruning.checkpoint],
      'nothing',
    ],
    [
      'of one between: what was taken away by age is older than all that is kept',
      [pruning.lines, instance('late', { timeMs: 5000 }).lines],
      [pruning.checkpoint, instance('between', { timeMs: 4000 }).checkpoint],
      'removed between 1',
    ],
  ])('%s', (_what, files, checkpoints, said) => {
    expect(words(verify(files, checkpoints))).toBe(said)
  })
})

describe('the last line', () => {
  const { lines } = instance('one', { timeMs: 1000 })
  const [begin = '', start = ''] = lines
  const overwritten = start.replace('"process":1', '"process":2')

  test.each<[string, readonly string[], boolean, string]>([
    ['overwritten, with its line end', [begin, overwritten], true, 'edited one 2'],
    ['not whole, without a line end', [begin, start.slice(0, 90)], false, 'nothing'],
    [
      'not whole, with a line end, which no writer leaves',
      [begin, start.slice(0, 90)],
      true,
      'edited one 2',
    ],
    ['something else, without a line end', [begin, 'something else'], false, 'inserted one 2'],
  ])('%s', (_what, own, isEnded, said) => {
    const verification = new Verification([])
    for (const [index, text] of own.entries()) {
      verification.take(text, { file: 'f', line: index + 1 }, index < own.length - 1 || isEnded)
    }
    expect(words(verification.end())).toBe(said)
    expect(verification.verified.torn).toEqual({ file: 'f', line: 2 })
  })
})

describe('instances in one file', () => {
  const first = instance('first', { timeMs: 1000 })
  const next = instance('next', { before: first.last, timeMs: 3000 })
  const fake = instance('fake', { before: first.last, timeMs: 2000 })
  const stray = instance('stray', { timeMs: 2000 })
  /** Two that write at once: the lock was taken over, and who had it came back. */
  const [begin = '', ...rest] = first.lines
  const taker = (lines: readonly string[]) => {
    const last = readLinked(lines.at(-1) ?? '')
    if (!last) throw new Error('it is a record')
    return { instance: last.instance, seq: last.seq, hash: last.hash }
  }
  const over = instance('over', { before: taker([begin]), timeMs: 2000 })
  const [overBegin = '', overStart = '', overEnd = ''] = over.lines
  const third = instance('third', { before: first.last, timeMs: 4000 })

  test.each<[string, readonly string[], string]>([
    ['one behind the other', [...first.lines, ...next.lines], 'nothing'],
    ['a whole one between', [...first.lines, ...fake.lines, ...next.lines], 'inserted fake 1'],
    [
      'the first of two between',
      [...first.lines, ...stray.lines, ...fake.lines, ...next.lines],
      'inserted stray 1',
    ],
    [
      'one between that names none',
      [...first.lines, ...stray.lines, ...next.lines],
      'inserted stray 1',
    ],
    [
      'one that takes over, and who had the file goes on',
      [begin, ...over.lines, ...rest],
      'nothing',
    ],
    [
      'the two in turns, and the next behind one of them',
      [begin, overBegin, overStart, ...rest, ...third.lines],
      'nothing',
    ],
    [
      'the same, and the other writes when the next has looked',
      [begin, overBegin, overStart, ...rest, overEnd, ...third.lines],
      'nothing',
    ],
  ])('%s', (_what, lines, said) => {
    expect(words(verify([lines], []))).toBe(said)
  })

  test.each<[string, Files, string]>([
    ['of another replica, by time', [first.lines, stray.lines, next.lines], 'nothing'],
    ['of one that names the one before', [first.lines, fake.lines, next.lines], 'inserted fake 1'],
  ])('a file between two: %s', (_what, files, said) => {
    expect(words(verify(files, []))).toBe(said)
  })
})
