// The contract of a bench: a name on the command line, a sentence, and one function.

import type { Report } from './report.ts'

export type BenchContext = {
  /** How often everything is measured, medians being reported; the bench's own number where absent. */
  readonly rounds: number | undefined
  /** A smoke run: everything once and briefly; its figures mean little. */
  readonly quick: boolean
  /** Only cells whose names contain one of these, where the bench has several; all when empty. */
  readonly cells: readonly string[]
  /** Another build of ours to compare with, instead of others' programs. */
  readonly against: string | undefined
  /** Says what is going on. */
  readonly progress: (line: string) => void
  readonly signal: AbortSignal
}

export type Bench = {
  readonly name: string
  readonly summary: string
  /** Whatever of the figures' conditions is this bench's own, for the head of its report. */
  readonly conditions?: () => string
  readonly run: (context: BenchContext) => Promise<Report>
}
