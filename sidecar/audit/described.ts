// What a record says of a caller, a message and where they came from, from what the stages have found out. Whatever
// somebody else wrote is cut. Pure.

import type { EventOf } from '../../shared/audit/record.ts'
import { isObject, type Json } from '../../shared/json.ts'
import type { Permit } from '../access/permit.ts'
import type { Actor, Principal } from '../access/principal.ts'
import { header, type Exchange } from '../http/exchange.ts'
import { member, slice, stringAt, type Message, type Request } from '../mcp/message.ts'
import { CLIENT_KEY } from '../mcp/meta.ts'
import { contextIn, readContext } from '../telemetry/trace-context.ts'
import type { RequestTrace, TraceContext } from '../telemetry/trace.ts'

type Asked = Pick<EventOf<'attempt'>, 'caller' | 'message'>
type Caller = Asked['caller']
type AuditMessage = Asked['message']
type Context = Pick<EventOf<'denial'>, 'address' | 'session' | 'traceId' | 'spanId' | 'asserted'>
type Actors = NonNullable<Extract<Caller, { readonly by: 'token' }>['actors']>
type Asserted = NonNullable<Context['asserted']>

/** Longest text of somebody else's, characters. */
const MAX_LENGTH = 256
const MAX_ACTORS = 8
/** `clientInfo` is an object of somebody else's making: what is longer is not read. */
const MAX_CLIENT_LENGTH = 4096

/** What is left of a text without secrets. */
export type Clean = (text: string) => string

export const cut = (text: string): string =>
  text.length > MAX_LENGTH ? text.slice(0, MAX_LENGTH).toWellFormed() : text

/** Of a text so much is looked at for secrets. */
const MAX_CLEANED = 1024

/** The beginning of a text, without secrets: cleaned before it is cut, so that none is cut in two and not known. */
export const brief = (text: string, clean: Clean): string => {
  const cleaned = clean(text.slice(0, MAX_CLEANED).toWellFormed())
  if (text.length <= MAX_CLEANED) return cut(cleaned)
  // What stands close to where the looking ended may be a part of one.
  return cut(cleaned.slice(0, Math.max(cleaned.length - MAX_CLEANED + MAX_LENGTH, 0)))
}

const actorOf = ({ issuer, subject }: Actor): Actors[number] =>
  issuer === undefined ? { subject: cut(subject) } : { issuer: cut(issuer), subject: cut(subject) }

export const callerOf = ({ identity }: Pick<Principal, 'identity'>): Caller => {
  if (!identity) return { by: 'nobody' }
  const { by, issuer, subject, client, actors } = identity
  if (by) return { by, issuer: cut(issuer), subject: cut(subject) }
  const acting = actors.slice(0, MAX_ACTORS).map(actorOf)
  return {
    by: 'token',
    issuer: cut(issuer),
    subject: cut(subject),
    ...(client === undefined ? {} : { client: cut(client) }),
    ...(acting.length === 0 ? {} : { actors: acting }),
  }
}

const TARGETS: ReadonlyMap<
  string,
  readonly [parameter: string, name: 'tool' | 'prompt' | 'resource']
> = new Map([
  ['tools/call', ['name', 'tool']],
  ['prompts/get', ['name', 'prompt']],
  ['resources/read', ['uri', 'resource']],
  ['resources/subscribe', ['uri', 'resource']],
  ['resources/unsubscribe', ['uri', 'resource']],
])

const utf8 = (latin1: string): string => Buffer.from(latin1, 'latin1').toString()

const targetIn = (
  message: Exclude<Message, { readonly kind: 'response' }>,
  clean: Clean,
): Partial<AuditMessage> => {
  const [parameter, name] = TARGETS.get(message.method) ?? []
  if (parameter === undefined || name === undefined) return {}
  const target = stringAt(message.text, member(message.params, parameter))
  return target === undefined ? {} : { [name]: brief(target, clean) }
}

/** What a client's answer to a request of the server's is called: it has no method. */
const RESPONSE = 'response'

export const auditMessage = (
  message: Message,
  clean: Clean,
  content: Pick<AuditMessage, 'params' | 'result'>,
): AuditMessage => {
  const bytes = message.text.length
  const id = message.kind === 'notification' ? undefined : message.id
  const own = id === undefined ? {} : { id: utf8(slice(message.text, id)) }
  return message.kind === 'response'
    ? { ...own, method: RESPONSE, bytes, ...content }
    : { ...own, method: message.method, ...targetIn(message, clean), bytes, ...content }
}

/** `name/version` of a client, as it says. */
const clientIn = (message: Message): string | undefined => {
  if (message.kind === 'response') return undefined
  const place = member(message.meta, CLIENT_KEY) ?? member(message.params, 'clientInfo')
  if (!place || place.end - place.start > MAX_CLIENT_LENGTH) return undefined
  const client: Json = JSON.parse(utf8(slice(message.text, place)))
  const { name, version } = isObject(client) ? client : {}
  if (typeof name !== 'string') return undefined
  return typeof version === 'string' ? `${name}/${version}` : name
}

const contextOfClient = (
  request: Exchange['request'],
  message: Request | undefined,
): TraceContext | undefined =>
  (message && contextIn(message)) ?? readContext(header(request, 'traceparent'), undefined)

const baggageIn = (message: Request | undefined): string | undefined =>
  message && stringAt(message.text, member(message.meta, 'baggage'))

const named = (name: keyof Asserted, text: string | undefined, clean: Clean): Asserted =>
  text === undefined ? {} : { [name]: brief(text, clean) }

const assertedIn = (
  { request }: Exchange,
  message: Message | undefined,
  { isTraced, clean }: { readonly isTraced: boolean; readonly clean: Clean },
): Asserted | undefined => {
  const own = message?.kind === 'request' ? message : undefined
  const trace = isTraced ? undefined : contextOfClient(request, own)
  const baggage = baggageIn(own) ?? header(request, 'baggage')
  const asserted = {
    ...named('userAgent', header(request, 'user-agent'), clean),
    ...named('client', message && clientIn(message), clean),
    ...named('baggage', baggage, clean),
    ...(trace && { traceId: trace.traceId, spanId: trace.spanId }),
  }
  for (const _ in asserted) return asserted
  return undefined
}

/** The id of a legacy session tells it from others by its beginning, and is too little there to take it over. */
const SESSION_LENGTH = 8

export const contextOf = (
  exchange: Exchange,
  message: Message | undefined,
  { trace, clean }: { readonly trace: RequestTrace | undefined; readonly clean: Clean },
): Context => {
  const { request } = exchange
  const session = header(request, 'mcp-session-id')?.slice(0, SESSION_LENGTH)
  const asserted = assertedIn(exchange, message, { isTraced: trace !== undefined, clean })
  const address = request.socket.remoteAddress
  return {
    ...(address === undefined ? {} : { address }),
    ...(session === undefined ? {} : { session }),
    ...(trace && { traceId: trace.context.traceId, spanId: trace.context.spanId }),
    ...(asserted && { asserted }),
  }
}

export const decisionOf = ({ granted }: Permit): Pick<EventOf<'call'>, 'decision'> => {
  if (!granted) return {}
  const { rule, roles } = granted
  return { decision: { ...(rule === undefined ? {} : { rule }), roles: [...roles] } }
}

/** How long a record of this kind is for whoever has to make room for it. */
export const RESERVED_BYTES = 4096
