// Why a child could not be opened, and with what it has ended: what we and the machine had to do with it. Pure.

import { codeOf } from '../../shared/error-code.ts'
import { fail, type Result } from '../../shared/result.ts'
import type { Fault } from '../mcp/faults.ts'
import type { Link } from './link.ts'

/** Why there is no child; `isBusy`: it may well work a little later. */
export interface SpawnFailure {
  readonly message: string
  readonly isBusy: boolean
  /** What its client is told; absent: by the message. */
  readonly fault?: Fault
}

export type Spawned = Result<Link, SpawnFailure>

export const broken = (message: string): Spawned => fail({ message, isBusy: false })

/** What this process, or the machine, has no more of just now; nothing is wrong with the server. */
const EXHAUSTION: ReadonlyMap<string, string> = new Map([
  ['EMFILE', 'the sidecar has no file descriptor left (its limit of open files)'],
  ['ENFILE', 'the machine has no file descriptor left'],
  ['ENOMEM', 'the machine has no memory left for its pipes'],
])

export const exhaustion = (error: unknown): string | undefined => EXHAUSTION.get(codeOf(error))

/** A server that we ended by a signal, because it did not heed the end of its input, has not failed. */
export const exitCode = (
  { code, signal }: { readonly code: number | undefined; readonly signal: number | undefined },
  isEnding: boolean,
): number => code ?? (isEnding ? 0 : 128 + (signal ?? 0))
