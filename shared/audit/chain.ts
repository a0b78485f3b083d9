// The chain that records hang in. Each line ends with its own SHA-256 and holds that of the line before, so that whoever
// edits, removes or inserts one has to write all that follow anew; what finds that is a checkpoint kept elsewhere.
// The text is hashed as it stands, byte for byte: nobody has to agree on how JSON is written. Pure.

import { hash } from 'node:crypto'
import { plainJson } from '../one-line.ts'
import { VERSION, type AuditEvent } from './record.ts'

/** The last record of a chain. */
export interface Link {
  readonly instance: string
  readonly seq: number
  readonly hash: string
}

export const digest = (text: string): string => hash('sha256', text, 'base64url')

const SEAL = /,"hash":"([\w-]{43})"\}$/
/** What stands before the seal, and the brace behind it. */
const SEAL_LENGTH = `,"hash":"${'-'.repeat(43)}"}`.length
/** Of a character, in UTF-8 as it is counted here: half of one that has four. */
const MOST_BYTES = 3

export interface ChainOptions {
  readonly instance: string
  readonly server: string
  /** `NAMESPACE/NAME`, in a cluster. */
  readonly pod?: string | undefined
  /** The hash that the first record names. */
  readonly prev: string
}

/** A value as it stands in a record. */
export const jsonOf = (value: object | string): string => plainJson(JSON.stringify(value))

/** What a record says: it can wait so for its place in the chain. */
export const membersOf = (event: AuditEvent): string => jsonOf(event).slice(1, -1)

const OPENING = `{"v":${VERSION},"instance":`

/** Whether a text is how a record begins, or would. */
export const isOpening = (text: string): boolean =>
  text.startsWith(OPENING) || OPENING.startsWith(text)

/** Makes the lines of one instance. */
export class Chain {
  readonly instance: string
  private readonly head: string
  private readonly place: string
  private seq = 0
  private prev: string
  private timeMs = NaN
  /** The time, and all that stands between it and what happened. */
  private time = ''

  constructor({ instance, server, pod, prev }: ChainOptions) {
    this.instance = instance
    this.prev = prev
    this.place = JSON.stringify({ server, pod }).slice(1, -1)
    this.head = `${OPENING}${JSON.stringify(instance)},"seq":`
  }

  /** The last record that was made. */
  get last(): Link {
    return { instance: this.instance, seq: this.seq, hash: this.prev }
  }

  /** The next record, as a line with its end: what happened (`membersOf`), and when. */
  line(members: string, timeMs: number): string {
    const body = this.body(members, timeMs)
    return body + this.seal(body)
  }

  /** The same as bytes, at a place among others; returns where they end, and that place where they might have no room. */
  put(members: string, timeMs: number, to: Buffer, place: number): number {
    const body = this.body(members, timeMs)
    if (place + MOST_BYTES * body.length + SEAL_LENGTH + 1 > to.length) return place
    const end = place + to.write(body, place)
    return end + to.write(this.seal(body), end, 'latin1')
  }

  private body(members: string, timeMs: number): string {
    // Most records of a batch are of one millisecond.
    if (timeMs !== this.timeMs) {
      this.time = `","time":"${new Date(timeMs).toISOString()}",${this.place},`
    }
    this.timeMs = timeMs
    return `${this.head}${this.seq + 1},"prev":"${this.prev}${this.time}${members}`
  }

  /** Takes the record's place. */
  private seal(body: string): string {
    this.seq++
    this.prev = digest(body)
    return `,"hash":"${this.prev}"}\n`
  }
}

/** What a line has to be for its place in a chain. */
export interface Linked extends Link {
  readonly prev: string
}

/** The hash that a line bears, where it is the line's own. */
export const sealOf = (line: string): string | undefined => {
  const [, seal] = SEAL.exec(line) ?? []
  return seal !== undefined && digest(line.slice(0, -SEAL_LENGTH)) === seal ? seal : undefined
}
