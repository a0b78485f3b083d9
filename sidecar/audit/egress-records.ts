// What servers reach, on record: each attempt when it is over, and once while it goes on for long. A server that tries without
// end fills no disk: what is let out and what is refused have an allowance each for whoever the server works for, beyond which
// it is counted. Where nothing may be lost, nothing is let out that cannot be put on record.

import { jsonOf } from '../../shared/audit/chain.ts'
import type { AuditEvent, EventOf } from '../../shared/audit/record.ts'
import type { Principal } from '../access/principal.ts'
import { Allowance } from './allowance.ts'
import type { Descriptions } from './described.ts'
import type { Writer } from './writer.ts'

type Told = Omit<EventOf<'egress'>, 'event' | 'caller'>

/** For whom the server works, where that is known: of one caller's process that one, else whoever had the only call. */
export interface WorksFor {
  /** Under which the allowance is. */
  readonly key: string
  readonly principal: Principal | undefined
  /** As a record of a call has it: a member behind a comma. */
  readonly caller: string | undefined
}

export interface EgressRecordsOptions {
  readonly writer: Pick<Writer, 'add' | 'reserve' | 'giveBack' | 'isFailing' | 'roomBytes'>
  readonly described: Pick<Descriptions, 'caller'>
  readonly now: () => number
  readonly onFailure: 'refuse' | 'drop'
  /** So many are only counted. */
  readonly onUnwritten: (many: number) => void
}

/** For what is refused, and as much for the rest, of one caller's servers: about 2,000 attempts. */
const BYTES_PER_MINUTE = 1024 * 1024
/** For a record of one, and of the caller's names. */
const RECORD_BYTES = 4096
/** So much of the room for all records may wait for attempts to be over. */
const SHARE = 1 / 4

export class EgressRecords {
  private readonly options: EgressRecordsOptions
  private readonly refused = new Allowance(BYTES_PER_MINUTE)
  private readonly reached = new Allowance(BYTES_PER_MINUTE)
  private held = 0

  constructor(options: EgressRecordsOptions) {
    this.options = options
  }

  /** Room for the record of an attempt; false where it must not be let out for want of it. */
  reserve(): boolean {
    const { writer, onFailure } = this.options
    if (onFailure === 'drop') return true
    if (writer.isFailing || this.held + RECORD_BYTES > writer.roomBytes * SHARE) return false
    if (!writer.reserve(RECORD_BYTES)) return false
    this.held += RECORD_BYTES
    return true
  }

  /** It is not to come. */
  giveBack(): void {
    const reserved = this.taken()
    if (reserved > 0) this.options.writer.giveBack(reserved)
  }

  /** `isReserved`: room was taken for it. */
  tell(worksFor: WorksFor, told: Told, isReserved: boolean): void {
    const { writer, described, now, onUnwritten } = this.options
    const { key, principal, caller } = worksFor
    const isLetOut = told.verdict === 'allowed' || told.verdict === 'observed'
    const allowance = isLetOut ? this.reached : this.refused
    const nowMs = now()
    if (allowance.waitMs(key, 1, nowMs) > 0) {
      if (isReserved) this.giveBack()
      onUnwritten(1)
      return
    }
    const who = principal ? described.caller(principal) : (caller ?? '')
    const members = `"event":"egress"${who},${jsonOf(told).slice(1, -1)}`
    const bytes = writer.add(members, isReserved ? this.taken() : 0)
    allowance.take(key, bytes, nowMs)
  }

  /** So many were not even told. */
  missed(many: number): void {
    this.options.onUnwritten(many)
  }

  /** What holds the server, or who listens where others can come; few come. */
  state(event: EventOf<'egress-enforcement'> | EventOf<'listener'>): void {
    const told: AuditEvent = event
    this.options.writer.add(jsonOf(told).slice(1, -1))
  }

  private taken(): number {
    if (this.options.onFailure === 'drop') return 0
    this.held -= RECORD_BYTES
    return RECORD_BYTES
  }
}
