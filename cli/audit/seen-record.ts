// What `audit tail` looks at in a record: no more than it shows or chooses by. What else stands there, now or in a later
// release, stays in the line. Pure.

import * as z from 'zod/mini'
import { isOpening } from '../../shared/audit/chain.ts'

const text = z.optional(z.string())
const count = z.optional(z.number())

const end = z.object({
  is: z.string(),
  action: text,
  code: text,
  fault: text,
  bytes: count,
  result: text,
  error: text,
})

const schema = z.object({
  instance: z.string(),
  seq: z.number(),
  time: z.iso.datetime(),
  server: z.string(),
  event: z.string(),
  hash: z.string(),
  pod: text,
  caller: z.optional(
    z.object({
      by: z.string(),
      issuer: text,
      subject: text,
      client: text,
      actors: z.optional(z.array(z.object({ issuer: text, subject: z.string() }))),
    }),
  ),
  message: z.optional(
    z.object({
      id: text,
      method: z.string(),
      tool: text,
      prompt: text,
      resource: text,
      bytes: count,
      params: text,
    }),
  ),
  decision: z.optional(z.object({ rule: text, roles: z.optional(z.array(z.string())) })),
  // Of a reload it is one word.
  outcome: z.optional(z.union([end, z.string()])),
  fault: text,
  status: count,
  rule: text,
  address: text,
  session: text,
  traceId: text,
  spanId: text,
  asserted: z.optional(z.object({ userAgent: text, client: text })),
  process: count,
  durationMs: count,
  // Of what a server reaches.
  calls: z.optional(z.array(z.number())),
  destination: z.optional(
    z.object({ host: text, address: text, port: count, protocol: z.optional(z.string()) }),
  ),
  how: text,
  verdict: text,
  sentBytes: count,
  receivedBytes: count,
  open: z.optional(z.boolean()),
  enforcement: text,
  mode: text,
  reason: text,
  cause: text,
  what: text,
  kind: text,
  name: text,
  why: text,
  action: text,
  file: text,
})

export type SeenRecord = z.output<typeof schema>

/** How a call ended; undefined of what is none. */
export const endOf = ({ outcome }: SeenRecord): z.output<typeof end> | undefined =>
  typeof outcome === 'string' ? undefined : outcome

export interface Seen {
  /** The record as it stands there. */
  readonly text: string
  readonly record: SeenRecord
}

const BEGINNING = '{"v":'

/**
 * The record in a line, also with something before it, as logs have it; undefined where there is none, and false where one
 * begins and cannot be read.
 */
export const seeRecord = (line: string): Seen | undefined | false => {
  const start = line.indexOf(BEGINNING)
  const own = start === -1 ? '' : line.slice(start).trimEnd()
  if (own === '' || !isOpening(own)) return undefined
  try {
    const read = schema.safeParse(JSON.parse(own))
    return read.success && { text: own, record: read.data }
  } catch {
    return false
  }
}
