// What lines that cannot be used are together: headers before a message, or one message over several lines, be it JSON or
// an object as a language prints its own (JavaScript, Python, Ruby). Fed with them in order; it keeps a few words and no line.

import type { Unusable } from './unusable.ts'

const HEADER = /^Content-Length:\s*\d+$/i
/** The lines of an HTTP message, which some servers print: then the header is one of them. */
const HEAD = /^(?:HTTP\/|[\w-]{1,64}:\s)/
/** The only other header of that framing, as it is written there: it may stand first. */
const TYPE = /^Content-Type: application\/(?:[\w.-]{1,64}-)?json/
/** A plain string or a number: what an id is. */
const ID = /^(?:"[^"\\\0-\x1f]{0,254}"|\d[\d.eE+-]{0,254})$/
const FIRST_ID = /"id"\s*:\s*("[^"\\\0-\x1f]{0,64}"|\d[\d.eE+-]{0,64})\s*,/
/** A member on a line of its own, its name as JSON has it or as a language does. */
const MEMBER =
  /^(\s*)(?:"(\w{1,64})"\s*:|[':]?(\w{1,64})'?\s*(?::|=>)|"(\w{1,64})"\s*=>)\s*(.{1,260}?),?$/
/** An object of a language's begins: alone, behind the name of its class, or with its first member. */
const OPENS =
  /^(?:[A-Z[][\w[\]<>:]{0,64}(?: [\w[\]<>:]{1,64}){0,3} \{$|\{['":]?\w{1,64}['"]?\s*(?::|=>).*[,{[]$)/

/** What is known of a text that began on an earlier line. */
interface Open {
  /** Of its members; those deeper are none of it. */
  indent: string | undefined
  isMessage: boolean
  isAnswer: boolean
  id: string | undefined
  /** It is no JSON: an object that is printed, and may be logged. */
  isPrinted: boolean
}

const begun = (start: string): Open => ({
  indent: undefined,
  isMessage: start.includes('"jsonrpc"'),
  isAnswer: /"(?:result|error)"/.test(start),
  id: FIRST_ID.exec(start)?.[1],
  isPrinted: false,
})

export class Framing {
  private open: Open | undefined
  private isAfterHead = false

  /** A text that began on an earlier line goes on. */
  get isOpen(): boolean {
    return this.open !== undefined
  }

  /** What goes on may be no answer, but a log's. */
  get isPrinted(): boolean {
    return this.open?.isPrinted === true
  }

  /** Headers where a message should stand. */
  isHeader({ start }: Unusable): boolean {
    const line = start.trim()
    const isWithin = this.isAfterHead
    this.isAfterHead = HEAD.test(line) && (isWithin || !TYPE.test(line))
    return HEADER.test(line) && !isWithin
  }

  /** The text of the id in an answer over several lines, once enough of it has come. */
  idIn(line: Unusable): string | undefined {
    if (line.what === 'several-lines') this.open = begun(line.start)
    else if (line.what === 'text' && OPENS.test(line.start)) this.beginPrinted(line.start)
    else if (this.open) this.inside(this.open, line.start)
    const { open } = this
    if (!open?.isMessage || !open.isAnswer || open.id === undefined) return undefined
    // Once is enough; the rest of its lines belong to it all the same.
    open.isMessage = false
    return open.id
  }

  private beginPrinted(start: string): void {
    const open = begun('')
    this.open = open
    if (start.startsWith('{')) this.inside(open, ` ${start.slice(1)}`)
  }

  private inside(open: Open, line: string): void {
    const [, indent, name, bare, hashed, value = ''] = MEMBER.exec(line) ?? []
    if (/^[{}[\]]/.test(line)) this.open = undefined
    open.indent ??= indent
    if (indent !== open.indent) return
    if (name === undefined) open.isPrinted ||= indent !== undefined
    note(open, name ?? bare ?? hashed, value)
  }
}

/** Takes note of one of the message's own members. */
const note = (open: Open, name: string | undefined, value: string): void => {
  if (name === 'jsonrpc') open.isMessage = true
  if (name === 'result' || name === 'error') open.isAnswer = true
  if (name === 'id') open.id = idOf(value) ?? open.id
}

/** Printed, it may be the last before the brackets, and in other quotes. */
const idOf = (value: string): string | undefined => {
  const id = value.replace(/\s?\}$/, '').replace(/^'(.*)'$/, '"$1"')
  return ID.test(id) ? id : undefined
}
