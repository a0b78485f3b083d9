// What was reached, or tried, while a call was in flight: a member of its record, bounded whatever its server does. Pure.

import { jsonOf } from '../../../shared/audit/chain.ts'
import type { EventOf } from '../../../shared/audit/record.ts'
import type { ReachedMeanwhile, TriedPlace } from '../../server/underway.ts'

type Summary = NonNullable<EventOf<'call'>['egress']>

/** So many destinations are named; the others are counted. */
const MAX_NAMED = 8

const isSame = (one: TriedPlace, other: TriedPlace): boolean =>
  one.host === other.host && one.port === other.port && one.verdict === other.verdict

export class CallEgress implements ReachedMeanwhile {
  private readonly counts = new Map<TriedPlace['verdict'], number>()
  private readonly to: TriedPlace[] = []
  private unnamed = 0
  private sentBytes = 0
  private receivedBytes = 0
  private isShared = false

  /** `isShared`: others were in flight, too, and it may be theirs. */
  tried(place: TriedPlace, isShared: boolean): void {
    this.isShared ||= isShared
    this.counts.set(place.verdict, (this.counts.get(place.verdict) ?? 0) + 1)
    if (this.to.some((known) => isSame(known, place))) return
    if (this.to.length < MAX_NAMED) this.to.push(place)
    else this.unnamed++
  }

  passed(sentBytes: number, receivedBytes: number, isShared: boolean): void {
    this.isShared ||= isShared
    this.sentBytes += sentBytes
    this.receivedBytes += receivedBytes
  }

  /** As a member of the record, behind a comma. */
  members(): string {
    const summary: Summary = {
      ...Object.fromEntries(this.counts),
      sentBytes: this.sentBytes,
      receivedBytes: this.receivedBytes,
      to: this.to,
      ...(this.unnamed === 0 ? {} : { unnamed: this.unnamed }),
      ...(this.isShared ? { shared: true } : {}),
    }
    return `,"egress":${jsonOf(summary)}`
  }
}
