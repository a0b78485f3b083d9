// The input schemas that have been seen, by their text: each is compiled once, when it is first needed, whichever process
// has listed it. Bounded: the longest unused go, and are read from their server again.

import { createHash } from 'node:crypto'
import { isObject } from '../../shared/json.ts'
import { fail, type Result } from '../../shared/result.ts'
import { compileSchema, type CheckArguments } from './input-schema.ts'

const MAX_LENGTH = 64 * 1024
/** Of all together; compiled, they take many times as much. */
const MAX_KEPT = 1024 * 1024

export type Compiled = Result<CheckArguments, string>

interface Kept {
  readonly text: string
  compiled?: Compiled
}

const compile = (text: string): Compiled => {
  if (text.length > MAX_LENGTH) return fail(`it is longer than ${MAX_LENGTH} bytes`)
  const value: unknown = JSON.parse(Buffer.from(text, 'latin1').toString())
  return isObject(value) ? compileSchema(value) : fail('it is no object')
}

export class Schemas {
  private readonly kept = new Map<string, Kept>()
  private length = 0

  /** Keeps a schema, latin1 text that has been scanned, and gives the name under which it is found. */
  keep(text: string): string {
    const name = createHash('sha256').update(text, 'latin1').digest('base64')
    if (this.touch(name)) return name
    // Of one that is too long no more is kept than shows it.
    const kept = { text: text.slice(0, MAX_LENGTH + 1) }
    this.kept.set(name, kept)
    this.length += kept.text.length
    for (const [oldest, { text: gone }] of this.kept) {
      if (this.length <= MAX_KEPT) break
      this.kept.delete(oldest)
      this.length -= gone.length
    }
    return name
  }

  /** The check by a schema; undefined where it is not kept any more. */
  find(name: string): Compiled | undefined {
    const found = this.touch(name)
    if (!found) return undefined
    found.compiled ??= compile(found.text)
    return found.compiled
  }

  private touch(name: string): Kept | undefined {
    const found = this.kept.get(name)
    if (!found) return undefined
    this.kept.delete(name)
    this.kept.set(name, found)
    return found
  }
}
