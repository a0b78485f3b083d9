// Settings: the typed values of the annotation table. Text in, typed value or a sentence out.
// Pure; it knows nothing of scopes and floors (webhook/settings resolves those) nor where text came from.

import {
  annotation,
  isKey,
  KEYS,
  PREFIX,
  type ANNOTATIONS,
  type Annotation,
  type Key,
} from './annotations.ts'
import { CALLER_FORMS, callerOf } from './callers.ts'
import { DESTINATION_FORMS, NO_EGRESS } from './destination.ts'
import { MAX_DESTINATIONS, parseDestinations } from './destination-list.ts'
import { identityConflicts } from './identity.ts'
import {
  breakerRule,
  rate,
  toolLimits,
  type BreakerRule,
  type Rate,
  type ToolLimits,
} from './limits.ts'
import { parsePath } from './json-path.ts'
import { nearest } from './nearest.ts'
import { duration, integer } from './numbers.ts'
import { processConflicts } from './process-conflicts.ts'
import { fail, ok, type Result } from './result.ts'

/** Uids of a pod's containers. */
export interface Uids {
  /** Of those that are not named. */
  readonly every: number | undefined
  readonly named: ReadonlyMap<string, number>
}

type Values = {
  boolean: boolean
  enum: string
  name: string
  integer: number
  /** Milliseconds. */
  duration: number
  port: number
  path: string
  command: readonly string[]
  list: readonly string[]
  directories: readonly string[]
  destinations: readonly string[]
  callers: readonly string[]
  quantity: string
  /** Bytes. */
  size: number
  url: string
  uids: Uids
  headers: readonly string[]
  paths: readonly string[]
  file: string
  rate: Rate
  'tool-limits': ReadonlyMap<string, ToolLimits>
  breaker: BreakerRule
  redactions: readonly string[]
  'caller-variables': readonly string[]
  'exchange-items': readonly string[]
}

type Row<K extends Key> = (typeof ANNOTATIONS)[K]
export type ValueOf<K extends Key> =
  Row<K> extends { type: 'enum'; values: readonly (infer V)[] } ? V : Values[Row<K>['type']]
type WithDefault = { [K in Key]: Row<K> extends { default: string } ? K : never }[Key]

/** One resolved value per key; keys without a default may be absent. Durations in milliseconds. */
export type Settings = { readonly [K in WithDefault]: ValueOf<K> } & {
  readonly [K in Exclude<Key, WithDefault>]?: ValueOf<K>
}

const DNS_LABEL = '[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?'
const NAME = new RegExp(`^(?=.{1,253}$)${DNS_LABEL}(\\.${DNS_LABEL})*$`)
// Longer ones are nothing that the floor's comparison reads, so that they would pass it.
const QUANTITY = /^\d{1,15}(\.\d{1,9})?(m|k|M|G|Ki|Mi|Gi)?$/
const PATH = /^\/[!-~]{0,1023}$/

type Parse = (text: string, row: Annotation) => unknown

const id = (text: string): number | undefined => integer(text, MAX_INTEGER)

const SIZE = /^([1-9]\d{0,5})(Ki|Mi)$/

const size = (text: string, { min = 0 }: Annotation): number | undefined => {
  const [, amount, unit] = SIZE.exec(text) ?? []
  const bytes = Number(amount) * (unit === 'Mi' ? 1024 * 1024 : 1024)
  return bytes >= min ? bytes : undefined
}

const command = (text: string): readonly string[] | undefined => {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  const words = Array.isArray(value) ? value : []
  const isCommand =
    words.length > 0 && words[0] !== '' && words.every((word) => typeof word === 'string')
  return isCommand && !words.some((word: string) => word.includes('\0')) ? words : undefined
}

// Of every list: whoever needs more has a pattern, a range or a scope for it.
const MAX_ITEMS = 256

const items =
  (isItem: (item: string) => boolean) =>
  (text: string): readonly string[] | undefined => {
    const list = text.split(',', MAX_ITEMS + 1).map((item) => item.trim())
    const isRight = list.length <= MAX_ITEMS && list.every(isItem)
    return isRight && new Set(list).size === list.length ? list : undefined
  }

const isDirectory = (path: string): boolean =>
  PATH.test(path) &&
  path !== '/' &&
  !path
    .split('/')
    .slice(1)
    .some((part) => part === '' || part === '.' || part === '..')

const BOOLEANS = new Map([
  ['true', true],
  ['false', false],
])

const destinations = (text: string): readonly string[] | undefined => {
  const parsed = parseDestinations(text)
  return parsed.ok ? parsed.value.map((destination) => destination.text) : undefined
}

const uids = (text: string): Uids | undefined => {
  const parts = text.split(',').map((item) => item.trim().split('='))
  const every = parts.filter(([, uid]) => uid === undefined).map(([uid = '']) => id(uid))
  const named = parts.flatMap(([name = '', uid, ...more]) =>
    uid === undefined
      ? []
      : [[name, more.length === 0 && NAME.test(name) ? id(uid) : undefined] as const],
  )
  const known = named.flatMap(([name, uid]) => (uid === undefined ? [] : [[name, uid] as const]))
  const isRight = every.length <= 1 && !every.includes(undefined) && known.length === named.length
  const byName = new Map(known)
  return isRight && byName.size === known.length ? { every: every[0], named: byName } : undefined
}

