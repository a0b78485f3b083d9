// The exchange of callers' tokens, where a configuration asks for one: else nothing of it is loaded.

import type { Recorder } from './audit/recorder.ts'
import type { SidecarParts } from './core.ts'
import type { Exchange } from './exchange/start-exchange.ts'
import type { Trust } from './identity/trust.ts'
import { LimitedLog } from './life/limited-log.ts'

/** Of whoever is refused again and again. */
const LOG_RATE = { burst: 20, perSecond: 1 }

export const loadExchange = async (
  { log, now }: Pick<SidecarParts, 'log' | 'now'>,
  trust: Trust | undefined,
  recorder: Recorder | undefined,
): Promise<Exchange | undefined> => {
  const place = trust?.exchange
  if (place === undefined) return undefined
  const { Exchange: Opened } = await import('./exchange/start-exchange.ts')
  const limited = new LimitedLog(log, LOG_RATE, now)
  return new Opened({
    place,
    now,
    log: limited,
    record: recorder && ((caller, told) => recorder.exchanged(caller, told)),
  })
}
