// Whether the records of a folder are whole: every instance's own chain from line to line, what one instance says of the
// one before it, what a rotation says is kept, and what checkpoints say that was there. It stops at the first thing that
// does not hold, and names that record. Pure: lines are handed in, in the order of their files.

import { Beginnings } from './beginnings.ts'
import { digest, sealOf, type Link } from './chain.ts'
import type { Checkpoint } from './checkpoint.ts'
import {
  edited,
  inserted,
  isBeginning,
  isRivalOf,
  positionOf,
  strangeLine,
  type Finding,
  type Known,
  type Place,
} from './finding.ts'
import { readLinked, type Before, type ReadRecord } from './read-linked.ts'
import type { Position } from './record.ts'

const NOT_ITS_HASH = 'the line is not what its hash says'

/** One instance's chain, as far as it has come. */
interface Course {
  first: number
  last: Known
  hasEnded: boolean
  /** Another record that follows the same one: the next says which of the two was put in. */
  rival: Known | undefined
  /** The last checkpoint that agrees. */
  agreed: number
  /** A checkpoint names another hash for the last record; one that was put in has nothing to do with it. */
  doubt: Finding | undefined
}

/** A line that is no record of the chain; what comes next says what became of it. */
interface Bad {
  readonly place: Place
  readonly text: string
  /** Whether it has its line end: a writer that was killed leaves none. */
  readonly isEnded: boolean
  /** Another stands behind it. */
  second: Place | undefined
}

export interface Verified {
  readonly records: number
  readonly checkpoints: number
  /** Instances that have no last record: they run still, or were killed, or (only checkpoints tell) were cut. */
  readonly open: readonly Link[]
  /** The last line, which is no whole record: it was being written, or (only checkpoints tell) was overwritten. */
  readonly torn: Place | undefined
}

/** A record that the first instance says was before it, and that no file has: it may not be kept any more. */
interface Beyond {
  readonly first: Position
  readonly finding: Finding
}

const keyOf = (instance: string, seq: number): string => `${instance} ${seq}`

export class Verification {
  private readonly checkpoints: Map<string, Checkpoint>
  private readonly courses = new Map<string, Course>()
  private readonly beginnings = new Beginnings()
  private current: Course | undefined
  private bad: Bad | undefined
  private records = 0
  private agreed = 0
  private lastTime = ''
  private lastPlace: Place = { file: '', line: 0 }
  private earliest: Known | undefined
  private beyond: Beyond | undefined
  private kept: { readonly oldest: Position; readonly place: Place } | undefined

  constructor(checkpoints: readonly Checkpoint[]) {
    this.checkpoints = new Map(checkpoints.map((one) => [keyOf(one.instance, one.seq), one]))
  }

  /** One line, without its end (`isEnded`: whether it has one); the finding is the first, and the last word. */
  take(text: string, place: Place, isEnded = true): Finding | undefined {
    this.lastPlace = place
    const read = readLinked(text)
    const isWhole = read !== undefined && sealOf(text) === read.hash
    if (!isWhole) return this.takeBad({ place, text, isEnded, second: undefined })
    this.records++
    this.lastTime = read.time
    this.earliest ??= { record: read, place }
    const found = this.placed(read, place)
    if (found) return this.missingBefore() ?? found
    this.bad = undefined
    this.check(read, place)
    this.beginnings.saw(read, place)
    return undefined
  }

  /** All lines have been taken. */
  end(): Finding | undefined {
    return (
      this.missingBefore() ??
      this.undecided() ??
      this.missingAtStart() ??
      this.missingAtEnd() ??
      this.behindLast()
    )
  }

  get verified(): Verified {
    const open = [...this.courses.values()].filter(({ hasEnded }) => !hasEnded)
    return {
      records: this.records,
      checkpoints: this.agreed,
      open: open.map(({ last }) => last.record),
      torn: this.bad?.place,
    }
  }

  private takeBad(bad: Bad): Finding | undefined {
    // Of several in a row the first is the one to name.
    if (this.bad) this.bad.second ??= bad.place
    else this.bad = bad
    return undefined
  }

  private placed(read: ReadRecord, place: Place): Finding | undefined {
    const course = this.courses.get(read.instance)
    if (!course) return this.begins(read, place)
    this.current = course
    const { last, rival } = course
    const { record } = last
    if (rival) return inserted(read.prev === rival.record.hash ? last : rival)
    if (isRivalOf(read, record)) {
      course.rival = last
      course.last = { record: read, place }
      return undefined
    }
    if (read.seq > record.seq + 1) return this.gap(course, read, place)
    if (read.seq <= record.seq) return inserted({ record: read, place })
    return read.prev === record.hash
      ? (course.doubt ?? this.goesOn(course, read, place))
      : edited(last, 'the next record names another hash for it')
  }

