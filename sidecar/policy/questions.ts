// What a client's message asks for, as a policy decides about it. What names its target so that two readers could take it
// differently cannot be decided. Pure.

import { isList, isObject, type Json } from '../../shared/json.ts'
import { readArguments, readArgumentsWithin } from '../../shared/policy/arguments.ts'
import type { ArgumentsOf } from '../../shared/policy/condition.ts'
import type { Target } from '../../shared/policy/rules.ts'
import { templateGlob } from '../../shared/policy/uri.ts'
import type { Span } from '../json/scan.ts'
import {
  decodedSlice,
  member,
  nameOf,
  stringAt,
  valueAt,
  type Notification,
  type Request,
} from '../mcp/message.ts'

export interface Asks {
  readonly target: Target
  readonly argumentsOf: ArgumentsOf
}

type Called = Request | Notification

const noArguments: ArgumentsOf = () => readArguments(undefined)

/** Read once, where a condition asks. */
const argumentsAt = (text: string, place: Span): ArgumentsOf => {
  let read: ReturnType<ArgumentsOf> | undefined
  return () =>
    (read ??=
      readArgumentsWithin(text, place.start, place.end) ?? readArguments(decodedSlice(text, place)))
}

const about = (target: Target): Asks => ({ target, argumentsOf: noArguments })

const method = (name: string): Asks => about({ kind: 'methods', name })

const resource = (uri: string): Asks =>
  uri.includes('{')
    ? about({ kind: 'resources', name: templateGlob(uri), isTemplate: true })
    : about({ kind: 'resources', name: uri })

/** A name that is no string is one to whoever looks it up with it: `["a"]` finds what `a` finds. */
const named = (message: Called, kind: 'tools' | 'prompts'): readonly Asks[] | undefined => {
  const { text, params } = message
  const name = nameOf(message)
  if (name === undefined) return undefined
  const place = member(params, 'arguments')
  const argumentsOf = place ? argumentsAt(text, place) : noArguments
  return [{ target: { kind, name }, argumentsOf }]
}

/** A member as a value, where its own members are these alone. */
const plainObject = (
  { text, params }: Called,
  name: string,
  members: ReadonlySet<string>,
): Readonly<Record<string, Json>> | undefined => {
  const value = valueAt(text, member(params, name))
  return isObject(value) && Object.keys(value).every((one) => members.has(one)) ? value : undefined
}

const REFERENCE = new Set(['type', 'name', 'uri', 'title'])

const completion = (message: Called): readonly Asks[] | undefined => {
  const reference = plainObject(message, 'ref', REFERENCE)
  const { type, name, uri } = reference ?? {}
  if (type === 'ref/prompt' && typeof name === 'string') return [about({ kind: 'prompts', name })]
  if (type === 'ref/resource' && typeof uri === 'string') return [resource(uri)]
  return undefined
}

const FILTER = new Set([
  'toolsListChanged',
  'promptsListChanged',
  'resourcesListChanged',
  'resourceSubscriptions',
])

const subscription = (message: Called): readonly Asks[] | undefined => {
  const own = method(message.method)
  if (member(message.params, 'notifications') === undefined) return [own]
  const wanted = plainObject(message, 'notifications', FILTER)
  const uris = wanted?.['resourceSubscriptions'] ?? []
  const texts = isList(uris) ? uris.filter((uri) => typeof uri === 'string') : undefined
  if (wanted === undefined || !isList(uris) || texts?.length !== uris.length) return undefined
  return [own, ...texts.map(uriOf)]
}

const uriOf = (uri: string): Asks => about({ kind: 'resources', name: uri })

const location = ({ text, params }: Called): readonly Asks[] | undefined => {
  const uri = stringAt(text, member(params, 'uri'))
  return uri === undefined ? undefined : [uriOf(uri)]
}

/** Everything that a message asks for at once, all of which has to be allowed; undefined where nobody can tell. */
export const asksOf = (message: Called): readonly Asks[] | undefined => {
  switch (message.method) {
    case 'tools/call':
      return named(message, 'tools')
    case 'prompts/get':
      return named(message, 'prompts')
    case 'resources/read':
    case 'resources/subscribe':
    case 'resources/unsubscribe':
      return location(message)
    case 'completion/complete':
      return completion(message)
    case 'subscriptions/listen':
      return subscription(message)
    default:
      return [method(message.method)]
  }
}
