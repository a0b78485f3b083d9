// How loud a server is to be, for a request that asks for log lines (RFC 5424's severities, quietest last). Pure.

import { member, stringAt, type Notification, type Request } from '../mcp/message.ts'
import { LOG_LEVEL_KEY } from '../mcp/meta.ts'

const LEVELS = [
  'debug',
  'info',
  'notice',
  'warning',
  'error',
  'critical',
  'alert',
  'emergency',
] as const
export type LogLevel = (typeof LEVELS)[number]

const known = (word: string | undefined): LogLevel | undefined =>
  LEVELS.find((level) => level === word)

/** The level that a request asks for; undefined where that is none. */
export const askedLevel = ({ text, meta }: Request): LogLevel | undefined =>
  known(stringAt(text, member(meta, LOG_LEVEL_KEY)))

/** The level that `logging/setLevel` names, or a log line has. */
export const levelIn = ({ text, params }: Request | Notification): LogLevel | undefined =>
  known(stringAt(text, member(params, 'level')))

/** Whether a log line is one of those that were asked for; a level that nobody knows is none. */
export const isAsked = (message: Notification, asked: LogLevel): boolean => {
  const level = levelIn(message)
  return level !== undefined && LEVELS.indexOf(level) >= LEVELS.indexOf(asked)
}
