// The head of a CONNECT as nearly everybody writes it, read at once: a parser that can take it in pieces costs as much as all that
// follows. Whatever is not quite usual is left to Node's, which says what is wrong with it. Never more than that one takes. Pure.

import type { RawHeaders } from './request-target.ts'

export interface ConnectHead {
  readonly url: string
  readonly rawHeaders: RawHeaders
}

const METHOD = 'CONNECT '
export const HEAD_END = '\r\n\r\n'
/** Usual ones have 100 to 400. */
const MAX_BYTES = 2048

const REQUEST_LINE = /^CONNECT ([!-~]+) HTTP\/1\.1$/
/**
 * RFC 9110, section 5.1 and, without what is obsolete there, 5.5. Nothing in it can match in two ways, so that no line, however it
 * is written, is gone over twice; white space around a value is none of it, and is taken away afterwards.
 */
const FIELD = /^([!#$%&'*+\-.^_`|~\dA-Za-z]+):([\t -~]*)$/
/** With these it says how a body is framed, or is another kind of request. */
const UNUSUAL = /^(?:content-length|transfer-encoding|upgrade|expect)$/i

/** Names and values by turns; undefined where one line is unusual, or none is Host. */
const fieldsIn = (lines: readonly string[]): RawHeaders | undefined => {
  const fields: string[] = []
  let hasHost = false
  for (const line of lines) {
    const [, name, value = ''] = FIELD.exec(line) ?? []
    if (name === undefined || UNUSUAL.test(name)) return undefined
    hasHost ||= name.toLowerCase() === 'host'
    // Of all white space none but these two is in a field: space and tab.
    fields.push(name, value.trim())
  }
  return hasHost ? fields : undefined
}

/** The head that bytes begin with, without its end, each byte a character; undefined where it is no CONNECT's, or not there as a whole. */
export const connectHeadIn = (bytes: Buffer): string | undefined => {
  if (bytes.toString('latin1', 0, METHOD.length) !== METHOD) return undefined
  const text = bytes.toString('latin1', 0, MAX_BYTES)
  const end = text.indexOf(HEAD_END)
  return end === -1 ? undefined : text.slice(0, end)
}

/** Undefined where it is for another reader. */
export const readConnectHead = (text: string): ConnectHead | undefined => {
  const [first = '', ...lines] = text.split('\r\n')
  const [, url] = REQUEST_LINE.exec(first) ?? []
  const rawHeaders = url === undefined ? undefined : fieldsIn(lines)
  return url === undefined || !rawHeaders ? undefined : { url, rawHeaders }
}
