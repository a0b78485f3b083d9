// What was found to be otherwise than it was locked: counted each time, and logged once. What a server can make up is
// bounded: names are cut, and after so many nothing new is logged until the lock changes. What callers make up has a bound of
// its own, so that it keeps nothing of the server's from being told.

import type { Log } from '../../shared/log.ts'

export type FoundKind = 'tools' | 'prompts' | 'resources' | 'resourceTemplates' | 'instructions'
/** What became of it; `reported`: nothing. */
export type FoundAction = 'hidden' | 'refused' | 'reported'

export interface Finding {
  readonly kind: FoundKind
  readonly name: string
  /** What is wrong with it. */
  readonly why: string
  readonly action: FoundAction
  /** The name is a caller's, who need not have it from the server. */
  readonly isMadeUp?: boolean
}

export interface FindingsOptions {
  readonly log: Log
  readonly count: (finding: Pick<Finding, 'kind' | 'action'>) => void
  /** Hears of what is logged of the server. */
  readonly onFound?: ((finding: Finding) => void) | undefined
}

const MAX_TOLD = 256
const MAX_MADE_UP = 64
const MAX_NAME = 256

export class Findings {
  private readonly options: FindingsOptions
  private readonly told = new Set<string>()
  private readonly madeUp = new Set<string>()

  constructor(options: FindingsOptions) {
    this.options = options
  }

  add({ kind, name, why, action, isMadeUp = false }: Finding): void {
    const { count, log, onFound } = this.options
    count({ kind, action })
    const [told, most] = isMadeUp ? [this.madeUp, MAX_MADE_UP] : [this.told, MAX_TOLD]
    if (told.size > most) return
    const shown = name.slice(0, MAX_NAME)
    const key = JSON.stringify([kind, shown, why, action])
    if (told.has(key)) return
    told.add(key)
    const [fact, more] = isMadeUp
      ? ['a caller asked for what is not locked', 'more was asked for that is not locked']
      : ['the server is not as it was locked', 'more is not as it was locked']
    if (told.size > most) log.warn(`${more} than is told here`)
    else {
      log.warn(fact, { kind, name: shown, why, action })
      if (!isMadeUp) onFound?.({ kind, name: shown, why, action })
    }
  }

  /** Another lock holds: what was told was told of the one before. */
  forget(): void {
    this.told.clear()
    this.madeUp.clear()
  }
}
