// The `requestState` of a call that waits for its client: which call, until when, and a signature over that, its caller and
// what was asked, so that nobody else's request and no other takes it up.

import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { slice, type Request } from '../mcp/message.ts'

/** What may differ from one round to the next. */
const OF_THE_ROUND: ReadonlySet<string> = new Set(['_meta', 'inputResponses', 'requestState'])
const FORM = /^([\w-]{16,64})\.(\d{1,16})\.([\w-]{43})$/

/** What a state is bound to. */
export interface Bound {
  readonly principal: string
  readonly digest: string
}

/** Of the method and of all that is asked, but for the round. */
export const digestOf = ({ method, text, params }: Request): string => {
  const hash = createHash('sha256').update(JSON.stringify(method))
  const members = (params?.members ?? []).filter(({ name }) => !OF_THE_ROUND.has(name))
  for (const one of members.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    hash.update(`\0${JSON.stringify(one.name)}\0${slice(text, one)}`)
  }
  return hash.digest('base64url')
}

const macOf = (secret: Buffer, handle: string, until: string, bound: Bound): string =>
  createHmac('sha256', secret)
    .update(JSON.stringify([handle, until, bound.principal, bound.digest]))
    .digest('base64url')

export const mintState = (secret: Buffer, handle: string, untilMs: number, bound: Bound): string =>
  `${handle}.${untilMs}.${macOf(secret, handle, `${untilMs}`, bound)}`

/** The handle in a state that we have minted for this, and that has not expired. */
export const readState = (
  secret: Buffer,
  state: string,
  nowMs: number,
  bound: Bound,
): string | undefined => {
  const [, handle, until, mac] = FORM.exec(state) ?? []
  if (handle === undefined || until === undefined || mac === undefined) return undefined
  const own = Buffer.from(macOf(secret, handle, until, bound))
  const isOurs = timingSafeEqual(own, Buffer.from(mac))
  return isOurs && nowMs < Number(until) ? handle : undefined
}
