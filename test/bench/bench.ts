// The contract of a bench: a name on the command line, a sentence, and one function.

import type { Report } from './report.ts'

export type BenchContext = {
  readonly rounds: number
  /** A smoke run: everything once and briefly; its figures mean little. */
  readonly quick: boolean
  /** Only these contenders, where the bench has several; all when empty. */
  readonly only: readonly string[]
  /** Says what is going on. */
  readonly progress: (line: string) => void
  readonly signal: AbortSignal
}

export type Bench = {
  readonly name: string
  readonly summary: string
  readonly run: (context: BenchContext) => Promise<Report>
}
