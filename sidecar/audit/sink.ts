// Where records go. A sink writes and decides nothing: what is written again, and who is refused meanwhile, is the
// writer's business.

import type { Position } from '../../shared/audit/record.ts'

/** A new file has been begun. */
export interface Rotated {
  /** What the full one is called now. */
  readonly file: string
  /** The oldest record that is kept; absent where only the new file is. */
  readonly oldest: Position | undefined
  /**
   * Takes away what is older. To be called when the record that says so has been tried: before that, a process that is
   * killed would leave files missing that the last record calls kept.
   */
  prune(): Promise<void>
}

/** Writes that take no time worth speaking of: a thread that does them would cost five times as much (`bench -- telemetry`). */
export interface AtOnce {
  /** Whether so many bytes can be written so now: not where a file has to be begun first, or the last write was slow. */
  takes(bytes: number, nowMs: number): boolean
  /** As `write`, before it returns. Throws where nothing is out. */
  write(bytes: Buffer): number
}

export interface Sink {
  /** How many records of the last write are lost, for whoever takes them has rejected them; absent where nobody can. */
  readonly rejected?: number
  /** Of a sink that can. */
  readonly atOnce?: AtOnce | undefined
  /** Writes from the beginning of the bytes; resolves with how many are out, perhaps not all. Rejects where none are. */
  write(bytes: Buffer): Promise<number>
  /** Begins a new file where that is due before so many more bytes; undefined where it is not. Rejects where it cannot. */
  rotate(bytes: number, nowMs: number): Promise<Rotated> | undefined
  close(): Promise<void>
}
