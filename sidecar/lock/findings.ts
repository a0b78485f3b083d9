// What was found to be otherwise than it was locked: counted each time, and logged once. What a server can make up is
// bounded: names are cut, and after so many nothing new is logged until the lock changes.

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
}

export interface FindingsOptions {
  readonly log: Log
  readonly count: (finding: Pick<Finding, 'kind' | 'action'>) => void
}

const MAX_TOLD = 256
const MAX_NAME = 256

export class Findings {
  private readonly options: FindingsOptions
  private readonly told = new Set<string>()

  constructor(options: FindingsOptions) {
    this.options = options
  }

  add({ kind, name, why, action }: Finding): void {
    this.options.count({ kind, action })
    const { told } = this
    if (told.size > MAX_TOLD) return
    const shown = name.slice(0, MAX_NAME)
    const key = JSON.stringify([kind, shown, why, action])
    if (told.has(key)) return
    told.add(key)
    const { log } = this.options
    if (told.size > MAX_TOLD) log.warn('more is not as it was locked than is told here')
    else log.warn(`the server is not as it was locked`, { kind, name: shown, why, action })
  }

  /** Another lock holds: what was told was told of the one before. */
  forget(): void {
    this.told.clear()
  }
}
