// What a legacy server asks of the client of the one call that it has, as the modern era has it: in the call's answer, each
// under a key of ours; and what the client says to that, as the server waits for it.

import type { Lease as Room } from '../bytes/budget.ts'
import { scan } from '../json/scan.ts'
import { mayNotAsk, type QuestionEnd } from '../legacy/questions.ts'
import { member, slice, type Request } from '../mcp/message.ts'
import { idKey } from '../mcp/own-id.ts'
import { jsonText, readAgain } from './own-text.ts'

/** Most questions of one call that wait, and most bytes of them. */
const MOST = 16
const MAX_BYTES = 1024 * 1024

/** Where a question goes, and who hears how it ends. */
interface Open {
  readonly idText: string
  readonly method: string
  /** `method` and `params`, JSON text. */
  readonly text: string
  readonly watch: QuestionEnd | undefined
}

const textOf = ({ method, envelope, text }: Request): string => {
  const params = member(envelope, 'params')
  const said = params ? `,"params":${slice(text, params)}` : ''
  return `{"method":${jsonText(method)}${said}}`
}

/** What a client is asked, JSON text; deeper than it came. */
export const askedText = (idText: string, requests: string, state: string): string =>
  `{"jsonrpc":"2.0","id":${idText},"result":{"resultType":"input_required","inputRequests":${requests},"requestState":"${state}"}}`

/** Whether a client can read it: it may be as deep as a message may be, or bear a name twice where we did not look. */
const isReadable = (text: string): boolean =>
  readAgain(askedText('1', `{"1":${text}}`, '')) !== undefined

/** What a request brings, by key. */
const broughtBy = ({ text, params }: Request): readonly (readonly [string, string])[] => {
  const place = member(params, 'inputResponses')
  const part = place ? slice(text, place) : ''
  const scanned = part.startsWith('{') ? scan(part, false) : undefined
  if (!scanned?.ok || scanned.value.kind === 'array') return []
  const brought = scanned.value.object.members.map((one) => [one.name, slice(part, one)] as const)
  return brought.filter(([, value]) => value.startsWith('{'))
}

export class Questions {
  private readonly room: Room
  private readonly open = new Map<string, Open>()
  private count = 0

  /** `room`: for what is kept of them. */
  constructor(room: Room) {
    this.room = room
  }

  get size(): number {
    return this.open.size
  }

  /** Whether one can be put; false also where there is no room for it. */
  takes(message: Request): boolean {
    const text = textOf(message)
    const bytes = this.bytes + text.length
    const isBounded = this.open.size < MOST && bytes <= MAX_BYTES
    return isBounded && isReadable(text) && this.room.keep(bytes)
  }

  /** Of one that is taken. */
  add(message: Request, watch: QuestionEnd | undefined): void {
    const idText = slice(message.text, message.id)
    this.open.set(`input-${++this.count}`, {
      idText,
      method: message.method,
      text: textOf(message),
      watch,
    })
  }

  /** `inputRequests`, JSON text. */
  text(): string {
    return `{${[...this.open].map(([key, { text }]) => `"${key}":${text}`).join(',')}}`
  }

  /** What the client's answers say to the server, a message each; those that are none are asked for again. */
  answered(request: Request): readonly string[] {
    const messages: string[] = []
    for (const [key, value] of broughtBy(request)) {
      const question = this.open.get(key)
      const message = `{"jsonrpc":"2.0","id":${question?.idText ?? 0},"result":${value}}`
      const response = question && readAgain(message)
      if (response?.kind !== 'response') continue
      this.open.delete(key)
      question?.watch?.end(undefined, response)
      messages.push(message)
    }
    this.shrink()
    return messages
  }

  /** Those that may not be put any more: what the server hears, for each. */
  denied(mayBeAsked: (method: string) => boolean): readonly string[] {
    const denied = [...this.open].filter(([, { method }]) => !mayBeAsked(method))
    return denied.map(([key, { idText, watch }]) => {
      this.drop(key)
      watch?.end('denied')
      return mayNotAsk(idText)
    })
  }

  /** The server does not want to know any more. */
  takenBack(idText: string): void {
    for (const [key, one] of this.open) {
      if (idKey(one.idText) !== idKey(idText)) continue
      this.drop(key)
      one.watch?.end('cancelled')
    }
  }

  /** Nobody will answer: what the server hears, for each. */
  end(errorType: 'timeout' | 'cancelled'): readonly string[] {
    const all = [...this.open.values()]
    this.open.clear()
    this.shrink()
    return all.map(({ idText, watch }) => {
      watch?.end(errorType)
      return `{"jsonrpc":"2.0","id":${idText},"error":{"code":-32001,"message":"the client has not answered"}}`
    })
  }

  private drop(key: string): void {
    this.open.delete(key)
    this.shrink()
  }

  private get bytes(): number {
    let sum = 0
    for (const { text } of this.open.values()) sum += text.length
    return sum
  }

  private shrink(): void {
    if (this.open.size === 0) this.room.release()
  }
}
