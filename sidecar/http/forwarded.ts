// The headers of a client's request that its server gets besides the protocol's own: those that the setting names, and
// none without it.

import type { IncomingMessage } from 'node:http'
import { header } from './exchange.ts'

/** Their values, by lower-case name. */
export type Forwarded = (request: IncomingMessage) => Readonly<Record<string, string>>

/** Undefined where nothing goes on: then nothing is looked at. */
export const forwarded = (names: readonly string[] = []): Forwarded | undefined => {
  const keys = names.map((name) => name.toLowerCase())
  if (keys.length === 0) return undefined
  return (request) =>
    Object.fromEntries(
      keys.flatMap((key) => {
        const value = header(request, key)
        return value === undefined ? [] : [[key, value]]
      }),
    )
}
