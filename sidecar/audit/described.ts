// What a record says of a caller, a message and where they came from: members of its JSON as text, each behind a comma.
// What comes again from call to call, as callers, tools and clients do, is made text of once. Whatever somebody else wrote
// is cleaned of secrets, and cut.

import type { Socket } from 'node:net'
import { jsonOf } from '../../shared/audit/chain.ts'
import type { EventOf } from '../../shared/audit/record.ts'
import { isObject, type Json } from '../../shared/json.ts'
import type { Permit } from '../access/permit.ts'
import type { Actor, Principal } from '../access/principal.ts'
import { header, sessionName, type Exchange } from '../http/exchange.ts'
import { decodedSlice, member, stringAt, type Message, type Request } from '../mcp/message.ts'
import { CLIENT_KEY } from '../mcp/meta.ts'
import { brief } from '../telemetry/brief.ts'
import { remembered } from '../telemetry/remembered.ts'
import { contextIn, readContext } from '../telemetry/trace-context.ts'
import type { RequestTrace, TraceContext } from '../telemetry/trace.ts'
import { identifier } from './identifier.ts'

type Caller = EventOf<'attempt'>['caller']
type Actors = NonNullable<Extract<Caller, { readonly by: 'token' }>['actors']>

const MAX_ACTORS = 8
/** `clientInfo` is an object of somebody else's making: what is longer is not read. */
const MAX_CLIENT_LENGTH = 4096

const actorOf = ({ issuer, subject }: Actor): Actors[number] =>
  issuer === undefined
    ? { subject: identifier(subject) }
    : { issuer: identifier(issuer), subject: identifier(subject) }

