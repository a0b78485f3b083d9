// Ids by their text: whether one is a number of ours, and when two are the same. Pure.

import { valueAt } from './message.ts'

const OWN_NUMBER = /^[1-9]\d{0,15}$/
const NUMBER = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]\+?(-?\d+))?$/

const isString = (text: string): boolean => text.startsWith('"')
const valueOf = (text: string): string => String(valueAt(text, { start: 0, end: text.length }))

/** Equal for every spelling of the same number. */
const numberKey = (text: string): string => {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = NUMBER.exec(text) ?? []
  const digits = `${whole}${fraction}`.replace(/^0+/, '')
  const significant = digits.replace(/0+$/, '')
  if (significant === '') return '0'
  const power = BigInt(exponent) + BigInt(digits.length - significant.length - fraction.length)
  return `${sign}${significant}e${power}`
}

/** The key under which a request is remembered: equal for every spelling of the same id. */
export const idKey = (text: string): string =>
  isString(text) ? `s${valueOf(text)}` : numberKey(text)

/** The number that an id's text is, where it is spelt as we spell ours. */
export const ownNumber = (text: string): number | undefined =>
  OWN_NUMBER.test(text) ? Number(text) : undefined

/** Our progress token in the place of a client's, of its type: servers write back what they keep tokens as. */
export const tokenLike = (clientsText: string, id: number): string =>
  isString(clientsText) ? `"${id}"` : `${id}`

/**
 * The number of ours that an id's text can only mean: in another spelling, or as a string. Ours are numbers of this
 * process and nobody else's, so that the type says nothing.
 */
export const ownNumberInAnySpelling = (text: string): number | undefined => {
  const inner = isString(text) ? valueOf(text) : text
  const own = ownNumber(inner)
  if (own !== undefined) return own
  if (!NUMBER.test(inner)) return undefined
  const [significant = '', power = ''] = numberKey(inner).split('e')
  const zeros = Number(power)
  if (power === '' || zeros < 0 || significant.length + zeros > 16) return undefined
  return ownNumber(significant + '0'.repeat(zeros))
}
