// A checkpoint: how far a chain has come, told elsewhere, so that records that were cut off at its end, or all written
// anew, are found. One line of JSON, signed (Ed25519) where there is a key.

import { sign, verify, type KeyObject } from 'node:crypto'
import * as z from 'zod/mini'
import type { Link } from './chain.ts'

const KIND = 'audit-checkpoint'

const checkpointSchema = z.strictObject({
  outrigger: z.literal(KIND),
  server: z.string(),
  instance: z.string(),
  seq: z.int(),
  hash: z.string(),
  time: z.iso.datetime(),
  signature: z.optional(z.string()),
})
export type Checkpoint = z.output<typeof checkpointSchema>

/** What is signed: every member, in a form that nothing can be read into. */
const signed = ({ server, instance, seq, hash, time }: Checkpoint): Buffer =>
  Buffer.from(JSON.stringify([KIND, server, instance, seq, hash, time]))

export const checkpointLine = (
  { instance, seq, hash }: Link,
  { server, timeMs }: { readonly server: string; readonly timeMs: number },
  key: KeyObject | undefined,
): string => {
  const time = new Date(timeMs).toISOString()
  const bare: Checkpoint = { outrigger: KIND, server, instance, seq, hash, time }
  const signature = key && sign(null, signed(bare), key).toString('base64url')
  return `${JSON.stringify({ ...bare, signature })}\n`
}

/** The checkpoint in a line of a log; undefined where it holds none. */
export const readCheckpoint = (line: string): Checkpoint | undefined => {
  const start = line.indexOf(`{"outrigger":"${KIND}"`)
  if (start === -1) return undefined
  try {
    const read = checkpointSchema.safeParse(JSON.parse(line.slice(start)))
    return read.success ? read.data : undefined
  } catch {
    return undefined
  }
}

export const isSignedBy = (checkpoint: Checkpoint, key: KeyObject): boolean =>
  checkpoint.signature !== undefined &&
  verify(null, signed(checkpoint), key, Buffer.from(checkpoint.signature, 'base64url'))
