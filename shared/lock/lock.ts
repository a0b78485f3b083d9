// A tool lock, from its text to what is held against a server's lists: on failure every fault at once, with line and
// column. Pure.

import type { PlacedFault } from '../placed-fault.ts'
import { fail, ok, type Result } from '../result.ts'
import { schemaFaults, type SchemaFault } from '../schema-words.ts'
import { atOnce, type Sliced } from '../slices.ts'
import { placed, readPlacedSliced } from '../yaml-places.ts'
import type { Definition } from './digest.ts'
import { LOCKED_KINDS, type LockedKind } from './kinds.ts'
import { lockSchema, MAX_LOCK_LENGTH, type LockDocument } from './schema.ts'

/** Definitions by name, or by URI. */
export type Locked = ReadonlyMap<string, Definition>

export interface Lock {
  /** What differs is told, and goes on. */
  readonly isReport: boolean
  /** A digest, or `none`; undefined where instructions are not locked. */
  readonly instructions: string | undefined
  /** The kinds that are locked. */
  readonly kinds: ReadonlyMap<LockedKind, Locked>
}

/** More are not told at once. */
const MAX_FAULTS = 50

export const lockOf = (document: LockDocument): Lock => ({
  isReport: document.mode === 'report',
  instructions: document.instructions,
  kinds: new Map(
    LOCKED_KINDS.flatMap((kind) => {
      const items = document[kind]
      if (items === undefined) return []
      const locked = Object.entries(items).map(
        ([name, members]) => [name, new Map(Object.entries(members))] as const,
      )
      return [[kind, new Map(locked)] as const]
    }),
  ),
})

/** Checks a document that has been parsed from YAML or JSON. */
export const checkLock = (document: unknown): Result<Lock, readonly SchemaFault[]> => {
  const shape = lockSchema.safeParse(document)
  if (shape.success) return ok(lockOf(shape.data))
  const issues = shape.error.issues.slice(0, MAX_FAULTS)
  return fail(schemaFaults(lockSchema, document, issues).slice(0, MAX_FAULTS))
}

/** Reads a lock's text (YAML, of which JSON is a part). */
export function* readLockSliced(text: string): Sliced<Result<Lock, readonly PlacedFault[]>> {
  if (text.length > MAX_LOCK_LENGTH) {
    return fail([{ line: 1, column: 1, message: `it has more than ${MAX_LOCK_LENGTH} characters` }])
  }
  const read = yield* readPlacedSliced(text)
  if (!read.ok) return fail(read.error.slice(0, MAX_FAULTS))
  const checked = checkLock(read.value.value)
  return checked.ok ? checked : fail(placed(checked.error, read.value))
}

/** The same at once. */
export const readLock = (text: string): Result<Lock, readonly PlacedFault[]> =>
  atOnce(readLockSliced(text))
