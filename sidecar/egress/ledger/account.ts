// Whose it is what comes with a credential: of one server process, the session and the caller that it works for, and the calls
// that are in flight with it. It counts what has passed, for that may be bounded.

import { EVERYBODY, personOf, type Principal } from '../../access/principal.ts'
import type { WorksFor } from '../../audit/egress-records.ts'
import type { OnRecord, Underway } from '../../server/underway.ts'

export interface AccountOptions {
  /** The child's number; 0 where one command is the server of all. */
  readonly child: number
  /** The beginning of its session's id, where it has one alone. */
  readonly session?: string | undefined
  /** Whose process it is; absent of one that is everybody's. */
  readonly caller?: Principal | undefined
  /** What is in flight with it now. */
  readonly calls: () => Iterable<Underway>
  /** So much may pass, both ways together; absent: as much as it likes. */
  readonly mostBytes?: number | undefined
}

export class Account {
  readonly key: string
  readonly child: number
  session: string | undefined
  readonly calls: () => Iterable<Underway>
  private caller: Principal | undefined
  private readonly mostBytes: number
  private passedBytes = 0

  constructor({ child, session, caller, calls, mostBytes = Infinity }: AccountOptions) {
    this.key = `${child}`
    this.child = child
    this.session = session
    this.caller = caller
    this.calls = calls
    this.mostBytes = mostBytes
  }

  /** Its process was nobody's, and is somebody's from now on. */
  handed(session: string | undefined, caller: Principal | undefined): void {
    this.session = session
    this.caller = caller
  }

  passed(bytes: number): void {
    this.passedBytes += bytes
  }

  overBudget(): boolean {
    return this.passedBytes >= this.mostBytes
  }

  /** For whom it works: its own caller, else whoever had all of these calls. */
  worksFor(calls: Iterable<OnRecord>): WorksFor {
    const principal = this.caller
    const callers = principal ? [] : [...new Set([...calls].map(({ caller }) => caller))]
    const [caller] = callers.length === 1 ? callers : []
    return { key: personOf(principal ?? EVERYBODY), principal, caller }
  }
}
