// Hands out events in order. One that is large, and what comes after very many, has a later turn of the event loop, one in
// a turn, as lines have (bytes/lines.ts): everybody else is served in between. While it is busy nothing more should be
// read; what waits is what one chunk held, and one event that it has ended.

import { SMALL_BYTES, type Lease } from '../bytes/budget.ts'
import type { ServerEvent } from './event-reader.ts'

/** Handed out of one chunk before others have their turn. */
const EVENTS_A_TURN = 512

const isSmall = ({ data }: ServerEvent): boolean => data.length <= SMALL_BYTES

export interface TurnsOwner {
  event(event: ServerEvent): void
  /** Everything has been handed out: more may come. */
  idle(): void
}

export class EventTurns {
  private readonly lease: Lease
  private readonly owner: TurnsOwner
  private parked: ServerEvent[] = []
  /** In this turn. */
  private handed = 0

  constructor(lease: Lease, owner: TurnsOwner) {
    this.lease = lease
    this.owner = owner
  }

  get isBusy(): boolean {
    return this.parked.length > 0
  }

  /** A chunk has come. */
  begin(): void {
    this.handed = 0
  }

  take(event: ServerEvent): void {
    if (!this.isBusy && this.isForThisTurn(event)) this.hand(event)
    else if (this.parked.push(event) === 1) this.lease.inTurn(() => this.nextTurn())
  }

  private isForThisTurn(event: ServerEvent): boolean {
    return this.handed < EVENTS_A_TURN && isSmall(event)
  }

  private nextTurn(): void {
    this.begin()
    const end = this.parked.findIndex(
      (event, at) => at > 0 && (at === EVENTS_A_TURN || !isSmall(event)),
    )
    for (const event of this.parked.splice(0, end === -1 ? this.parked.length : end))
      this.hand(event)
    if (this.isBusy) this.lease.inTurn(() => this.nextTurn())
    else this.owner.idle()
  }

  private hand(event: ServerEvent): void {
    this.handed++
    this.owner.event(event)
  }
}
