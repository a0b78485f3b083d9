// JSON as a record may hold it: what is secret by its place, its name or its shape is left out, what is long is cut, and all
// else stands as it came, numbers to the letter. One pass over text that has been scanned before; its time is that of the
// text, whoever wrote it. Pure.

import { isCard, withoutSecrets } from '../../../shared/audit/secrets.ts'
import type { Marks } from './marks.ts'
import type { SecretNames } from './secret-names.ts'
import { itemShapes, memberShapes, type Shape } from './shape.ts'

/** The whole is no longer, but for the marks of what was left out. */
export const MAX_CONTENT = 8 * 1024
/** A longer text is cut, to so much of its beginning and end. */
const MAX_TEXT = 1024
const HEAD = 512
const TAIL = 128
/** Of a text the first and last so much is looked at; what is further in stands in no record. */
const WINDOW = 16 * 1024
/** Of all texts together so much is looked at; of the rest no record holds anything but sizes. */
const MAX_LOOKED_AT = 128 * 1024
const MAX_NAME = 128

/** What is deeper is cut: a text that is JSON has been scanned by nobody. */
const MAX_DEPTH = 128
const JSON_START = /^\s*[[{]/
/** Each costs an exception. */
const MAX_MISTAKEN = 256

/** A longer number is no number that anybody means. */
const MAX_NUMBER = 64

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OBJECT = 0x7b
const OBJECT_END = 0x7d
const ARRAY = 0x5b
const ARRAY_END = 0x5d
const COMMA = 0x2c
const COLON = 0x3a
const SPACE = 0x20

export interface RedactionRules {
  readonly marks: Marks
  readonly names: SecretNames
}

const isGap = (code: number): boolean => code <= SPACE || code === COMMA || code === COLON

/** Whether a number's digits are a card's, however the number is written. */
const isCardNumber = (number: string): boolean => {
  const [mantissa = ''] = number.split(/[eE]/, 1)
  const [whole = ''] = mantissa.replace('-', '').split('.', 1)
  return isCard(whole) || isCard(mantissa.replaceAll(/\D/g, ''))
}

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** What ends a line for whoever writes logs. */
const LINE_END = /\r\n?|\n/

/** A line as JSON: without space, and without the comma of an item among others. */
const ownOf = (line: string): string => {
  const own = line.trim()
  return own.endsWith(',') ? own.slice(0, -1).trimEnd() : own
}

/** Whether a line begins and ends as JSON. By no pattern: what is space to one and ends its lines, as U+2028, is tried from each on. */
const isJsonLine = (line: string): boolean => {
  const own = ownOf(line)
  return (own.startsWith('{') || own.startsWith('[')) && (own.endsWith('}') || own.endsWith(']'))
}

const hasJsonLine = (text: string): boolean => text.split(LINE_END).some(isJsonLine)

/** The beginning of a long text, without a line of JSON that does not end there. */
const headOf = (text: string): string => {
  const head = text.slice(0, WINDOW)
  const last = Math.max(head.lastIndexOf('\n'), head.lastIndexOf('\r')) + 1
  return JSON_START.test(head.slice(last)) ? head.slice(0, last) : head
}

/** Its end. A word that began before is not shown: it may be the end of something; nor a line, where lines are JSON. */
const tailOf = (text: string): string => {
  const tail = text.slice(-WINDOW)
  const hasJson = JSON_START.test(text) || hasJsonLine(text.slice(0, WINDOW)) || hasJsonLine(tail)
  const next = tail.search(LINE_END) + 1
  if (hasJson) return next === 0 ? '' : tail.slice(next)
  return tail.replace(/^\S*/, '')
}

class Redaction {
  private readonly text: string
  private readonly rules: RedactionRules
  private readonly leftOut: string | undefined
  /** The text stood in another one. */
  private readonly isInner: boolean
  private position = 0
  private readonly parts: string[] = []
  private length = 0
  private lookedAt = 0
  /** Lines that looked like JSON and are none. */
  private mistaken = 0

  constructor(text: string, rules: RedactionRules, leftOut?: string, isInner = false) {
    this.text = text
    this.rules = rules
    this.leftOut = leftOut
    this.isInner = isInner
  }

  whole(shapes: readonly Shape[]): string {
    this.gap()
    this.value(shapes, 0)
    return this.parts.join('')
  }

  private get code(): number {
    return this.text.charCodeAt(this.position)
  }

  private put(text: string): void {
    this.parts.push(text)
    this.length += text.length
  }

  /** Over space, and what stands between names and values. */
  private gap(): void {
    while (isGap(this.code)) this.position++
  }

  /** Whether another member or item follows. */
  private hasNext(end: number): boolean {
    this.gap()
    const isOver = this.code === end || this.position >= this.text.length
    if (isOver) this.position++
    return !isOver
  }

  private value(shapes: readonly Shape[], depth: number): void {
    if (shapes.some(({ isSecret }) => isSecret)) this.secret()
    else if (depth > MAX_DEPTH) this.put(JSON.stringify(this.rules.marks.cut(this.skip())))
    else if (this.code === OBJECT) this.object(shapes, depth)
    else if (this.code === ARRAY) this.array(shapes, depth)
    else if (this.code === QUOTE) this.put(JSON.stringify(this.shown(this.string(), shapes)))
    else this.scalar()
  }

  private object(shapes: readonly Shape[], depth: number): void {
    this.put('{')
    this.position++
    let between = ''
    while (this.hasNext(OBJECT_END)) {
      if (this.length > MAX_CONTENT) {
        this.rest(`${between}"[cut]":`)
        break
      }
      const name = this.string()
      this.gap()
      if (depth === 0 && name === this.leftOut) {
        this.skip()
        continue
      }
      this.put(`${between}${JSON.stringify(this.named(name))}:`)
      between = ','
      if (this.rules.names.has(name)) this.secret()
      else this.value(memberShapes(shapes, name), depth + 1)
    }
    this.put('}')
  }

  private array(shapes: readonly Shape[], depth: number): void {
    this.put('[')
    this.position++
    const own = itemShapes(shapes)
    let between = ''
    while (this.hasNext(ARRAY_END)) {
      this.put(between)
      between = ','
      if (this.length > MAX_CONTENT) {
        this.rest('')
        break
      }
      this.value(own, depth + 1)
    }
    this.put(']')
  }

  private scalar(): void {
    const raw = this.skip()
    if (raw.length > MAX_NUMBER) this.put(JSON.stringify(this.rules.marks.cut(raw)))
    else if (isCardNumber(raw)) this.put(JSON.stringify(this.rules.marks.redacted(raw)))
    else this.put(raw)
  }

  /** What says only whether there is something stays. */
  private secret(): void {
    const isText = this.code === QUOTE
    const text = isText ? this.string() : this.skip()
    const isShown = !isText && (text === 'null' || text === 'true' || text === 'false')
    this.put(isShown ? text : JSON.stringify(this.rules.marks.redacted(text)))
  }

  /** The rest of an object or array, which ends with it. */
  private rest(before: string): void {
    const from = this.position
    this.close(1)
    const text = this.text.slice(from, this.position - 1)
    this.put(`${before}${JSON.stringify(this.rules.marks.cut(text))}`)
  }

  private named(name: string): string {
    return withoutSecrets(
      name.length > MAX_NAME ? name.slice(0, MAX_NAME).toWellFormed() : name,
      (secret) => this.rules.marks.redacted(secret),
    )
  }

  private shown(text: string, shapes: readonly Shape[]): string {
    const mayBeJson = JSON_START.test(text)
    this.lookedAt += mayBeJson ? text.length : Math.min(text.length, 2 * WINDOW)
    if (this.lookedAt > MAX_LOOKED_AT) return this.rules.marks.cut(text)
    return mayBeJson && isJson(text) ? this.inner(text, shapes) : this.plain(text, shapes)
  }

  /** A text that is JSON is a copy of what stands elsewhere as such: the same is left out. Once, and then all of it. */
  private inner(text: string, shapes: readonly Shape[]): string {
    const { rules } = this
    if (this.isInner) return rules.marks.redacted(text)
    const all = new Redaction(text, rules, undefined, true).whole(shapes)
    return all.length <= MAX_TEXT
      ? all
      : `${all.slice(0, HEAD)}${rules.marks.cut(text)}${all.slice(-TAIL)}`.toWellFormed()
  }

  private plain(text: string, shapes: readonly Shape[]): string {
    const { marks } = this.rules
    const isWhole = text.length <= 2 * WINDOW
    const all = isWhole ? this.clean(text, shapes) : ''
    if (isWhole && all.length <= MAX_TEXT) return all
    const head = isWhole ? all : this.clean(headOf(text), shapes)
    const tail = isWhole ? all : this.clean(tailOf(text), shapes)
    return `${head.slice(0, HEAD)}${marks.cut(text)}${tail.slice(-TAIL)}`.toWellFormed()
  }

  /** Lines that are JSON, as those of logs and of NDJSON are, by what they are; of others what has a secret's form. */
  private clean(text: string, shapes: readonly Shape[]): string {
    const bare = (part: string): string =>
      withoutSecrets(part, (secret) => this.rules.marks.redacted(secret))
    if (!hasJsonLine(text)) return bare(text)
    const cleaned: string[] = []
    // A private key is of several.
    let others: string[] = []
    const closeOthers = (): void => {
      if (others.length > 0) cleaned.push(bare(others.join('\n')))
      others = []
    }
    for (const line of text.split(LINE_END)) {
      const own = isJsonLine(line) ? this.jsonLine(line, shapes) : undefined
      if (own === undefined) {
        others.push(line)
        continue
      }
      closeOthers()
      cleaned.push(own)
    }
    closeOthers()
    return cleaned.join('\n')
  }

  /** Undefined of what only looks like it; of too many such lines nobody can tell. */
  private jsonLine(line: string, shapes: readonly Shape[]): string | undefined {
    if (this.mistaken > MAX_MISTAKEN) return this.rules.marks.cut(line)
    const own = ownOf(line)
    if (isJson(own)) return this.inner(own, shapes) + (own === line.trim() ? '' : ',')
    this.mistaken++
    return undefined
  }

  /** The string that begins here. */
  private string(): string {
    const raw = this.skip()
    return raw.includes('\\') ? String(JSON.parse(raw)) : raw.slice(1, -1)
  }

  /** The value that begins here, as it stands. */
  private skip(): string {
    const from = this.position
    const { code } = this
    if (code === QUOTE) this.skipString()
    else if (code === OBJECT || code === ARRAY) this.close(0)
    else this.skipScalar()
    return this.text.slice(from, this.position)
  }

  private skipScalar(): void {
    const { text } = this
    while (this.position < text.length && !isGap(this.code)) {
      if (this.code === OBJECT_END || this.code === ARRAY_END) return
      this.position++
    }
  }

  private skipString(): void {
    const { length } = this.text
    for (this.position++; this.position < length && this.code !== QUOTE; this.position++) {
      if (this.code === BACKSLASH) this.position++
    }
    this.position++
  }

  /** Behind the bracket that closes so many that are open. */
  private close(open: number): void {
    let depth = open
    do {
      const { code } = this
      if (code === QUOTE) {
        this.skipString()
        continue
      }
      if (code === OBJECT || code === ARRAY) depth++
      else if (code === OBJECT_END || code === ARRAY_END) depth--
      this.position++
    } while (depth > 0 && this.position < this.text.length)
  }
}

/** `leftOut`: a member of the outermost object that stands elsewhere, or says nothing. */
export const redacted = (
  text: string,
  shapes: readonly Shape[],
  rules: RedactionRules,
  leftOut?: string,
): string => new Redaction(text, rules, leftOut).whole(shapes)
