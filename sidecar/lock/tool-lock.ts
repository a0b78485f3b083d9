// The tool lock that holds: what of a server's words goes on to its clients. Which process says them is the business of
// LockedProcess. Where there is no lock, nobody makes one of these.

import { isObject, type Json } from '../../shared/json.ts'
import { instructionsDigest } from '../../shared/lock/digest.ts'
import type { Lock } from '../../shared/lock/lock.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import type { Channel } from '../conversation/channel.ts'
import type { VettedPart, VettingPart } from '../conversation/vetting.ts'
import type { Fault } from '../mcp/faults.ts'
import { member, valueAt } from '../mcp/message.ts'
import { rewrite } from '../mcp/rewrite.ts'
import type { Findings } from './findings.ts'
import { LockedProcess } from './locked-process.ts'
import { resultOf } from './page.ts'
import { unusable } from './refusal.ts'

export interface ToolLockOptions {
  /** The lock that holds now. */
  readonly lock: () => Lock
  readonly findings: Findings
  readonly now: () => number
}

/** The methods whose answers bear instructions. */
const FIRST: ReadonlySet<string> = new Set(['initialize', 'server/discover'])

const isJson = (value: unknown): value is Json =>
  value === null || isObject(value) || Array.isArray(value) || typeof value !== 'object'

export class ToolLock implements VettingPart {
  private readonly options: ToolLockOptions

  constructor(options: ToolLockOptions) {
    this.options = options
  }

  get current(): Lock {
    return this.options.lock()
  }

  get findings(): Findings {
    return this.options.findings
  }

  get now(): () => number {
    return this.options.now
  }

  /** What is to be known of one server process. */
  over(channel: Channel, beside?: () => readonly VettedPart[]): LockedProcess {
    return new LockedProcess(this, channel, beside)
  }

  /** The first answer of a server, without instructions that are not as they were locked. */
  first(method: string, answer: string): Result<string, Fault> {
    const { instructions, isReport } = this.current
    if (instructions === undefined || !FIRST.has(method)) return ok(answer)
    const result = resultOf(answer)
    if (!result.ok) return fail(unusable(method, result.error))
    const place = member(result.value, 'instructions')
    const value = valueAt(answer, place)
    if (!place || !isJson(value) || instructionsDigest(value) === instructions) return ok(answer)
    const action = isReport ? 'reported' : 'hidden'
    this.findings.add({ kind: 'instructions', name: '', why: 'have changed', action })
    return ok(
      isReport ? answer : rewrite(answer, [{ start: place.start, end: place.end, text: '""' }]),
    )
  }
}
