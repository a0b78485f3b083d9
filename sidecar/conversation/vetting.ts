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

/** One after the other. */
const together = (parts: readonly Vetting[]): Vetting => ({
  over: (channel) => {
    const all = parts.map((one) => one.over(channel))
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
export const vettingOf = (parts: readonly (Vetting | undefined)[]): Vetting | undefined => {
  const there = parts.filter((one) => one !== undefined)
  return there.length === 0 ? undefined : there.length === 1 ? there[0] : together(there)
}
