// What a record of egress says, as much as is added up. What else stands there, now or in a later release, is passed over.

import * as z from 'zod/mini'
import { plural } from '../output/plural.ts'
import type { Reached } from './tally.ts'

const text = z.optional(z.string())
const count = z.optional(z.number())

/** What is told of one attempt. */
const told = {
  attempt: count,
  destination: z.object({ host: text, address: text, port: count, protocol: text }),
  how: z.string(),
  verdict: z.string(),
  rule: text,
  why: text,
  sentBytes: count,
  receivedBytes: count,
  open: z.optional(z.boolean()),
}

const schema = z.object({
  ...told,
  event: z.literal('egress'),
  server: z.string(),
  instance: z.string(),
})

type Read = z.output<typeof schema>

/** So many that go on are known again when they end; of more some are counted twice. */
const MAX_OPEN = 65_536

/** What leads nowhere in particular: kinds of sockets, and whoever came to the proxy unknown. */
const NOWHERE: Readonly<Record<string, string>> = {
  udp: 'by UDP, by which programs ask for names themselves',
  unix: 'to unix sockets',
  unknown: 'of somebody at the proxy who did not say who',
  other: 'that told no destination',
}

/** Reads records, and knows those again that were told while they went on. */
export class ReachedRecords {
  private readonly open = new Set<string>()
  /** Attempts without a destination, by what they were. */
  private readonly nowhereBy = new Map<string, number>()

  /** What was tried and is in no suggestion, since no destination could be about it; each as a sentence. */
  nowhere(): readonly string[] {
    return [...this.nowhereBy].map(
      ([what, many]) =>
        `${plural(many, 'attempt')} ${NOWHERE[what] ?? ''}: none of it can be declared`,
    )
  }

  /** Undefined where a record is about something else, or the attempt never came to a destination. */
  read(line: string): Reached | undefined {
    const found = schema.safeParse(JSON.parse(line))
    return found.success ? this.reachedIn(found.data) : undefined
  }

  /** Undefined where it never came to a destination. */
  reachedIn(record: Read): Reached | undefined {
    const {
      server,
      destination,
      how,
      verdict,
      rule,
      why,
      sentBytes = 0,
      receivedBytes = 0,
    } = record
    const { address, host = address, port = 0, protocol = 'tcp' } = destination
    const isOpen = record.open === true
    if (host === undefined) {
      this.cameNowhere(how === 'unknown' ? how : protocol)
      return undefined
    }
    return {
      server,
      host,
      port,
      protocol,
      how,
      verdict,
      rule,
      address,
      why,
      isKnown: this.isKnown(record),
      // What an open one has moved so far stands in its end, too.
      sentBytes: isOpen ? 0 : sentBytes,
      receivedBytes: isOpen ? 0 : receivedBytes,
    }
  }

  private cameNowhere(what: string): void {
    const word = Object.hasOwn(NOWHERE, what) ? what : 'other'
    this.nowhereBy.set(word, (this.nowhereBy.get(word) ?? 0) + 1)
  }

  private isKnown({ instance, attempt, open }: Read): boolean {
    if (attempt === undefined) return false
    const key = `${instance} ${attempt}`
    const isKnown = this.open.has(key)
    if (open !== true) this.open.delete(key)
    else if (this.open.size < MAX_OPEN) this.open.add(key)
    return isKnown
  }
}
