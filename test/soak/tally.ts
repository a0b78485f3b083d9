// What came of each call, by its marker: a reply is right when it came once, under the call's own id, with the call's own words.
// Pure.

import { record, type Exchange, type Json } from './wire.ts'

export interface Expected {
  /** The call's id, and its progress token. */
  readonly id: string
  /** What its result has to say. */
  readonly words: string
  /** How many progress notifications come before it. */
  readonly progress?: number
  /** Its server dies meanwhile, so that an error under its id is right too. */
  readonly mayFail?: boolean
}

/** `answered` and `failed` as they may be; the rest is wrong, and says how. */
export type Verdict = { readonly kind: 'answered' | 'failed' | 'wrong'; readonly words: string }

const ANSWERED: Verdict = { kind: 'answered', words: '' }

const wrong = (words: string): Verdict => ({ kind: 'wrong', words })

const PROGRESS = 'notifications/progress'
const SHOWN = 200

const shown = (value: unknown): string => JSON.stringify(value)?.slice(0, SHOWN) ?? 'nothing'

const wordsOf = (answer: Json): unknown => {
  const { content } = record(answer['result'])
  return Array.isArray(content) ? record(content[0])['text'] : undefined
}

const progressFault = (notices: readonly Json[], { id, progress = 0 }: Expected) => {
  const counts = notices.map(({ params }) => record(params))
  const stranger = counts.find(({ progressToken }) => progressToken !== id)
  if (stranger) return `it heard another's progress: ${shown(stranger['progressToken'])}`
  const isWhole =
    counts.length === progress && counts.every((one, at) => one['progress'] === at + 1)
  return isWhole
    ? undefined
    : `of ${progress} progress notifications ${counts.length} came, or in another order`
}

const answerOf = (
  { status, messages }: Exchange,
  { id }: Expected,
): { readonly answer: Json } | { readonly fault: string } => {
  const answers = messages.filter((message) => message['method'] === undefined)
  const [answer] = answers
  if (answer === undefined) return { fault: `HTTP ${status} without an answer` }
  if (answers.length > 1) return { fault: `${answers.length} answers to one call` }
  if (answer['id'] !== id) {
    return {
      fault: `HTTP ${status}: the answer bears the id ${shown(answer['id'])}: ${shown(answer)}`,
    }
  }
  return { answer }
}

/** What is to be said of a call that its client has waited for. */
export const judge = (exchange: Exchange, expected: Expected): Verdict => {
  const { broken, messages } = exchange
  const { id, words, mayFail = false } = expected
  if (broken !== undefined) return wrong(`${id} was lost: ${broken}`)
  const found = answerOf(exchange, expected)
  if ('fault' in found) return wrong(`${id}: ${found.fault}`)
  const { answer } = found
  if (answer['error'] !== undefined) {
    const said = shown(answer['error'])
    return mayFail ? { kind: 'failed', words: said } : wrong(`${id} failed: ${said}`)
  }
  if (wordsOf(answer) !== words) return wrong(`${id} was told ${shown(wordsOf(answer))}`)
  const fault = progressFault(
    messages.filter(({ method }) => method === PROGRESS),
    expected,
  )
  return fault === undefined ? ANSWERED : wrong(`${id}: ${fault}`)
}
