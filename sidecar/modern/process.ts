// What serves a modern request, and where that comes from: a process of the modern era, which many requests share, or one
// of the legacy era, which a translation has for one request at a time.

import type { Principal } from '../access/principal.ts'
import type { Channel } from '../conversation/channel.ts'
import type { Caller } from '../conversation/call.ts'
import type { Vetted } from '../conversation/vetting.ts'
import type { Fault } from '../mcp/faults.ts'
import type { Request } from '../mcp/message.ts'
import type { Result } from '../../shared/result.ts'
import type { ModernCall } from './call.ts'
import type { Tools } from './tools.ts'

export interface ModernProcess {
  readonly channel: Pick<Channel, 'call' | 'cancel' | 'hasAnswered' | 'link'>
  readonly tools: Pick<Tools, 'headersOf'>
  /** What its words are held against; undefined where there is nothing. */
  readonly vetted: Pick<Vetted, 'check' | 'hears'> | undefined
  /** The request that gets the log lines, from the moment the process is chosen for it. */
  logReader: Caller | undefined
  /** A request has been given it. */
  join(call: ModernCall): void
  /** That request is done. */
  leave(call: ModernCall): void
}

export type Found = Result<ModernProcess, Fault>

export interface ModernProcesses {
  /** A process for a request; `logReader` is the request itself, where it asks for log lines. */
  find(
    principal: Principal,
    logReader: Caller | undefined,
    call: ModernCall,
    request: Request,
  ): Found | Promise<Found>
  /** Calls that wait for what their clients were asked; absent where none can. */
  readonly waiting?: number
  /** Whether a request brings what a call waits for: nothing begins by it. */
  isLaterRound?(request: Request): boolean
  sweep(nowMs: number, idleTimeoutMs: number): void
  /** The tool policy has changed: what waits for callers whom it denies everything ends. Absent where nothing waits. */
  endBlocked?(): void
  close(): void
}
