// The legacy processes that serve modern clients, by principal and by what its clients can be asked for. Nobody is ever given
// another principal's process, unless the process model is `shared`.

import { EVERYBODY, type Principal } from '../access/principal.ts'
import type { Caller } from '../conversation/call.ts'
import { fail, ok } from '../../shared/result.ts'
import type { Request } from '../mcp/message.ts'
import type { ModernCall } from '../modern/call.ts'
import type { Found, ModernProcesses } from '../modern/process.ts'
import { DeclaredBefore, NOTHING_DECLARED } from './capabilities.ts'
import type { Lease, Lessee } from './lease.ts'
import { askedLevel } from './log-level.ts'
import { isLaterRound, refusalOf } from './methods.ts'
import { Parking, type ParkingOptions } from './parking.ts'
import { MOST, Place, type Placed, type PlaceOptions } from './place.ts'

export type PoolOptions = Omit<PlaceOptions, keyof Placed | 'parking' | 'mayStart' | 'owed'> &
  ParkingOptions

export class Pool implements ModernProcesses {
  private readonly options: PoolOptions
  /** By principal, then by what its clients can be asked for. */
  private readonly places = new Map<string, Map<string, Place>>()
  private readonly parking: Parking<Lease>
  private readonly declared = new DeclaredBefore()

  constructor(options: PoolOptions) {
    this.options = options
    this.parking = new Parking(options)
  }

  get waiting(): number {
    return this.parking.size
  }

  isLaterRound(request: Request): boolean {
    return isLaterRound(request)
  }

  find(
    principal: Principal,
    logReader: Caller | undefined,
    call: ModernCall,
    request: Request,
  ): Found | Promise<Found> {
    const refused = refusalOf(request)
    if (refused) return fail(refused)
    const level = logReader && askedLevel(request)
    const logs = logReader && level && { reader: logReader, level }
    const caller = this.options.model === 'shared' ? undefined : principal
    const by = { caller, rights: call.rights, logs }
    if (isLaterRound(request)) return this.takeUp(principal, request, by)
    return this.placeOf(principal, request).find({ call, caller, method: request.method, logs })
  }

  /** A request that brings what its client was asked for. */
  private takeUp({ key }: Principal, request: Request, by: Omit<Lessee, 'principal'>): Found {
    const taken = this.parking.take(request, key)
    if (!taken.ok) return taken
    taken.value.serves({ principal: key, ...by })
    return ok(taken.value)
  }

  sweep(nowMs: number, idleTimeoutMs: number): void {
    this.parking.sweep(nowMs)
    for (const [key, own] of this.places) {
      for (const [name, place] of own) {
        place.sweep(nowMs, idleTimeoutMs)
        if (place.isEmpty) own.delete(name)
      }
      if (own.size === 0) this.places.delete(key)
    }
  }

  endBlocked(): void {
    this.parking.endBlocked()
  }

  close(): void {
    for (const own of this.places.values()) for (const place of own.values()) place.close()
    // What was asked is on record as what nobody has answered.
    this.parking.close()
  }

  /** Whoever shares a process with strangers is asked nothing. */
  private placeOf(principal: Principal, request: Request): Place {
    const isEverybodys = this.options.model === 'shared'
    const { key } = isEverybodys ? EVERYBODY : principal
    const { capabilities, name } = isEverybodys ? NOTHING_DECLARED : this.declared.by(request)
    const own = this.places.get(key) ?? new Map<string, Place>()
    const there = own.get(name)
    if (there) return there
    const { options, parking } = this
    const caller = isEverybodys ? undefined : principal
    const place = new Place({
      ...options,
      parking,
      key,
      caller,
      capabilities,
      mayStart: () => makesRoom([...own.values()]),
      owed: (sinceMs) => (own.size > 1 ? starved([...own.values()], sinceMs) : undefined),
    })
    this.places.set(key, own.set(name, place))
    return place
  }
}

/** The place with the least of such times, if that is less than another. */
const earliest = (
  places: readonly Place[],
  timeOf: (place: Place) => number | undefined,
  beforeMs: number,
): Place | undefined => {
  let found: Place | undefined
  let foundMs = beforeMs
  for (const place of places) {
    const ms = timeOf(place) ?? Infinity
    if (ms >= foundMs) continue
    found = place
    foundMs = ms
  }
  return found
}

/** Whether one more process may be started in these places, of one principal: else the longest idle of them makes room. */
const makesRoom = (places: readonly Place[]): boolean => {
  if (places.reduce((sum, { atWork }) => sum + atWork, 0) < MOST) return true
  const idle = earliest(places, ({ idleSinceMs }) => idleSinceMs, Infinity)
  idle?.giveUpIdle()
  return idle !== undefined
}

/** The one of these where somebody has waited longest for a process that there is none of, and since before then. */
const starved = (places: readonly Place[], sinceMs: number): Place | undefined =>
  earliest(places, ({ starvedSinceMs }) => starvedSinceMs, sinceMs)
