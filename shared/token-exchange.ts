// What a server's processes get a token for that their callers' tokens are exchanged for (RFC 8693): what a workload asks for by the
// annotation `token-exchange`, held against what is listed for an issuer. Pure.

import { fail, ok, type Result } from './result.ts'

export const MAX_ITEMS = 16
const MAX_LENGTH = 1024
/** RFC 6749, section 3.3. */
const SCOPE = /^[!#-[\]-~]+$/

/** Whether it can stand in a list of annotations, and in a form. */
export const isListable = (item: string): boolean =>
  item.length <= MAX_LENGTH && /^[!-+\--~]+$/.test(item)
/** What one token is asked for. */
export type Asked = Readonly<Record<'audiences' | 'resources' | 'scopes', readonly string[]>>

const MEMBERS = { audience: 'audiences', resource: 'resources', scope: 'scopes' } as const

const isWord = (word: string): word is keyof typeof MEMBERS => Object.hasOwn(MEMBERS, word)

const isResource = (text: string): boolean => URL.canParse(text) && !text.includes('#')

const fault = (word: keyof typeof MEMBERS, value: string): string | undefined => {
  if (!isListable(value)) {
    return `${word} needs a value of printable ASCII without spaces, of up to ${MAX_LENGTH} characters`
  }
  if (word === 'scope' && !SCOPE.test(value)) return `${value} is no scope (RFC 6749, section 3.3)`
  return word === 'resource' && !isResource(value)
    ? `${value} is no resource: an absolute URI without a fragment (RFC 8693, section 2.1)`
    : undefined
}

/** What an annotation's items ask for; the error is a sentence. */
export const exchangeAsked = (texts: readonly string[]): Result<Asked, string> => {
  const asked: Record<keyof Asked, string[]> = { audiences: [], resources: [], scopes: [] }
  if (texts.length > MAX_ITEMS) return fail(`at most ${MAX_ITEMS} items`)
  for (const text of texts) {
    const [, word = '', value = ''] = /^([^=]*)=?(.*)$/s.exec(text) ?? []
    if (!isWord(word)) {
      return fail(
        `${text.slice(0, 80)} is none of audience=NAME, resource=URI and scope=NAME; such as audience=orders,scope=orders.read`,
      )
    }
    const why = fault(word, value)
    if (why !== undefined) return fail(why)
    asked[MEMBERS[word]].push(value)
  }
  return asked.audiences.length + asked.resources.length === 0
    ? fail('it needs an audience=NAME or a resource=URI: whose token would it be?')
    : ok(asked)
}

/** The items that are not listed, as the annotation has them. */
export const strangersIn = (asked: Asked, listed: Asked): readonly string[] =>
  (['audience', 'resource', 'scope'] as const).flatMap((word) => {
    const member = MEMBERS[word]
    return asked[member]
      .filter((one) => !listed[member].includes(one))
      .map((one) => `${word}=${one}`)
  })

/** A list as the annotation has it. */
export const itemsOf = (listed: Asked): readonly string[] =>
  strangersIn(listed, { audiences: [], resources: [], scopes: [] })
