// What becomes of a line that nobody can use: whose calls fail with it, what the server is told, and what is remembered
// for the error of a call that gets no answer. It knows no call, only their ids.

import { oneLine } from '../../shared/one-line.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import { Framing } from '../mcp/framing.ts'
import { ODDITIES, type Oddity } from '../mcp/tolerance.ts'
import type { Unusable } from '../mcp/unusable.ts'

export interface Ruling {
  readonly what: Oddity
  /** Texts of the ids of the calls that fail. */
  readonly fails: readonly string[]
  /** Nothing that this server says will ever be of use: all its calls fail. */
  readonly isHopeless: boolean
  /** Why: of the server's words no more than the name of a member. */
  readonly why: string
  /** For the log, which is to hold nothing of an answer. */
  readonly seen: string
  /** How the line begins, where somebody may read it. */
  readonly start: string
  readonly isDoubtful: boolean
  /** What the server hears, where it asked. */
  readonly reply: string | undefined
}

export class Rulings {
  private readonly framing = new Framing()

  /** `hasAnswered`: the server has been understood before, so that its framing is not what is wrong. */
  on(line: Unusable, hasAnswered: boolean): Ruling {
    // What is wrong by itself has its own reason.
    const isWithin = this.framing.isOpen && line.what === 'text'
    const id = this.framing.idIn(line)
    const isHopeless = !hasAnswered && this.framing.isHeader(line)
    const what = isHopeless ? 'content-length' : isWithin ? 'several-lines' : line.what
    const fails = id === undefined ? line.names : [...line.names, id]
    const start = oneLine(line.start).trim()
    return {
      what,
      fails,
      isHopeless,
      why: reasonOf(what, line.what === what ? line.reason : undefined),
      seen: fails.length === 0 ? seenIn(start, line.reason) : line.reason,
      start: id === undefined ? start : '',
      isDoubtful: id === undefined ? line.isDoubtful : this.framing.isPrinted,
      reply: refusal(line),
    }
  }
}

/** `isPrivate`: the caller may read what the server wrote. */
export const unusableFault = (
  method: string,
  { why, start }: Ruling,
  isPrivate: boolean,
): Fault => {
  const quote = start !== '' && isPrivate ? `; it begins: ${start}` : ''
  return fault('unusable-answer', `the server's answer to ${method} cannot be used: ${why}${quote}`)
}

const seenIn = (start: string, reason: string): string =>
  start === '' ? '' : `${start} (${reason})`

/** `reason`: of the line itself; not where it is part of something that is wrong as a whole. */
const reasonOf = (what: Oddity, reason: string | undefined): string => {
  const { says, fix } = ODDITIES[what]
  if (reason === undefined) return `${says}; ${fix}`
  return what === 'unusable' || what === 'text' ? reason : `${says} (${reason}); ${fix}`
}

const refusal = ({ asks, reason }: Unusable): string | undefined => {
  if (asks === undefined) return undefined
  const error = JSON.stringify({ code: -32_600, message: `the request cannot be used: ${reason}` })
  return `{"jsonrpc":"2.0","id":${asks},"error":${Buffer.from(error).toString('latin1')}}`
}
