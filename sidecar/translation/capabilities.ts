// What a modern client says that it can be asked for, as far as a legacy server can make use of it, and which of it a
// question needs. Only what is known is told on: its variants are few, and each has processes of its own.

import { isObject } from '../../shared/json.ts'
import { member, slice, stringAt, valueAt, type Request } from '../mcp/message.ts'
import { CAPABILITIES_KEY } from '../mcp/meta.ts'

/** By capability, what of it can be told apart. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  elicitation: ['form', 'url'],
  sampling: ['context', 'tools'],
  roots: [],
}
/** More than what is known would take is not looked at. */
const MAX_BYTES = 64 * 1024

/** Which capability a question needs. */
const NEEDED: ReadonlyMap<string, string> = new Map([
  ['elicitation/create', 'elicitation'],
  ['sampling/createMessage', 'sampling'],
  ['roots/list', 'roots'],
])

/** What makes sampling one with tools. */
const TOOLS = ['tools', 'toolChoice']

export type Capabilities = Readonly<Record<string, Readonly<Record<string, object>>>>

export const NO_CAPABILITIES: Capabilities = {}

/** With a name, the same for the same. */
export interface Declared {
  readonly capabilities: Capabilities
  readonly name: string
}

const named = (capabilities: Capabilities): Declared => ({
  capabilities,
  name: JSON.stringify(capabilities),
})

export const NOTHING_DECLARED = named(NO_CAPABILITIES)
/** What is longer is read each time. */
const MAX_REMEMBERED = 1024

export const capabilitiesOf = ({ text, meta }: Request): Capabilities => {
  const place = member(meta, CAPABILITIES_KEY)
  const isRead = place !== undefined && place.end - place.start <= MAX_BYTES
  return isRead ? knownIn(valueAt(text, place)) : NO_CAPABILITIES
}

/** What is known of what a client declares. */
export const knownIn = (declared: unknown): Capabilities => {
  if (!isObject(declared)) return NO_CAPABILITIES
  return Object.fromEntries(
    Object.entries(KNOWN).flatMap(([name, parts]) => {
      const own = declared[name]
      if (!isObject(own)) return []
      const kept = parts.filter((part) => isObject(own[part])).map((part) => [part, {}] as const)
      return [[name, Object.fromEntries(kept)]]
    }),
  )
}

/** Which part of a capability a question needs; undefined where all who have it can be asked. */
const partFor = (name: string, { text, params }: Request): string | undefined => {
  if (name === 'elicitation') {
    return stringAt(text, member(params, 'mode')) === 'url' ? 'url' : 'form'
  }
  const isSaid = (one: string): boolean => {
    const place = member(params, one)
    return place !== undefined && !text.startsWith('null', place.start)
  }
  return name === 'sampling' && TOOLS.some(isSaid) ? 'tools' : undefined
}

/** Whether a client can be asked this: `unknown` of what no client is asked, else what it would have to declare. */
export const missingFor = (
  message: Request,
  capabilities: Capabilities,
): 'unknown' | Readonly<Record<string, object>> | undefined => {
  const name = NEEDED.get(message.method)
  if (name === undefined) return 'unknown'
  const declared = capabilities[name]
  if (declared === undefined) return { [name]: {} }
  const part = partFor(name, message)
  // Who declares nothing of elicitation in particular can be asked by a form (2025-11-25, elicitation).
  const isDefault = part === 'form' && Object.keys(declared).length === 0
  const isMissing = part !== undefined && !isDefault && declared[part] === undefined
  return isMissing ? { [name]: { [part]: {} } } : undefined
}

/** Reads what a request declares, which is nearly always what the one before it has declared, to the letter. */
export class DeclaredBefore {
  private text: string | undefined
  private last = NOTHING_DECLARED

  by(request: Request): Declared {
    const place = member(request.meta, CAPABILITIES_KEY)
    const isShort = place !== undefined && place.end - place.start <= MAX_REMEMBERED
    const text = isShort ? slice(request.text, place) : undefined
    if (text !== undefined && text === this.text) return this.last
    const found = named(capabilitiesOf(request))
    if (text === undefined) return found
    this.text = text
    this.last = found
    return found
  }
}
