// From what a server says of itself to a lock, and to what is not as a lock has it. Pure, and the same each time: names
// stand in the order of their characters.

import { stringify } from 'yaml'
import { jsonOf } from '../../shared/audit/chain.ts'
import {
  definitionOf,
  differences,
  instructionsDigest,
  KEY_OF,
  type Definition,
} from '../../shared/lock/digest.ts'
import type { JsonObject } from '../../shared/json.ts'
import type { Lock, Locked } from '../../shared/lock/lock.ts'
import { LOCKED_KINDS, type LockedKind } from '../../shared/lock/kinds.ts'
import { MAX_LOCK_LENGTH, type LockDocument } from '../../shared/lock/schema.ts'
import { stringAt } from '../../shared/json.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import type { Described } from './described.ts'

export const KIND_NAMES = {
  tools: 'tool',
  prompts: 'prompt',
  resources: 'resource',
  resourceTemplates: 'resource template',
} as const satisfies Record<LockedKind, string>

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number =>
  a < b ? -1 : 1

/** `tool "x"` */
export const called = (kind: LockedKind, name: string): string =>
  `${KIND_NAMES[kind]} ${jsonOf(name)}`

/** Definitions by name; the error names what is listed twice and not alike, so that nobody knows which is meant. */
export const definitionsOf = (
  kind: LockedKind,
  items: readonly JsonObject[],
): Result<Locked, readonly string[]> => {
  const found = new Map<string, Definition>()
  const faults: string[] = []
  for (const item of items) {
    const name = stringAt(item, KEY_OF[kind]) ?? ''
    const definition = definitionOf(kind, item)
    const before = found.get(name)
    found.set(name, definition)
    if (name === '__proto__')
      faults.push(`the ${called(kind, name)} bears a name that no lock can hold`)
    if (before && differences(before, definition).length > 0) {
      faults.push(`the ${called(kind, name)} is listed twice, and not alike`)
    }
  }
  return faults.length > 0 ? fail(faults) : ok(found)
}

/** What there is to lock of some kinds. */
export const documentOf = (
  described: Described,
  kinds: readonly LockedKind[],
  mode: LockDocument['mode'],
): Result<LockDocument, readonly string[]> => {
  const document: LockDocument = {
    version: 1,
    mode,
    server: described.server,
    instructions: instructionsDigest(described.instructions),
  }
  const faults: string[] = []
  for (const kind of LOCKED_KINDS) {
    if (!kinds.includes(kind)) continue
    const found = definitionsOf(kind, described.lists[kind])
    if (!found.ok) faults.push(...found.error)
    else {
      document[kind] = Object.fromEntries(
        [...found.value].sort(byName).map(([name, one]) => [name, Object.fromEntries(one)]),
      )
    }
  }
  return faults.length > 0 ? fail(faults) : ok(document)
}

const HEAD = `# The tools of a server as they were approved, by outrigger tools lock: what is new or differs is hidden and refused.\n`

/** The document as YAML; the error is a sentence. */
export const lockText = (document: LockDocument): Result<string, string> => {
  const text = `${HEAD}${stringify(document, { lineWidth: 0 })}`
  return text.length > MAX_LOCK_LENGTH
    ? fail(
        `the lock would have ${text.length} characters, and may have ${MAX_LOCK_LENGTH}: lock fewer kinds (--kinds)`,
      )
    : ok(text)
}

/** What of a kind is not as it was locked, a line each. */
const changesOf = (kind: LockedKind, locked: Locked, found: Locked): readonly string[] => {
  const names = [...new Set([...locked.keys(), ...found.keys()])].sort()
  return names.flatMap((name) => {
    const [before, now] = [locked.get(name), found.get(name)]
    if (!before) return [`the ${called(kind, name)} is new`]
    if (!now) return [`the ${called(kind, name)} is gone`]
    const all = differences(before, now)
    return all.length === 0 ? [] : [`the ${called(kind, name)} has changed: ${all.join(', ')}`]
  })
}

/** What is not as a lock has it, a line each. */
export const changesSince = (lock: Lock, described: Described): readonly string[] => {
  const now = instructionsDigest(described.instructions)
  const { instructions = now } = lock
  return [
    ...(instructions === now ? [] : ["the server's instructions have changed"]),
    ...[...lock.kinds].flatMap(([kind, locked]) => {
      const found = definitionsOf(kind, described.lists[kind])
      return found.ok ? changesOf(kind, locked, found.value) : found.error
    }),
  ]
}
