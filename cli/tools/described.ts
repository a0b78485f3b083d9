// What a server says of itself and of all that it lists, asked in the era that it speaks: the newer one where it speaks
// both. Every page is asked for, within bounds, as a client that can do everything: some tools are listed to those alone.

import {
  arrayAt,
  at,
  isObject,
  objectAt,
  stringAt,
  type Json,
  type JsonObject,
} from '../../shared/json.ts'
import { KEY_OF } from '../../shared/lock/digest.ts'
import { LIST_METHODS, LOCKED_KINDS, type LockedKind } from '../../shared/lock/kinds.ts'
import { MAX_LOCKED } from '../../shared/lock/schema.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { ALL_CAPABILITIES, initializeParams, modernMeta } from '../../sidecar/mcp/own-request.ts'
import { LATEST_LEGACY, MODERN } from '../../sidecar/mcp/revision.ts'
import type { Answered, HttpTalk, Refused } from './http-talk.ts'

export interface Described {
  readonly server: { readonly name?: string; readonly version?: string }
  readonly instructions: Json | undefined
  readonly lists: Readonly<Record<LockedKind, readonly JsonObject[]>>
}

const CAPABILITY_OF = {
  tools: 'tools',
  prompts: 'prompts',
  resources: 'resources',
  resourceTemplates: 'resources',
} as const satisfies Record<LockedKind, string>

/** How the server is asked, and what it said first. */
interface Conversation {
  readonly first: JsonObject
  readonly ask: (method: string, params: JsonObject) => Promise<Answered>
}

/** Where the newer era has what the server calls itself. */
const SERVER_KEY = 'io.modelcontextprotocol/serverInfo'
const METHOD_NOT_FOUND = -32_601
const MAX_PAGES = 100

const modern = async (talk: HttpTalk): Promise<Result<Conversation, Refused>> => {
  const ask: Conversation['ask'] = (method, params) =>
    talk.ask(
      method,
      { ...params, _meta: modernMeta(MODERN, ALL_CAPABILITIES) },
      { 'mcp-protocol-version': MODERN, 'mcp-method': method },
    )
  const first = await ask('server/discover', {})
  if (!first.ok) return first
  return arrayAt(first.value, 'supportedVersions') === undefined
    ? fail({ words: 'it does not say what it speaks' })
    : ok({ first: first.value, ask })
}

const legacy = async (talk: HttpTalk): Promise<Result<Conversation, Refused>> => {
  const first = await talk.ask('initialize', initializeParams(ALL_CAPABILITIES))
  if (!first.ok) return first
  talk.keep('mcp-protocol-version', stringAt(first.value, 'protocolVersion') ?? LATEST_LEGACY)
  await talk.tell('notifications/initialized')
  return ok({ first: first.value, ask: (method, params) => talk.ask(method, params) })
}

const begin = async (talk: HttpTalk): Promise<Result<Conversation, Refused>> => {
  const found = await modern(talk)
  return found.ok || found.error.isFinal ? found : legacy(talk)
}

const itemsIn = (result: JsonObject, kind: LockedKind): readonly JsonObject[] | undefined => {
  const items: readonly Json[] = arrayAt(result, kind) ?? []
  const named = items.filter(
    (item) => isObject(item) && (stringAt(item, KEY_OF[kind]) ?? '') !== '',
  )
  return named.length === items.length ? named.filter(isObject) : undefined
}

/** Whether an error says no more than that there is no such list. */
const hasNone = (first: JsonObject, capability: string, { code }: Refused): boolean =>
  code === METHOD_NOT_FOUND ||
  (code !== undefined && objectAt(first, 'capabilities')[capability] === undefined)

/** All pages of a list; what a server does not have is an empty one. */
const listOf = async (
  { first, ask }: Conversation,
  kind: LockedKind,
): Promise<Result<readonly JsonObject[], Refused>> => {
  const [method, capability] = [LIST_METHODS[kind], CAPABILITY_OF[kind]]
  const all: JsonObject[] = []
  let cursor = ''
  for (let pages = 0; pages < MAX_PAGES; pages += 1) {
    const answer = await ask(method, cursor === '' ? {} : { cursor })
    if (!answer.ok) {
      return pages === 0 && hasNone(first, capability, answer.error)
        ? ok([])
        : fail({ ...answer.error, words: `asked for ${method}, ${answer.error.words}` })
    }
    const items = itemsIn(answer.value, kind)
    if (items === undefined) {
      return fail({ words: `asked for ${method}, it lists what has no ${KEY_OF[kind]}` })
    }
    all.push(...items)
    if (all.length > MAX_LOCKED) {
      return fail({ words: `asked for ${method}, it lists more than ${MAX_LOCKED} items` })
    }
    cursor = stringAt(answer.value, 'nextCursor') ?? ''
    if (cursor === '') return ok(all)
  }
  return fail({ words: `asked for ${method}, it has more than ${MAX_PAGES} pages` })
}

const nameIn = (first: JsonObject): Described['server'] => {
  const info = at(first, 'serverInfo') ?? at(first, '_meta', SERVER_KEY)
  const [name, version] = [stringAt(info, 'name'), stringAt(info, 'version')]
  return {
    ...(name === undefined ? {} : { name }),
    ...(version === undefined ? {} : { version }),
  }
}

export const describeServer = async (talk: HttpTalk): Promise<Result<Described, string>> => {
  const conversation = await begin(talk)
  if (!conversation.ok) return fail(conversation.error.words)
  const { first } = conversation.value
  const lists: Record<LockedKind, readonly JsonObject[]> = {
    tools: [],
    prompts: [],
    resources: [],
    resourceTemplates: [],
  }
  for (const kind of LOCKED_KINDS) {
    const list = await listOf(conversation.value, kind)
    if (!list.ok) return fail(list.error.words)
    lists[kind] = list.value
  }
  return ok({ server: nameIn(first), instructions: at(first, 'instructions'), lists })
}