const url = (text: string): string | undefined => {
  const parsed = URL.canParse(text) ? new URL(text) : undefined
  const isPlain = parsed?.hash === '' && parsed.username === '' && parsed.password === ''
  return isPlain && /^https?:$/.test(parsed.protocol) ? text : undefined
}

// What belongs to a connection, to a message's form or to the protocol is ours to set.
const OUR_HEADERS =
  /^(?:accept|connection|content-.*|expect|host|keep-alive|last-event-id|mcp-.*|origin|proxy-.*|te|trailer|transfer-encoding|upgrade)$/i

const isHeader = (name: string): boolean =>
  /^[\w!#$%&'*+.^`|~-]{1,64}$/.test(name) && !OUR_HEADERS.test(name)

// Where MCP is spoken, by either transport, or where it usually is; a slash more or other letters mean the same to many.
const MCP_PATHS = /^\/(?:mcp|sse|http|messages?)?\/?$/i

/** A path that no two readers take for different ones: nothing encoded, no dots to walk up by. */
const isOpenPath = (path: string): boolean =>
  isDirectory(path.replace(/(?<=.)\/$/, '')) && !/[%?#\\;]/.test(path) && !MCP_PATHS.test(path)

// Of what is asked, answered or refused: elsewhere in a record nothing is looked for.
const RECORDED = ['params', 'result', 'error']

/** A member's name, or a path. */
const isRedaction = (item: string): boolean => {
  if (!item.startsWith('$')) return /^[^\p{C}]{1,256}$/u.test(item)
  const path = item.length <= 256 ? parsePath(item) : undefined
  const [first] = path?.ok === true ? path.value : []
  return first !== undefined && 'name' in first && RECORDED.includes(first.name)
}

/** What is wrong with a text, as a sentence, where its parser knows more than that it is. */
type Fault = (text: string) => string | undefined

const destinationFaults: Fault = (text) => {
  const parsed = parseDestinations(text)
  return parsed.ok ? undefined : parsed.error
}

const PARSERS: {
  readonly [T in Annotation['type']]: readonly [parse: Parse, wants: string, fault?: Fault]
} = {
  boolean: [(text) => BOOLEANS.get(text), '`true` or `false`'],
  enum: [(text, row) => row.values?.find((value) => value === text), 'one of the listed words'],
  name: [(text) => (NAME.test(text) ? text : undefined), 'a Kubernetes name (a-z, 0-9, - and .)'],
  integer: [(text, row) => integer(text, row.max ?? MAX_INTEGER), 'a whole number from 1'],
  duration: [duration, 'a duration such as `500ms`, `60s`, `30m` or `2h`'],
  port: [(text) => integer(text, 65_535), 'a port from 1 to 65535'],
  path: [(text) => (PATH.test(text) ? text : undefined), 'a path that begins with /'],
  command: [command, 'a JSON array of strings such as `["node","server.js"]`'],
  list: [
    items((item) => /^[!-~]{1,2048}$/.test(item)),
    `a comma separated list of up to ${MAX_ITEMS}, no item twice`,
  ],
  directories: [
    items(isDirectory),
    `a comma separated list of up to ${MAX_ITEMS} clean absolute directories`,
  ],
  destinations: [
    destinations,
    `\`${NO_EGRESS}\`, or a comma separated list of up to ${MAX_DESTINATIONS}, no item and no local port twice: ${DESTINATION_FORMS}`,
    destinationFaults,
  ],
  callers: [
    items((item) => callerOf(item) !== undefined),
    `a comma separated list of up to ${MAX_ITEMS}, no item twice: ${CALLER_FORMS}`,
  ],
  quantity: [
    (text) => (QUANTITY.test(text) && Number.parseFloat(text) > 0 ? text : undefined),
    'a quantity such as `50m` or `96Mi`',
  ],
  size: [size, 'a size such as `512Ki` or `8Mi`'],
  url: [url, 'an http or https URL without user or fragment'],
  headers: [
    items(isHeader),
    "a comma separated list of header names, none of the connection's or the protocol's own",
  ],
  paths: [
    items(isOpenPath),
    `a comma separated list of up to ${MAX_ITEMS} clean paths, none of them \`/\` or one where MCP is spoken`,
  ],
  file: [(text) => (isDirectory(text) ? text : undefined), 'a clean absolute path of a file'],
  rate: [rate, 'a number from 1 in a second, minute or hour, such as `5/s`, `300/m` or `1000/h`'],
  'tool-limits': [
    toolLimits,
    'a comma list of up to 256 limits of tools, each once: `search=30/m`, `search=2` (at once) or `search=5m` (wait)',
  ],
  redactions: [
    items(isRedaction),
    `a comma separated list of up to ${MAX_ITEMS} names and JSON paths, such as \`iban,$.params.arguments.card\`, without a comma in them`,
  ],
  breaker: [breakerRule, 'a number of failures and a pause, such as `5/30s`'],
  'caller-variables': [
    // Its templates are read by caller-environment.ts, where somebody acts on them.
    items((item) => /^\w+=.*\{\{/.test(item)),
    'a comma separated list of variables with templates, such as `USER_EMAIL={{claims.email}}`',
  ],
  'exchange-items': [
    // What each means is read by token-exchange.ts, where somebody acts on it.
    items((item) => /^(?:audience|resource|scope)=./.test(item)),
    'a comma separated list of audience=NAME, resource=URI and scope=NAME',
  ],
  uids: [
    uids,
    'a uid from 1, or a comma list of uids for single containers such as `1000,migrate=1001`',
  ],
}

// Uids and the like: what the API server takes.
const MAX_INTEGER = 2_147_483_647
const MAX_VALUE_LENGTH = 65_536

/** What a value of this key must look like, as the end of a sentence. */
export const wants = (key: Key): string => {
  const row = annotation(key)
  if (row.values) return row.values.map((value) => `\`${value}\``).join(' or ')
  const [, words] = PARSERS[row.type]
  if (row.min !== undefined) return `${words}, at least ${row.min / 1024 / 1024}Mi`
  return row.max === undefined ? words : `${words} to ${row.max}`
}

/** Parses the text of one key's value; the error is a sentence that says what would be right. */
export const parseValue = <K extends Key>(key: K, text: string): Result<ValueOf<K>, string> => {
  const row = annotation(key)
  const [parse, , fault] = PARSERS[row.type]
  const isLong = text.length > MAX_VALUE_LENGTH
  const value = isLong ? undefined : parse(text, row)
  if (value === undefined) {
    const shown = JSON.stringify(text.slice(0, 80))
    const words = isLong ? undefined : fault?.(text)
    return fail(`${key}: ${words ?? `${shown} is not right: use ${wants(key)}`}`)
  }
  // The table ties each key's type to its parser; this is the one place that says so.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return ok(value as ValueOf<K>)
}

/** What two settings say that cannot hold together. */
export const conflicts = (settings: Settings): readonly string[] => [
  ...forwardErrors(settings),
  ...pathConflicts(settings),
  ...identityConflicts(settings),
  ...processConflicts(settings),
]

/** Paths that are to be open and are where the server speaks MCP. */
export const pathConflicts = ({ path, 'open-paths': open = [] }: Settings): readonly string[] => {
  const plain = (text: string): string => text.replace(/\/$/, '').toLowerCase()
  return open
    .filter((one) => path !== undefined && plain(one) === plain(path))
    .map((one) => `open-paths: ${one} is where the server speaks MCP; leave it out`)
}

const forwardErrors = (settings: Settings): readonly string[] => {
  const names = settings['forward-headers'] ?? []
  if (names.length === 0) return []
  const isAuthorized = names.some((name) => name.toLowerCase() === 'authorization')
  const model = settings['process-model']
  return [
    ...(isAuthorized && settings.auth !== 'none'
      ? [
          'forward-headers: Authorization goes on with auth: none only: a token that the sidecar has verified is meant for nobody else',
        ]
      : []),
    ...(model === 'session'
      ? []
      : [
          `forward-headers: with process-model: ${model} callers would share what one of them has opened with his; use process-model: session`,
        ]),
    ...(settings['translate-eras']
      ? ['forward-headers: with translate-eras calls share sessions; leave one of the two out']
      : []),
  ]
}

// Nobody mistypes more than a few; each is compared with every key of the table.
const MAX_HINTS = 5

/** That a word is no key, as a sentence; for the first few with the nearest match. */
const unknownKey = (word: string, index: number): string => {
  const bare = word.startsWith(PREFIX) ? word.slice(PREFIX.length) : word
  const near = index < MAX_HINTS ? nearest(bare, KEYS) : undefined
  const match = isKey(bare) ? bare : near
  const hint = match === undefined ? '' : `; did you mean ${match}?`
  return `${JSON.stringify(word)} is not a key of the annotation table${hint}`
}

/** Every word that is no key of the table, told. */
export const unknownKeys = (texts: Readonly<Record<string, string>>): string[] =>
  Object.keys(texts)
    .filter((word) => !isKey(word))
    .map(unknownKey)

/** Parses texts by key, the table's defaults standing in for what is absent; every error at once. */
export const parseSettings = (
  texts: Readonly<Record<string, string>>,
): Result<Settings, string[]> => {
  const errors = unknownKeys(texts)
  const values: Partial<Record<Key, unknown>> = {}
  for (const key of KEYS) {
    const text = texts[key] ?? annotation(key).default
    if (text === undefined) continue
    const value = parseValue(key, text)
    if (value.ok) values[key] = value.value
    else errors.push(value.error)
  }
  // Every key with a default has been filled from the table, which is what Settings promises.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return errors.length > 0 ? fail(errors) : ok(values as Settings)
}
