// Of a line what a chain needs, read without trust; what else stands in it is the chain's to keep, not to judge. Pure.

import * as z from 'zod/mini'
import type { Linked } from './chain.ts'

const position = z.object({ instance: z.string(), seq: z.int() })
const schema = z.object({
  ...position.shape,
  prev: z.string(),
  hash: z.string(),
  time: z.string(),
  event: z.string(),
  before: z.optional(
    z.object({
      ...position.shape,
      hash: z.string(),
      torn: z.optional(z.object({ bytes: z.int(), hash: z.string() })),
    }),
  ),
  oldest: z.optional(position),
})

export interface ReadRecord
  extends Linked, Pick<z.output<typeof schema>, 'time' | 'event' | 'before' | 'oldest'> {}

/** What an instance says of the one before it. */
export type Before = NonNullable<ReadRecord['before']>

/** Undefined where the line is no record. */
export const readLinked = (line: string): ReadRecord | undefined => {
  try {
    const read = schema.safeParse(JSON.parse(line))
    return read.success ? read.data : undefined
  } catch {
    return undefined
  }
}