  private goesOn(course: Course, read: ReadRecord, place: Place): Finding | undefined {
    const { bad } = this
    if (bad) {
      return { ...strangeLine(read), place: bad.place }
    }
    if (course.hasEnded) return inserted({ record: read, place }, 'the instance had ended')
    course.last = { record: read, place }
    course.hasEnded = read.event === 'end'
    if (read.oldest) this.kept = { oldest: read.oldest, place }
    return undefined
  }

  /** Records are missing before this one, or stand there and are none any more. */
  private gap({ last }: Course, read: ReadRecord, place: Place): Finding {
    const { instance, seq } = last.record
    const { bad } = this
    if (bad) {
      return { what: 'edited', instance, seq: seq + 1, place: bad.place, why: NOT_ITS_HASH }
    }
    const to = read.seq - 1
    const why = to === seq + 1 ? 'it is missing' : `records ${seq + 1} to ${to} are missing`
    return { what: 'removed', instance, seq: seq + 1, place, why }
  }

  /** An instance that has not been seen: where it begins, or where what was kept of it does. */
  private begins(read: ReadRecord, place: Place): Finding | undefined {
    const { before } = read
    // A file that follows a full one begins with a rotation; what stood before it may not be kept any more.
    const isFirst = read.event === 'rotation' && place.line === 1 && !this.bad
    if (read.seq !== 1 && !isFirst) return this.headless(read, place)
    const found = before ? this.follows(before, read, place) : this.badBefore(read)
    if (found) return found
    if (read.oldest) this.kept = { oldest: read.oldest, place }
    this.current = {
      first: read.seq,
      last: { record: read, place },
      hasEnded: false,
      rival: undefined,
      agreed: 0,
      doubt: undefined,
    }
    this.courses.set(read.instance, this.current)
    return undefined
  }

  /** An instance that begins with what begins nothing. */
  private headless({ instance, seq }: ReadRecord, place: Place): Finding {
    const at = { instance, seq: seq - 1 }
    const bad = this.notTorn()
    if (bad) {
      return { what: 'edited', ...at, place: bad, why: NOT_ITS_HASH }
    }
    const why = 'no file and no instance begins with the record behind it'
    return { what: this.courses.size === 0 ? 'cut' : 'removed', ...at, place, why }
  }

  /** Whether the instance before has come as far as the next one says. */
  private follows(before: Before, read: ReadRecord, place: Place): Finding | undefined {
    const course = this.courses.get(before.instance)
    if (!course) return this.followsNone(before, read, place)
    const { rival, last } = course
    if (rival) return inserted(before.hash === last.record.hash ? rival : last)
    if (last.record.seq < before.seq) return this.short(last, before, place)
    return last.record.seq === before.seq && last.record.hash !== before.hash
      ? edited(last, 'the next instance names another hash for it')
      : (this.beginnings.between(before.instance, [last.place, place]) ?? this.torn(before, read))
  }

  /** No file has a record of the instance before: of the first one it may not be kept any more. */
  private followsNone(before: Before, read: ReadRecord, place: Place): Finding | undefined {
    const why = 'the instance behind it names it; give all files that there are'
    const at = { ...positionOf(before), place, why }
    if (this.courses.size > 0) return { what: 'removed', ...at }
    this.beyond = { first: positionOf(read), finding: { what: 'cut', ...at } }
    const isTorn = this.bad !== undefined && before.torn?.hash === digest(this.bad.text)
    return isTorn ? undefined : this.badBefore(read)
  }

  /** An instance that has not come as far as the next one says. */
  private short({ record }: Known, { instance, seq, torn }: Before, place: Place): Finding {
    const { bad } = this
    const at = { instance, seq: record.seq + 1 }
    return bad && torn?.hash !== digest(bad.text)
      ? { what: 'edited', ...at, place: bad.place, why: NOT_ITS_HASH }
      : { what: 'cut', ...at, place, why: `the next instance says that it had ${seq} records` }
  }

  /** A line before an instance's first that is no record: it is what the instance says that it found there. */
  private torn({ torn }: Before, read: ReadRecord): Finding | undefined {
    const { bad } = this
    if (bad && torn && torn.hash === digest(bad.text)) {
      return bad.second && { ...strangeLine(read), place: bad.second }
    }
    if (!bad && torn) {
      const why = 'the beginning of a record that it had found in the file is missing'
      return { what: 'removed', ...positionOf(read), place: this.lastPlace, why }
    }
    return this.badBefore(read)
  }

