// What a server's own words are held against, where something is: a tool lock, the schemas of its tools. Asked before a
// request goes to the server, and of what the server answers. Where there is nothing of it, nobody makes one.

import type { Fault } from '../mcp/faults.ts'
import type { Notification, Request } from '../mcp/message.ts'
import type { Envelope } from '../server/link.ts'
import { ok, type Result } from '../../shared/result.ts'
import type { Caller } from './call.ts'
import type { Channel } from './channel.ts'

/** How a server is asked in a caller's stead. */
export interface AskTerms {
  /** Of the modern era; undefined in the legacy one. */
  readonly version?: string | undefined
  /** A caller's own, where any go on: then the server may answer each caller otherwise, and nothing is kept. */
  readonly headers?: Envelope['headers'] | undefined
}

/** A promise only where the process has to be asked first; undefined: it goes on. */
export type Checked = Fault | undefined | Promise<Fault | undefined>

/** One server process. */
export interface Vetted {
  check(request: Request, terms?: AskTerms): Checked
  /** Whether a notification goes no further. */
  drops(message: Notification): boolean
  /** The caller, who hears of nothing that is hidden. */
  hears(caller: Caller, method: string): Caller
  /** The server says that a list has changed. */
  changed(): void
}

/** A list of the server's that is being asked for, all pages of it. */
export interface Reading {
  /** Takes an answer; its value is where the next page begins. */
  take(answer: string): Result<string | undefined, Fault>
  /** That was all of it. */
  done(): void
}

/** One of several that hold the same process's words against something. */
export interface VettedPart extends Vetted {
  /** Hears of a list that another of them has asked for; undefined where it has no use for it. */
  reading(method: string): Reading | undefined
}

export interface VettingPart {
  /** `beside`: the others of the same process. */
  over(channel: Channel, beside: () => readonly VettedPart[]): VettedPart
  first(method: string, answer: string): Result<string, Fault>
}

export interface Vetting {
  over(channel: Channel): Vetted
  /** The answer to `initialize` or `server/discover` without what is hidden. */
  first(method: string, answer: string): Result<string, Fault>
}

const inTurn = (
  [first, ...rest]: readonly Vetted[],
  request: Request,
  terms: AskTerms | undefined,
): Checked => {
  if (!first) return undefined
  const found = first.check(request, terms)
  return found instanceof Promise
    ? found.then((refused) => refused ?? inTurn(rest, request, terms))
    : (found ?? inTurn(rest, request, terms))
}

/** One after the other. What one asks the server for, all hear of. */
const together = (parts: readonly VettingPart[]): Vetting => ({
  over: (channel) => {
    const all: readonly VettedPart[] = parts.map((part, index) =>
      part.over(channel, () => all.toSpliced(index, 1)),
    )
    return {
      check: (request, terms) => inTurn(all, request, terms),
      drops: (message) => all.some((one) => one.drops(message)),
      hears: (caller, method) => all.reduceRight((heard, one) => one.hears(heard, method), caller),
      changed: () => {
        for (const one of all) one.changed()
      },
    }
  },
  first: (method, answer) =>
    parts.reduce<Result<string, Fault>>(
      (seen, one) => (seen.ok ? one.first(method, seen.value) : seen),
      ok(answer),
    ),
})

/** What of several is there; undefined where nothing is. */
export const vettingOf = (parts: readonly (VettingPart | undefined)[]): Vetting | undefined => {
  const there = parts.filter((one) => one !== undefined)
  return there.length === 0 ? undefined : together(there)
}
