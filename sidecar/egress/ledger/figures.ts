// What is counted of what servers reach. Labels are of known sets: destinations are those that were declared.

import { OTHER } from '../../telemetry/known-words.ts'

export interface Passed {
  sentBytes: number
  receivedBytes: number
}

export class EgressCounts {
  /** Attempts that are over, or of which is known how they went, by verdict and how: `allowed connect`. */
  readonly attempts = new Map<string, number>()
  /** By what was declared. */
  readonly passed: ReadonlyMap<string, Passed>
  private readonly others: Passed = { sentBytes: 0, receivedBytes: 0 }
  open = 0

  constructor(declared: Iterable<string>) {
    const nothing = (name: string) => [name, { sentBytes: 0, receivedBytes: 0 }] as const
    this.passed = new Map([...[...declared].map(nothing), [OTHER, this.others]])
  }

  tried(verdict: string, how: string): void {
    const key = `${verdict} ${how}`
    this.attempts.set(key, (this.attempts.get(key) ?? 0) + 1)
  }

  /** What goes by a destination; whatever was not declared is one. */
  by(rule: string | undefined): Passed {
    return (rule === undefined ? undefined : this.passed.get(rule)) ?? this.others
  }
}
