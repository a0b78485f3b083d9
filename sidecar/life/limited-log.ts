// A log that nobody can flood: of what says the same, a burst is written and then so many lines a second. What is left
// out is counted, and the number is a line of its own once there is room for it again.

import type { Level, Log } from '../../shared/log.ts'

type Fields = Parameters<Log['info']>[1]

export interface LogRate {
  /** Lines of one kind at once. */
  readonly burst: number
  readonly perSecond: number
  /** What all lines are; absent: each is of the kind that its message is. */
  readonly kind?: string
}

interface Kind {
  readonly level: Level
  readonly message: string
  tokens: number
  sinceMs: number
  leftOut: number
}

/** Kinds of lines that are told apart; what comes beyond shares one of its level, until some are silent. */
const MAX_KINDS = 128

export class LimitedLog implements Log {
  private readonly log: Log
  private readonly rate: LogRate
  private readonly now: () => number
  private readonly kinds = new Map<string, Kind>()

  constructor(log: Log, rate: LogRate, now: () => number) {
    this.log = log
    this.rate = rate
    this.now = now
  }

  debug(message: string, fields?: Fields): void {
    this.write('debug', message, fields)
  }

  info(message: string, fields?: Fields): void {
    this.write('info', message, fields)
  }

  warn(message: string, fields?: Fields): void {
    this.write('warn', message, fields)
  }

  error(message: string, fields?: Fields): void {
    this.write('error', message, fields)
  }

  /** Tells what was left out, where there is room again, and forgets of what there is nothing to remember. */
  sweep(nowMs: number): void {
    for (const [key, kind] of this.kinds) {
      const { level, message, leftOut } = kind
      if (leftOut === 0) {
        this.fill(kind, nowMs)
        if (kind.tokens === this.rate.burst) this.kinds.delete(key)
        continue
      }
      if (!this.take(kind, nowMs)) continue
      kind.leftOut = 0
      this.log[level]('lines were left out: too many said the same', { said: message, leftOut })
    }
  }

  private write(level: Level, message: string, fields: Fields): void {
    const kind = this.kindOf(level, message, fields)
    if (kind.leftOut === 0 && this.take(kind, this.now())) this.log[level](message, fields)
    else kind.leftOut++
  }

  /** A fault's code tells one kind of refusal from another; so does the level. */
  private kindOf(level: Level, text: string, fields: Fields): Kind {
    const message = this.rate.kind ?? text
    const wanted = `${level} ${message} ${fields?.['fault'] ?? ''}`
    const key = this.kinds.has(wanted) || this.kinds.size < MAX_KINDS ? wanted : level
    const found = this.kinds.get(key)
    if (found) return found
    const kind = { level, message, tokens: this.rate.burst, sinceMs: this.now(), leftOut: 0 }
    this.kinds.set(key, kind)
    return kind
  }

  /** One that has its whole room again is as if it had never spoken. */
  private fill(kind: Kind, nowMs: number): void {
    const { burst, perSecond } = this.rate
    const gained = ((nowMs - kind.sinceMs) * perSecond) / 1000
    kind.tokens = Math.min(burst, kind.tokens + Math.max(gained, 0))
    kind.sinceMs = nowMs
  }

  private take(kind: Kind, nowMs: number): boolean {
    this.fill(kind, nowMs)
    if (kind.tokens < 1) return false
    kind.tokens--
    return true
  }
}
