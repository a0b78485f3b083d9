// Values of `Mcp-*` headers: plain visible ASCII, or UTF-8 in the form `=?base64?…?=` (SEP-2243). Pure.

/** A request header's value, by lower-case name; undefined where it is absent. */
export type HeaderOf = (name: string) => string | undefined

const ENCODED = /^=\?base64\?(.*)\?=$/
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
const PLAIN = /^[\t\x20-\x7e]*$/
/** Without white space at its ends, which HTTP takes off. */
const AS_IT_IS = /^[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?$/
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The text that a header value stands for; undefined where its characters or encoding are wrong. */
export const decodeHeader = (value: string): string | undefined => {
  if (!PLAIN.test(value)) return undefined
  const encoded = ENCODED.exec(value)?.[1]
  if (encoded === undefined) return value
  if (!BASE64.test(encoded)) return undefined
  try {
    return UTF8.decode(Buffer.from(encoded, 'base64'))
  } catch {
    return undefined
  }
}

/** The header value that stands for a text. */
export const encodeHeader = (text: string): string =>
  AS_IT_IS.test(text) && !ENCODED.test(text)
    ? text
    : `=?base64?${Buffer.from(text).toString('base64')}?=`
