// The legacy processes that serve modern clients, by principal. Nobody is ever given another principal's process, unless the
// process model is `shared`.

import type { Principal } from '../access/principal.ts'
import type { Caller } from '../conversation/call.ts'
import { fail } from '../../shared/result.ts'
import type { Request } from '../mcp/message.ts'
import type { ModernCall } from '../modern/call.ts'
import type { Found, ModernProcesses } from '../modern/process.ts'
import { askedLevel } from './log-level.ts'
import { refusalOf } from './methods.ts'
import { Place, type PlaceOptions } from './place.ts'

export type PoolOptions = PlaceOptions

/** Holds what everybody shares; both eras call it the same. */
const EVERYBODY: Principal = { key: 'shared' }

export class Pool implements ModernProcesses {
  private readonly options: PoolOptions
  private readonly places = new Map<string, Place>()

  constructor(options: PoolOptions) {
    this.options = options
  }

  find(
    principal: Principal,
    logReader: Caller | undefined,
    call: ModernCall,
    request: Request,
  ): Found | Promise<Found> {
    const refused = refusalOf(request)
    if (refused) return fail(refused)
    const place = this.placeOf(principal)
    const level = logReader && askedLevel(request)
    const logs = logReader && level && { reader: logReader, level }
    return place.find({ call, method: request.method, logs })
  }

  sweep(nowMs: number, idleTimeoutMs: number): void {
    for (const [key, place] of this.places) {
      place.sweep(nowMs, idleTimeoutMs)
      if (place.isEmpty) this.places.delete(key)
    }
  }

  close(): void {
    for (const place of this.places.values()) place.close()
  }

  private placeOf(principal: Principal): Place {
    const isEverybodys = this.options.model === 'shared'
    const { key } = isEverybodys ? EVERYBODY : principal
    const there = this.places.get(key)
    if (there) return there
    const place = new Place(key, isEverybodys ? undefined : principal, this.options)
    this.places.set(key, place)
    return place
  }
}
