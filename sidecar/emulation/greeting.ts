// How a session opens between a legacy client and a modern server: what the client says of itself, as each of its requests
// bears it from then on; and what the server answers to `server/discover`, as an answer to `initialize`. Pure.

import * as z from 'zod/mini'
import { isObject } from '../../shared/json.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { saidIn } from '../conversation/answer.ts'
import type { Span } from '../json/scan.ts'
import { member, slice, stringAt, valueAt, type Request, type Response } from '../mcp/message.ts'
import { CAPABILITIES_KEY, CLIENT_KEY, VERSION_KEY } from '../mcp/meta.ts'
import { ASSUMED, LATEST_LEGACY, MODERN, revisionOf } from '../mcp/revision.ts'
import { knownIn, type Capabilities } from '../translation/capabilities.ts'
import { SERVER_KEY } from '../translation/modern-answer.ts'
import { jsonText } from '../translation/own-text.ts'

/** It is kept for as long as its session lives, and goes with each request. */
const MAX_CLIENT_BYTES = 4 * 1024
/** Longer than this is no greeting. */
const MAX_GREETING_BYTES = 1024 * 1024
/** Extensions whose results no legacy client can read. */
const TASKS = 'io.modelcontextprotocol/tasks'
/** A legacy client wants to know whom it speaks to; a modern server need not say. */
const UNNAMED = { name: 'unnamed', version: '0' }

export interface Client {
  /** What the `_meta` of each of its requests says, members as JSON text. */
  readonly envelope: string
  /** What it can be asked for. */
  readonly capabilities: Capabilities
  /** The revision that it asks for. */
  readonly version: string
}

/** Which changes a server tells of. */
export type Kinds = Readonly<Record<string, true>>

export interface Greeting {
  /** The result of `initialize`, JSON text. */
  readonly result: string
  readonly kinds: Kinds
  readonly takesLogLevel: boolean
  readonly takesSubscriptions: boolean
}

/** An object's text; undefined where it is something else. */
const objectText = (text: string, place: Span | undefined): string | undefined =>
  place && text.startsWith('{', place.start) ? slice(text, place) : undefined

/** Its name and version alone where it says more of itself than goes with each request, as icons. */
const infoText = (text: string, place: Span | undefined): string | undefined => {
  const info = objectText(text, place)
  if (info === undefined || info.length <= MAX_CLIENT_BYTES / 2) return info
  const { name, version } = Object(valueAt(text, place))
  return jsonText({ name, version })
}

export const clientIn = ({ text, params }: Request): Result<Client, string> => {
  const place = member(params, 'capabilities')
  const capabilities = objectText(text, place) ?? '{}'
  const info = infoText(text, member(params, 'clientInfo'))
  const named = info === undefined ? '' : `,"${CLIENT_KEY}":${info}`
  const envelope = `"${VERSION_KEY}":"${MODERN}","${CAPABILITIES_KEY}":${capabilities}${named}`
  if (envelope.length > MAX_CLIENT_BYTES) {
    return fail(`its capabilities and clientInfo are longer than ${MAX_CLIENT_BYTES} bytes`)
  }
  return ok({
    envelope,
    capabilities: knownIn(valueAt(text, place)),
    version: stringAt(text, member(params, 'protocolVersion')) ?? ASSUMED,
  })
}

const discovery = z.object({
  supportedVersions: z.array(z.string()),
  capabilities: z.optional(z.record(z.string(), z.unknown())),
  instructions: z.optional(z.string()),
  _meta: z.optional(z.record(z.string(), z.unknown())),
})

/** What a capability says of itself, by one name. */
const says = (capability: unknown, name: string): boolean =>
  isObject(capability) && capability[name] === true

const kindsIn = (capabilities: Readonly<Record<string, unknown>>): Kinds =>
  Object.fromEntries(
    ['tools', 'prompts', 'resources']
      .filter((name) => says(capabilities[name], 'listChanged'))
      .map((name) => [`${name}ListChanged`, true] as const),
  )

/** Without extensions that would not come through. */
const kept = (capability: unknown): unknown =>
  isObject(capability)
    ? Object.fromEntries(Object.entries(capability).filter(([name]) => name !== TASKS))
    : capability

/** `version`: the revision that its client asks for. */
export const greetingIn = (response: Response, version: string): Result<Greeting, string> => {
  const { text, result, error } = response
  if (error) return fail(`it is an error: ${saidIn(response)}`)
  if (text.length > MAX_GREETING_BYTES) return fail(`it is longer than ${MAX_GREETING_BYTES} bytes`)
  const read = discovery.safeParse(valueAt(text, result))
  if (!read.success) return fail('it has no supportedVersions, or its members are of other types')
  const { supportedVersions, capabilities = {}, instructions, _meta } = read.data
  if (!supportedVersions.includes(MODERN)) return fail(`its supportedVersions lack ${MODERN}`)
  const info = _meta?.[SERVER_KEY]
  return ok({
    result: jsonText({
      protocolVersion: revisionOf(version)?.era === 'legacy' ? version : LATEST_LEGACY,
      capabilities: Object.fromEntries(
        Object.entries(capabilities).map(([name, value]) => [name, kept(value)]),
      ),
      serverInfo: isObject(info) ? info : UNNAMED,
      instructions,
    }),
    kinds: kindsIn(capabilities),
    takesLogLevel: isObject(capabilities['logging']),
    takesSubscriptions: says(capabilities['resources'], 'subscribe'),
  })
}