  /** Where the first line stands that is no record, nor the beginning of one that the last instance was writing. */
  private notTorn(): Place | undefined {
    const { bad, current } = this
    const isTorn = bad && current && isBeginning(bad.text, current.last.record)
    return isTorn ? bad.second : bad?.place
  }

  private badBefore(read: ReadRecord): Finding | undefined {
    const { bad } = this
    return bad && { ...strangeLine(read), place: bad.place }
  }

  /** What a checkpoint says of it. */
  private check({ instance, seq, hash }: ReadRecord, place: Place): void {
    const key = keyOf(instance, seq)
    const checkpoint = this.checkpoints.get(key)
    const course = this.courses.get(instance)
    if (!checkpoint || !course) return
    if (checkpoint.hash !== hash) {
      const from = Math.max(course.agreed + 1, course.first)
      const which = from === seq ? 'it' : `it, or one behind it to record ${seq},`
      const why = `the checkpoint of record ${seq} names another hash: ${which} was edited, and what follows written anew`
      course.doubt ??= { what: 'edited', instance, seq: from, place, why }
      return
    }
    this.checkpoints.delete(key)
    this.agreed++
    course.agreed = seq
    course.doubt = undefined
  }

  /** Which of two last ones was put in, and what the last checkpoint says of a last one. */
  private undecided(): Finding | undefined {
    for (const { rival, last, doubt } of this.courses.values()) {
      if (rival) return inserted(last)
      if (doubt) return doubt
    }
    return undefined
  }

  private behindLast(): Finding | undefined {
    const { bad, current } = this
    if (!current) {
      const why = 'no line is a record'
      return bad && { what: 'edited', instance: '', seq: 1, place: bad.place, why }
    }
    const { instance, seq } = current.last.record
    const at = { instance, seq: seq + 1 }
    // One that was being written when its writer was killed; what has ended in order writes nothing more.
    const place = current.hasEnded ? bad?.place : this.notTorn()
    if (place) return { what: 'inserted', ...at, place, why: 'the line is no record' }
    return bad?.isEnded ? { what: 'edited', ...at, place: bad.place, why: NOT_ITS_HASH } : undefined
  }

  /** What the first instance says was before it, unless the last rotation says that it is the oldest that is kept. */
  private missingBefore(): Finding | undefined {
    const { beyond, kept } = this
    if (!beyond) return undefined
    const { first, finding } = beyond
    const isOldest = kept?.oldest.instance === first.instance && kept.oldest.seq === first.seq
    return isOldest ? undefined : finding
  }

  /** What a rotation says is kept, and is not here. */
  private missingAtStart(): Finding | undefined {
    const { kept, earliest } = this
    if (!kept || !earliest) return undefined
    const { oldest, place } = kept
    const course = this.courses.get(oldest.instance)
    if (course && course.first <= oldest.seq) return undefined
    const why = 'it was kept when the sidecar last began a file; give all files that there are'
    return { what: 'removed', ...oldest, place, why }
  }

  /** What a checkpoint says has been there, and is not. */
  private missingAtEnd(): Finding | undefined {
    for (const checkpoint of this.checkpoints.values()) {
      const course = this.courses.get(checkpoint.instance)
      const isOld = course ? checkpoint.seq < course.first : this.isPruned(checkpoint)
      if (!isOld) {
        return course ? this.missing(course, checkpoint) : this.missingWhole(checkpoint)
      }
    }
    return undefined
  }

  /** Whether an instance without records may have been before all that is kept. */
  private isPruned({ time }: Checkpoint): boolean {
    const { earliest } = this
    if (!earliest) return false
    const { instance, seq } = earliest.record
    const hasAll = seq === 1 && !this.beyond
    const last = this.courses.get(instance)?.last.record
    return !hasAll && last !== undefined && time <= last.time
  }

  private missing(course: Course, { instance, seq }: Checkpoint): Finding {
    const at = { instance, seq: course.last.record.seq + 1 }
    if (this.bad && course === this.current) {
      return { what: 'edited', ...at, place: this.bad.place, why: NOT_ITS_HASH }
    }
    const why = `a checkpoint says that there were ${seq} records`
    return { what: 'cut', ...at, place: course.last.place, why }
  }

  private missingWhole({ instance, seq, time }: Checkpoint): Finding {
    const at = { instance, seq: 1 }
    const isBefore = time < this.lastTime
    if (this.bad && !isBefore) {
      return { what: 'edited', ...at, place: this.bad.place, why: NOT_ITS_HASH }
    }
    const place = (isBefore ? this.earliest?.place : undefined) ?? this.lastPlace
    const why = `a checkpoint says that there were ${seq} records of this instance, and no file has one; give all files that there are, and checkpoints of their sidecar alone`
    return { what: isBefore ? 'removed' : 'cut', ...at, place, why }
  }
}
