// Texts that look like secrets, taken out by their shape: tokens, keys and passwords as they are commonly written, and
// numbers that are cards'. It finds what is known, and nothing else: no promise that nothing is left. Its time is that of
// the text, whoever wrote it. Pure.

export const REMOVED = '[removed]'

const SHAPES: readonly RegExp[] = [
  // A JSON Web Token, or its beginning. Whatever begins so is taken whole, so that no part is looked at twice.
  /\beyJ[\w-]{8,}(?:\.[\w-]*)*/g,
  /\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[abeprs]-[\w-]{10,})/g,
  /\b(?:sk|pk|rk)[-_](?:live|test|proj|ant)?[-_]?[\w-]{16,}/g,
  /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g,
  /\bAIza[\w-]{30,}/g,
  /\bnpm_\w{30,}/g,
  /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[^]*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|$)/g,
]
/** What stands before a secret stays. */
const NAMED: readonly RegExp[] = [
  /\b((?:Bearer|Basic) +)[\w.~+/-]{8,}=*/gi,
  /(\b\w{0,32}(?:password|passwd|pwd|secret|token|api[-_]?key|credential)\w{0,16}\\?["']?\s{0,4}[:=]\s{0,4})(?:\\"(?:[^"\\]|\\(?!"))*(?:\\")?|"(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s,;&"']+)/gi,
  /(\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s/:@]{0,64}:)[^\s/@]{1,512}(?=@)/gi,
]
const DIGITS = /\b\d(?:[ -]?\d){12,}\b/g
const CARD_LENGTHS = { least: 13, most: 19 } as const

/** The check digit of card numbers (ISO/IEC 7812-1). */
const hasCheckDigit = (digits: string): boolean => {
  let sum = 0
  for (let index = 0; index < digits.length; index++) {
    const digit = digits.charCodeAt(digits.length - 1 - index) - 0x30
    const value = digit * (index % 2 === 1 ? 2 : 1)
    sum += value > 9 ? value - 9 : value
  }
  return sum % 10 === 0
}

/** Whether digits are a card's number. */
export const isCard = (digits: string): boolean =>
  digits.length >= CARD_LENGTHS.least && digits.length <= CARD_LENGTHS.most && hasCheckDigit(digits)

/** A part of a text: `end` is exclusive. */
interface Part {
  readonly start: number
  readonly end: number
}

/** The last of the groups that from the first on are a card's number. */
const lastOfCard = (groups: readonly RegExpExecArray[], first: number): number | undefined => {
  let digits = ''
  let last: number | undefined
  for (let next = first; next < groups.length && digits.length < CARD_LENGTHS.most; next++) {
    digits += groups[next]?.[0] ?? ''
    if (isCard(digits)) last = next
  }
  return last
}

/** Cards' numbers among groups of digits: each begins and ends with a group. */
const cardsIn = (text: string, offset: number): readonly Part[] => {
  const groups = [...text.matchAll(/\d+/g)]
  const found: Part[] = []
  for (let first = 0; first < groups.length; first++) {
    const last = lastOfCard(groups, first)
    const [begins, ends] = [groups[first], groups[last ?? groups.length]]
    if (last === undefined || !begins || !ends) continue
    found.push({ start: offset + begins.index, end: offset + ends.index + ends[0].length })
    first = last
  }
  return found
}

/** Tokens and keys by themselves, whatever stands before them. */
const tokensIn = (text: string): readonly Part[] =>
  SHAPES.flatMap((shape) =>
    [...text.matchAll(shape)].map(({ 0: all, index }) => ({
      start: index,
      end: index + all.length,
    })),
  )

const secretsIn = (text: string): readonly Part[] => {
  const found = [...tokensIn(text)]
  for (const shape of NAMED) {
    for (const { 0: all, 1: before = '', index } of text.matchAll(shape)) {
      found.push({ start: index + before.length, end: index + all.length })
    }
  }
  for (const { 0: all, index } of text.matchAll(DIGITS)) found.push(...cardsIn(all, index))
  return found.toSorted((one, other) => one.start - other.start)
}

/** The beginning of a JSON Web Token, which may be any JSON in base64, is none yet. */
const isToken = (text: string): boolean => !text.startsWith('eyJ') || /\.[\w-]{4,}/.test(text)

/** Whether a text holds what has the form of a token or of a private key: what would be taken out of it, wherever that stands. */
export const hasSecretShape = (text: string): boolean =>
  tokensIn(text).some(({ start, end }) => isToken(text.slice(start, end)))

const KEY_MARK = /-----(BEGIN|END) [A-Z ]{0,40}PRIVATE KEY-----/g

/** Whether a private key goes on behind a line, by whether one did before it. */
export const hasOpenKey = (line: string, before: boolean): boolean => {
  const last = [...line.matchAll(KEY_MARK)].at(-1)
  return last ? last[1] === 'BEGIN' : before
}

/** The text with what stands in the place of each secret: by default a word. */
export const withoutSecrets = (
  text: string,
  inPlace: (secret: string) => string = () => REMOVED,
): string => {
  const parts: string[] = []
  let done = 0
  let open: Part | undefined
  const close = (): void => {
    if (!open) return
    parts.push(text.slice(done, open.start), inPlace(text.slice(open.start, open.end)))
    done = open.end
  }
  for (const one of secretsIn(text)) {
    if (open && one.start < open.end) {
      open = { start: open.start, end: Math.max(open.end, one.end) }
      continue
    }
    close()
    open = one
  }
  close()
  return done === 0 && parts.length === 0 ? text : parts.join('') + text.slice(done)
}