export const callerOf = ({ identity }: Pick<Principal, 'identity'>): Caller => {
  if (!identity) return { by: 'nobody' }
  const { by, issuer, subject, client, actors } = identity
  if (by) return { by, issuer: identifier(issuer), subject: identifier(subject) }
  const acting = actors.slice(0, MAX_ACTORS).map(actorOf)
  return {
    by: 'token',
    issuer: identifier(issuer),
    subject: identifier(subject),
    ...(client === undefined ? {} : { client: identifier(client) }),
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

/** What a message of one method is about, and both as the record says it. */
interface Target {
  readonly parameter: string
  readonly said: (text: string) => string
}

/** What a client's answer to a request of the server's is called: it has no method. */
const RESPONSE = 'response'
/** Ids that are no secret: they count, or are too short for one. Nothing of them has to be escaped but the quotes. */
const COUNTED = /^-?\d{1,20}$/
const SHORT = /^"[\w.-]{0,10}"$/

/** JSON that a client wrote: to the letter, unless there is a secret in it. It is short, or it would be no id. */
const cleanId = (json: string): string => {
  const id: Json = JSON.parse(json)
  if (typeof id !== 'string') return brief(json)
  const clean = brief(id)
  return clean === id ? json : JSON.stringify(clean)
}

const idOf = (message: Message): string => {
  if (message.kind === 'notification' || !message.id) return ''
  const id = decodedSlice(message.text, message.id)
  if (COUNTED.test(id)) return `"id":"${id}",`
  return `"id":${jsonOf(SHORT.test(id) ? id : cleanId(id))},`
}

/** JSON of a client's making: its `name/version`, as it says, or nothing. */
const clientNamed = (json: string): string => {
  const client: Json = JSON.parse(json)
  const { name, version } = isObject(client) ? client : {}
  if (typeof name !== 'string') return ''
  return jsonOf(brief(typeof version === 'string' ? `${name}/${version}` : name))
}

const contextOfClient = (
  request: Exchange['request'],
  message: Request | undefined,
): TraceContext | undefined =>
  (message && contextIn(message)) ?? readContext(header(request, 'traceparent'), undefined)

const baggageIn = (message: Request | undefined): string | undefined =>
  message && stringAt(message.text, member(message.meta, 'baggage'))

const idsOf = ({ traceId, spanId }: TraceContext): string =>
  `,"traceId":"${traceId}","spanId":"${spanId}"`

/** A text in one piece: V8 keeps texts that were put together as their parts, and goes through them again for each record. */
const inOnePiece = (text: string): string => Buffer.from(text).toString()

/** What a connection's requests say of where they come from: mostly the same from one to the next. */
interface Origin {
  /** Absent: the connection's. */
  readonly from: string | undefined
  readonly session: string | undefined
  readonly userAgent: string | undefined
  readonly client: string
  readonly baggage: string | undefined
  readonly ids: string
}

/** Of what is longer, or differs from call to call, nothing is kept: connections are many, and their headers their clients'. */
const MAX_KEPT = 512

const isKept = ({ session, userAgent, client, baggage, ids }: Origin): boolean =>
  ids === '' && `${session}${userAgent}${client}${baggage}`.length <= MAX_KEPT

const isSame = (one: Origin, other: Origin): boolean =>
  one.from === other.from &&
  one.session === other.session &&
  one.userAgent === other.userAgent &&
  one.client === other.client &&
  one.baggage === other.baggage &&
  one.ids === other.ids

export class Descriptions {
  private readonly callers = new WeakMap<Principal, string>()
  private readonly roles = new WeakMap<readonly string[], string>()
  private readonly origins = new WeakMap<Socket, { readonly said: Origin; readonly text: string }>()
  /** What clients wrote, and what we or the configuration call things. */
  private readonly word = remembered((text) => jsonOf(brief(text)))
  private readonly name = remembered(jsonOf)
  private readonly clientNamed = remembered(clientNamed)
  private readonly targets: ReadonlyMap<string, Target>

  constructor() {
    const { word } = this
    const targetOf = (method: string, parameter: string, name: string): Target => ({
      parameter,
      said: remembered((text) => inOnePiece(`${word(method)},"${name}":${word(text)}`)),
    })
    this.targets = new Map(
      [...TARGETS].map(([method, [parameter, name]]) => [
        method,
        targetOf(method, parameter, name),
      ]),
    )
  }

  caller(principal: Principal): string {
    const known = this.callers.get(principal)
    if (known !== undefined) return known
    const said = `,"caller":${jsonOf(callerOf(principal))}`
    this.callers.set(principal, said)
    return said
  }

  /** `content`: what it was asked with, by level. */
  message(message: Message, content = ''): string {
    const what = message.kind === 'response' ? `"${RESPONSE}"` : this.what(message)
    return `,"message":{${idOf(message)}"method":${what},"bytes":${message.text.length}${content}}`
  }

  decision({ granted }: Permit): string {
    if (!granted) return ''
    const { rule, roles } = granted
    const by = rule === undefined ? '' : `"rule":${this.name(rule)},`
    return `,"decision":{${by}${this.rolesOf(roles)}}`
  }

  /** A policy has one list of them for each caller. */
  private rolesOf(roles: readonly string[]): string {
    const known = this.roles.get(roles)
    if (known !== undefined) return known
    const said = inOnePiece(`"roles":[${roles.map((role) => this.name(role)).join(',')}]`)
    this.roles.set(roles, said)
    return said
  }

  context({ request, from }: Exchange, message: Message | undefined, trace?: RequestTrace): string {
    const own = message?.kind === 'request' ? message : undefined
    const theirs = trace ? undefined : contextOfClient(request, own)
    const said = {
      from,
      session: header(request, 'mcp-session-id'),
      userAgent: header(request, 'user-agent'),
      client: this.client(message),
      baggage: baggageIn(own) ?? header(request, 'baggage'),
      ids: theirs ? idsOf(theirs) : '',
    }
    return this.from(request.socket, said) + (trace ? idsOf(trace.context) : '')
  }

  session(id: string): string {
    return `,"session":${this.name(sessionName(id))}`
  }

  private what({
    method,
    text,
    params,
    shortName,
  }: Exclude<Message, { readonly kind: 'response' }>): string {
    const target = this.targets.get(method)
    if (!target) return this.word(method)
    const { parameter, said } = target
    const own = parameter === 'name' ? shortName : undefined
    const named = own ?? stringAt(text, member(params, parameter))
    return named === undefined ? this.word(method) : said(named)
  }

  private from(socket: Socket, said: Origin): string {
    const known = this.origins.get(socket)
    if (known && isSame(known.said, said)) return known.text
    const text = this.origin(said.from ?? socket.remoteAddress, said)
    if (isKept(said)) this.origins.set(socket, { said, text: inOnePiece(text) })
    return text
  }

  private origin(
    address: string | undefined,
    { session, userAgent, client, baggage, ids }: Origin,
  ): string {
    const from = address === undefined ? '' : `,"address":${this.name(address)}`
    const asserted =
      this.said('userAgent', userAgent) + client + this.said('baggage', baggage) + ids
    const theirs = asserted === '' ? '' : `,"asserted":{${asserted.slice(1)}}`
    return `${from}${session === undefined ? '' : this.session(session)}${theirs}`
  }

  private client(message: Message | undefined): string {
    if (!message || message.kind === 'response') return ''
    const place = member(message.meta, CLIENT_KEY) ?? member(message.params, 'clientInfo')
    if (!place || place.end - place.start > MAX_CLIENT_LENGTH) return ''
    const named = this.clientNamed(decodedSlice(message.text, place))
    return named === '' ? '' : `,"client":${named}`
  }

  private said(name: 'userAgent' | 'baggage', text: string | undefined): string {
    return text === undefined ? '' : `,"${name}":${this.word(text)}`
  }
}

/** How long a record of this kind is for whoever has to make room for it. */
export const RESERVED_BYTES = 4096
/** Of these bytes a caller's names may have so many. */
const CALLER_BYTES = 512

/** The same of a record with this caller. */
export const reservedFor = (caller: string): number =>
  RESERVED_BYTES + Math.max(caller.length - CALLER_BYTES, 0)
