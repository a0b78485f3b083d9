// What a legacy server has said in `initialize`, as an answer to `server/discover`. Pure. It promises nothing that is not
// translated.

import * as z from 'zod/mini'
import { isObject } from '../../shared/json.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import { valueAt, type Response } from '../mcp/message.ts'
import { MODERN, revisionOf } from '../mcp/revision.ts'
import { jsonText } from './own-text.ts'
import { SERVER_KEY } from './modern-answer.ts'

/** It is kept for as long as its process lives. */
const MAX_BYTES = 1024 * 1024
/** Capabilities that exist in the legacy era alone, and what of the others needs a subscription. */
const NOT_TRANSLATED = new Set(['tasks'])
const LISTENING = new Set(['listChanged', 'subscribe'])

export interface Discovery {
  /** The result of `server/discover`, JSON text. */
  readonly result: string
  /** What it says that it is, JSON text; undefined where it says nothing. */
  readonly serverInfo: string | undefined
  /** Whether it can be told how much to log. */
  readonly takesLogLevel: boolean
}

const greeting = z.object({
  protocolVersion: z.string(),
  capabilities: z.optional(z.record(z.string(), z.unknown())),
  serverInfo: z.optional(z.unknown()),
  instructions: z.optional(z.string()),
})

const translated = (capability: unknown): unknown =>
  isObject(capability)
    ? Object.fromEntries(Object.entries(capability).filter(([name]) => !LISTENING.has(name)))
    : capability

const failed = (why: string): Result<never, Fault> =>
  fail(fault('server-failed', `the server's answer to initialize cannot be translated: ${why}`))

export const discoveryIn = ({ text, result, error }: Response): Result<Discovery, Fault> => {
  if (error) return failed('it is an error')
  if (text.length > MAX_BYTES) return failed(`it is longer than ${MAX_BYTES} bytes`)
  const read = greeting.safeParse(valueAt(text, result))
  if (!read.success) return failed('it has no protocolVersion, or its members are of other types')
  const { protocolVersion, capabilities = {}, serverInfo, instructions } = read.data
  if (revisionOf(protocolVersion)?.era !== 'legacy') {
    return failed('its protocolVersion is no older revision')
  }
  const kept = Object.entries(capabilities).filter(([name]) => !NOT_TRANSLATED.has(name))
  const info = isObject(serverInfo) ? { [SERVER_KEY]: serverInfo } : undefined
  return ok({
    result: jsonText({
      resultType: 'complete',
      supportedVersions: [MODERN],
      capabilities: Object.fromEntries(kept.map(([name, value]) => [name, translated(value)])),
      instructions,
      ttlMs: 0,
      cacheScope: 'private',
      _meta: info,
    }),
    serverInfo: info && jsonText(serverInfo),
    takesLogLevel: isObject(capabilities['logging']),
  })
}
