// What is left to ask of one caller about one target: without the rules that are about others, and those whose condition asks
// for nothing but the caller and does not hold. Callers ask for few tools, again and again. Bounded over all callers of a
// policy; where there are more, all is worked out anew. Pure.

import type { Rule, Target } from './rules.ts'
import type { Kind } from './schema.ts'

export interface Left {
  readonly deny: readonly Rule[]
  readonly allow: readonly Rule[]
}

/** One caller's, by kind and name. */
export interface Kept {
  since: number
  byName: { [kind in Kind]?: Map<string, Left> }
}

/** Of all callers of a policy. */
const MAX_LEFT = 4096

/** Names as tools have them; what is longer is not asked for again and again. */
const NAME = /^[\x21-\x7e]{1,128}$/

/** V8 keeps a whole message for a part of it. */
const copied = (name: string): string => Buffer.from(name, 'latin1').toString('latin1')

export class LeftRules {
  private since = 0
  private size = 0

  /** Nothing of a caller's yet. */
  none(): Kept {
    return { since: this.since, byName: {} }
  }

  find(kept: Kept, { kind, name, isTemplate }: Target): Left | undefined {
    if (kept.since !== this.since || isTemplate === true) return undefined
    return kept.byName[kind]?.get(name)
  }

  keep(kept: Kept, { kind, name, isTemplate }: Target, left: Left): void {
    if (isTemplate === true || !NAME.test(name)) return
    if (this.size >= MAX_LEFT) {
      this.size = 0
      this.since++
    }
    if (kept.since !== this.since) {
      kept.since = this.since
      kept.byName = {}
    }
    const byName = (kept.byName[kind] ??= new Map())
    if (!byName.has(name)) this.size++
    byName.set(copied(name), left)
  }
}
