// What lines that cannot be used are together: headers before a message, or one message over several lines. Fed with
// them in order; it keeps a few words and no line.

import type { Unusable } from './unusable.ts'

const HEADER = /^Content-Length:\s*\d+$/i
/** The lines of an HTTP message, which some servers print: then the header is one of them. */
const HEAD = /^(?:HTTP\/|[\w-]{1,64}:\s)/
/** A plain string or a number: what an id is. */
const ID = /^(?:"[^"\\\0-\x1f]{0,254}"|\d[\d.eE+-]{0,254})$/
const FIRST_ID = /"id"\s*:\s*("[^"\\\0-\x1f]{0,64}"|\d[\d.eE+-]{0,64})\s*,/
/** A member on a line of its own. */
const MEMBER = /^(\s*)"(\w{1,64})"\s*:\s*(.{1,260}?),?$/

/** What is known of a text that began on an earlier line. */
interface Open {
  /** Of its members; those deeper are none of it. */
  indent: string | undefined
  isMessage: boolean
  isAnswer: boolean
  id: string | undefined
}

const begun = (start: string): Open => ({
  indent: undefined,
  isMessage: start.includes('"jsonrpc"'),
  isAnswer: /"(?:result|error)"/.test(start),
  id: FIRST_ID.exec(start)?.[1],
})

export class Framing {
  private open: Open | undefined
  private isAfterHead = false

  /** A text that began on an earlier line goes on. */
  get isOpen(): boolean {
    return this.open !== undefined
  }

  /** Headers where a message should stand. */
  isHeader({ start }: Unusable): boolean {
    const line = start.trim()
    const isWithin = this.isAfterHead
    this.isAfterHead = HEAD.test(line)
    return HEADER.test(line) && !isWithin
  }

  /** The text of the id in an answer over several lines, once enough of it has come. */
  idIn(line: Unusable): string | undefined {
    if (line.what === 'several-lines') this.open = begun(line.start)
    else if (this.open) this.inside(this.open, line.start)
    const { open } = this
    if (!open?.isMessage || !open.isAnswer || open.id === undefined) return undefined
    // Once is enough; the rest of its lines belong to it all the same.
    open.isMessage = false
    return open.id
  }

  private inside(open: Open, line: string): void {
    const [, indent, name, value = ''] = MEMBER.exec(line) ?? []
    if (/^[{}[\]]/.test(line)) this.open = undefined
    open.indent ??= indent
    if (indent === open.indent) note(open, name, value)
  }
}

/** Takes note of one of the message's own members. */
const note = (open: Open, name: string | undefined, value: string): void => {
  if (name === 'jsonrpc') open.isMessage = true
  if (name === 'result' || name === 'error') open.isAnswer = true
  if (name === 'id' && ID.test(value)) open.id = value
}
