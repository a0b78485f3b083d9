// All calls of a run, by the way of their client: how many were answered, how many failed as they had to, and what was wrong.

import type { Verdict } from './tally.ts'

interface Line {
  answered: number
  failed: number
  wrong: number
}

/** So many are told word by word. */
const MOST_TOLD = 20
const WIDTH = 32

export class Ledger {
  private readonly lines = new Map<string, Line>()
  private readonly told: string[] = []
  private last = 0
  calls = 0

  /** A word that no other call of the run has. */
  marker(): string {
    return `call-${++this.last}`
  }

  readonly tell = (way: string, { kind, words }: Verdict): void => {
    const line = this.lines.get(way) ?? { answered: 0, failed: 0, wrong: 0 }
    this.lines.set(way, line)
    line[kind]++
    this.calls++
    if (kind === 'wrong' && this.told.length < MOST_TOLD) this.told.push(`${way}: ${words}`)
  }

  /** What was wrong, and which clients never came to anything. */
  faults(): readonly string[] {
    const idle = [...this.lines].filter(([, { answered, failed }]) => answered + failed === 0)
    return [...this.told, ...idle.map(([way]) => `${way}: no call was answered`)]
  }

  table(): string {
    const rows = [...this.lines].map(([way, { answered, failed, wrong }]) =>
      [
        way.padEnd(WIDTH),
        ...[answered, failed, wrong].map((count) => `${count}`.padStart(10)),
      ].join(''),
    )
    const head = [
      'clients'.padEnd(WIDTH),
      ...['answered', 'as meant', 'wrong'].map((word) => word.padStart(10)),
    ]
    return [head.join(''), ...rows].join('\n')
  }
}
