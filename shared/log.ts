// The programs' own log: JSON lines, levels, nothing secret. Fields are given by the caller by
// name; a value is cut at a bound, and what steers a terminal or breaks a line is escaped.

import { oneLine, plainJson } from './one-line.ts'

export const LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type Level = (typeof LEVELS)[number]

export type Fields = Readonly<Record<string, string | number | boolean | undefined>>

export interface Log {
  debug(message: string, fields?: Fields): void
  info(message: string, fields?: Fields): void
  warn(message: string, fields?: Fields): void
  error(message: string, fields?: Fields): void
}

const MAX_VALUE_LENGTH = 2048

const cut = (
  value: string | number | boolean | undefined,
): string | number | boolean | undefined =>
  typeof value === 'string' && value.length > MAX_VALUE_LENGTH
    ? `${value.slice(0, MAX_VALUE_LENGTH)}…`
    : value

export interface LogOptions {
  readonly level: Level
  /** Takes one whole line, its end included. */
  readonly write: (line: string) => void
  /** The time of a line, milliseconds since the epoch. */
  readonly now: () => number
  /** For a person at a terminal: a sentence without the time, its fields behind it. */
  readonly isPlain?: boolean
}

type Values = Readonly<Record<string, string | number | boolean | undefined>>

const jsonLine = (time: number, level: Level, message: string, fields: Values): string =>
  plainJson(JSON.stringify({ time: new Date(time).toISOString(), level, message, ...fields }))

const LEVEL_WORDS: Readonly<Record<Level, string>> = {
  debug: 'debug',
  info: 'info',
  warn: 'warning',
  error: 'error',
}

const plainLine = (level: Level, message: string, fields: Values): string => {
  const rest = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value}`],
  )
  const behind = rest.length === 0 ? '' : ` (${rest.join(', ')})`
  return oneLine(`outrigger: ${LEVEL_WORDS[level]}: ${message}${behind}`)
}

export const createLog = ({ level, write, now, isPlain = false }: LogOptions): Log => {
  const least = LEVELS.indexOf(level)
  const at =
    (name: Level) =>
    (message: string, fields: Fields = {}): void => {
      if (LEVELS.indexOf(name) < least) return
      const cutFields = Object.fromEntries(
        Object.entries(fields).map(([key, value]) => [key, cut(value)]),
      )
      const text = isPlain
        ? plainLine(name, message, cutFields)
        : jsonLine(now(), name, String(cut(message)), cutFields)
      write(`${text}\n`)
    }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}
