// Texts that look like secrets, taken out by their shape: tokens, keys and passwords as they are commonly written, and
// numbers that are cards'. It finds what is known, and nothing else: no promise that nothing is left. Pure.

export const REMOVED = '[removed]'

const SHAPES: readonly RegExp[] = [
  // A JSON Web Token.
  /\beyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?/g,
  /\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[abeprs]-[\w-]{10,})/g,
  /\b(?:sk|pk|rk)[-_](?:live|test|proj|ant)?[-_]?[\w-]{16,}/g,
  /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g,
  /\bAIza[\w-]{30,}/g,
  /\bnpm_\w{30,}/g,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[^]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
]
/** What stands before a secret stays. */
const NAMED: readonly RegExp[] = [
  /\b((?:Bearer|Basic) +)[\w.~+/-]{8,}=*/gi,
  /(\b\w{0,32}(?:password|passwd|pwd|secret|token|api[-_]?key|credential)\w{0,16}["']?\s{0,4}[:=]\s{0,4})(?:"[^"]*"?|'[^']*'?|[^\s,;&"']+)/gi,
  /(\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s/:@]{0,64}:)[^\s/@]+(?=@)/gi,
]
const CARD = /\b\d(?:[ -]?\d){12,18}\b/g

/** The check digit of card numbers (ISO/IEC 7812-1). */
const isCard = (text: string): boolean => {
  const digits = text.replaceAll(/\D/g, '')
  let sum = 0
  for (const [index, digit] of Array.from(digits).toReversed().entries()) {
    const value = Number(digit) * (index % 2 === 1 ? 2 : 1)
    sum += value > 9 ? value - 9 : value
  }
  return sum % 10 === 0
}

/** Whether a text holds what has the form of a token or of a private key. */
export const hasSecretShape = (text: string): boolean =>
  SHAPES.some((shape) => text.search(shape) !== -1)

export const withoutSecrets = (text: string): string => {
  let clean = text
  for (const shape of SHAPES) clean = clean.replaceAll(shape, REMOVED)
  for (const shape of NAMED) clean = clean.replaceAll(shape, `$1${REMOVED}`)
  return clean.replaceAll(CARD, (number) => (isCard(number) ? REMOVED : number))
}
