// Whether, and when, a server that speaks HTTP is asked for its listening stream again after it has refused it. Most that
// refuse have none (405, as they must; 404 and 400 from others) and are left alone; who is busy, or still holds the stream
// that broke, has it a moment later. Pure.

const FIRST_MS = 1000
const MAX_MS = 60_000
/** Refusals of now: too early, in conflict with the stream before, too often. */
const LATER: ReadonlySet<number> = new Set([408, 409, 425, 429])
const NEVER: ReadonlySet<number> = new Set([501, 505])

export interface Refused {
  readonly status: number
  readonly retryAfter: string | undefined
  /** An event was named behind which it is to go on. */
  readonly isResumed: boolean
  /** Its caller's own headers go on, and may be others the next time. */
  readonly forwards: boolean
}

export interface Again {
  readonly pauseMs: number
  /** From now on, without the event: the server does not know it any more. */
  readonly isAnew: boolean
}

/** How long one waits who has been refused, or has not got through, so many times before. */
export const pauseAfter = (misses: number, retryAfter?: string): number => {
  const askedMs = /^\d{1,9}$/.test(retryAfter ?? '') ? Number(retryAfter) * 1000 : 0
  const ownMs = FIRST_MS * 2 ** Math.min(misses, 6)
  return Math.min(Math.max(askedMs, ownMs), MAX_MS)
}

const mayChange = ({ status, forwards }: Refused): boolean => {
  if (status === 401 || status === 403) return forwards
  return LATER.has(status) || (status >= 500 && !NEVER.has(status))
}

/** Undefined: never in this session. */
export const listenAgain = (refused: Refused, misses: number): Again | undefined => {
  if (mayChange(refused)) return { pauseMs: pauseAfter(misses, refused.retryAfter), isAnew: false }
  const { status, isResumed } = refused
  const isForgotten = isResumed && status >= 400 && status !== 405 && status < 500
  return isForgotten ? { pauseMs: pauseAfter(misses), isAnew: true } : undefined
}
