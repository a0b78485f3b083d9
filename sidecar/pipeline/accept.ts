// What a client can be answered with, as its Accept header says (RFC 9110, section 12.5.1). Clients of Streamable HTTP list
// both types; of one that lists a single one that one is all it gets. Pure.

import type { ReplyForm } from '../http/reply.ts'

/** What the official clients send. */
export const BOTH = 'application/json, text/event-stream'

export const accepts = (accept: string, type: string): boolean =>
  accept.split(',').some((range) => {
    const [media = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    const isRefused = parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter))
    return !isRefused && (media === type || media === '*/*' || media === `${type.split('/')[0]}/*`)
  })

/** Nothing, or a list of nothing: whatever there is. */
const isAnything = (accept: string | undefined): boolean =>
  accept === undefined || accept.trim() === ''

/** The forms of the answer to a POST; undefined where there is none that the client takes. */
export const replyForm = (accept: string | undefined): ReplyForm | undefined => {
  if (accept === undefined || accept === BOTH || isAnything(accept)) return 'either'
  const [json, stream] = [accepts(accept, 'application/json'), accepts(accept, 'text/event-stream')]
  if (json) return stream ? 'either' : 'json'
  return stream ? 'stream' : undefined
}

/** Whether the answer to a GET, which is an event stream, is one that the client takes. */
export const takesStream = (accept: string | undefined): boolean =>
  accept === undefined || isAnything(accept) || accepts(accept, 'text/event-stream')
