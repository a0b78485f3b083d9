// Resource URIs as patterns may judge them. Servers resolve what they are given: `file:///public/../secret` begins like
// what is allowed and is something else. So only a URI that can be spelt in no other way is allowed by a pattern; any
// other is allowed by its exact text alone. Pure.

/** Longer than any that is in use. */
const MAX_URI_LENGTH = 4096

// An escape of a character that needs none, or of one that a server may take for a separator, a dot or another escape.
const ODD_ESCAPE = /%(?:2[def5]|3[0-9]|4[1-9a-f]|5[0-9acf]|6[1-9a-f]|7[0-9ae])/i
const DOT_SEGMENT = /(?:^|[/\\])\.{1,2}(?:[/\\?#]|$)/
const EMPTY_SEGMENT = /^[a-z][a-z0-9+.-]*:\/\/[^?#]*\/\//i
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const ODD_CHARACTER = /[\\\u0000- \u007F]/

const isSpeltOnce = (uri: string): boolean => {
  const parsed = URL.parse(uri)
  return parsed !== null && (parsed.href === uri || parsed.href === `${uri}/`)
}

/** Whether a URI has one spelling: no dot segments, no needless escapes, nothing that a reader would normalize. */
export const isPlainUri = (uri: string): boolean =>
  uri.length <= MAX_URI_LENGTH &&
  !ODD_ESCAPE.test(uri) &&
  !DOT_SEGMENT.test(uri) &&
  !EMPTY_SEGMENT.test(uri) &&
  !ODD_CHARACTER.test(uri) &&
  isSpeltOnce(uri)

/** A URI template (RFC 6570) as the glob of all its URIs: each expression is any text. */
export const templateGlob = (template: string): string => template.replaceAll(/\{[^{}]*\}/g, '*')
