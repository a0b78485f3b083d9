// Which request of ours a text names that is an answer in another notation than JSON's, as a language prints its own
// objects (Python, Ruby, JavaScript, Go, Kotlin), or an answer within a string or another object. It may as well be logged,
// so that it is doubtful always. Pure.

/** The first and the last of a text, in which those members stand. */
const PART_BYTES = 1024

const QUOTE = `\\\\?["']?`
const IS = `${QUOTE}\\s{0,8}(?::|=>|=)\\s{0,8}:?${QUOTE}`
const NEXT = `${QUOTE}[,;\\s]\\s{0,8}:?${QUOTE}`
const VERSION = `jsonrpc${IS}2\\.0`
const ID = `\\bid${IS}(\\d{1,16})\\b`
/** The id beside the version, or the message's last member: behind two brackets it may be another's. */
const BESIDE = [new RegExp(`${VERSION}${NEXT}${ID}`), new RegExp(`${ID}${NEXT}${VERSION}`)]
const AT_END = new RegExp(`${ID}${QUOTE}\\s{0,8}[}\\])]["']?\\s{0,8}$`)
const IS_MESSAGE = new RegExp(VERSION)
const IS_ANSWER = new RegExp(`\\b(?:result|error)${IS}`)

/** Its id's text, if any. */
export const namedInNotation = (text: string): readonly string[] => {
  const [front, end] = [text.slice(0, PART_BYTES), text.slice(-PART_BYTES)]
  if (!IS_MESSAGE.test(front) || !(IS_ANSWER.test(front) || IS_ANSWER.test(end))) return []
  for (const pattern of BESIDE) {
    const id = pattern.exec(front)?.[1]
    if (id !== undefined) return [id]
  }
  const last = AT_END.exec(end)?.[1]
  return last === undefined ? [] : [last]
}
