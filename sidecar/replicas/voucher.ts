// What a replica tells another of a caller whom it has verified: who it is and for how long, for this one request to that one
// replica. Signed, good for a short time, and once.

import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { MCP_PATH } from '../../shared/names.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import type { Actor, Environment, Identity, Principal } from '../access/principal.ts'
import { header } from '../http/exchange.ts'
import type { Passage } from '../pipeline/stage.ts'

export const VOUCHER_HEADER = 'outrigger-voucher'

/** The clocks of two nodes may differ by so much. */
const FRESH_MS = 30_000

/** What is asked, as both ends see it. */
export interface Deed {
  readonly method: string
  readonly path: string
  readonly session: string | undefined
  readonly lastEventId: string | undefined
  readonly body: Buffer | undefined
}

/** The same where it is sent and where it is taken. */
export const deedOf = ({ request, body }: Pick<Passage, 'request' | 'body'>): Deed => ({
  method: request.method ?? '',
  path: MCP_PATH,
  session: header(request, 'mcp-session-id'),
  lastEventId: header(request, 'last-event-id'),
  body: body?.bytes,
})

export interface Vouched {
  readonly principal: Principal
  /** How long it is known to be that, from when it was said; undefined: without an end. */
  readonly leftMs: number | undefined
}

export interface Voucher extends Vouched {
  /** Its client's address; absent: it had gone. */
  readonly from?: string | undefined
  /** The address of who is to take it. */
  readonly to: string
  /** Milliseconds since 1970. */
  readonly atMs: number
  /** Never the same again. */
  readonly nonce: string
  readonly digest: string
}

export const digestOf = ({ method, path, session, lastEventId, body }: Deed): string => {
  const hash = createHash('sha256')
  hash.update(JSON.stringify([method, path, session ?? null, lastEventId ?? null]))
  if (body) hash.update('\0').update(body)
  return hash.digest('base64url')
}

const macOf = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()

export const writeVoucher = (key: Buffer, voucher: Voucher): string => {
  const text = Buffer.from(JSON.stringify(voucher)).toString('base64url')
  return `${text}.${macOf(key, text).toString('base64url')}`
}

type Json = Readonly<Record<string, unknown>>

const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null
const isText = (value: unknown): value is string => typeof value === 'string'
const textOrNone = (value: unknown): string | undefined => (isText(value) ? value : undefined)
const texts = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter(isText) : []

const actorsOf = (value: unknown): readonly Actor[] =>
  (Array.isArray(value) ? value : []).flatMap((one: unknown) =>
    isJson(one) && isText(one['subject'])
      ? [{ issuer: textOrNone(one['issuer']), subject: one['subject'] }]
      : [],
  )

const identityOf = (value: unknown): Identity | undefined => {
  if (!isJson(value)) return undefined
  const { by, issuer, subject, lacksGroups } = value
  if (!isText(issuer) || !isText(subject)) return undefined
  return {
    ...(by === 'certificate' ? { by } : {}),
    issuer,
    subject,
    client: textOrNone(value['client']),
    scopes: texts(value['scopes']),
    groups: texts(value['groups']),
    ...(lacksGroups === true ? { lacksGroups } : {}),
    actors: actorsOf(value['actors']),
  }
}

const textsByName = (value: Json): Environment =>
  Object.fromEntries(
    Object.entries(value).flatMap(([name, text]) => (isText(text) ? [[name, text]] : [])),
  )

const principalOf = (value: unknown): Principal | undefined => {
  if (!isJson(value) || !isText(value['key'])) return undefined
  const identity = identityOf(value['identity'])
  const { person, environment } = value
  return {
    key: value['key'],
    ...(identity ? { identity } : {}),
    ...(isText(person) ? { person } : {}),
    ...(isJson(environment) ? { environment: textsByName(environment) } : {}),
  }
}

const voucherOf = (text: string): Voucher | undefined => {
  const said: unknown = JSON.parse(Buffer.from(text, 'base64url').toString())
  if (!isJson(said)) return undefined
  const { to, atMs, nonce, digest, leftMs } = said
  const principal = principalOf(said['principal'])
  const isWhole =
    principal && isText(to) && isText(nonce) && isText(digest) && typeof atMs === 'number'
  if (!isWhole) return undefined
  return {
    principal,
    to,
    atMs,
    nonce,
    digest,
    from: textOrNone(said['from']),
    leftMs: typeof leftMs === 'number' ? leftMs : undefined,
  }
}

const FORM = /^([\w-]+)\.([\w-]{43})$/

export interface Expected {
  /** Any of these has signed it. */
  readonly keys: readonly Buffer[]
  /** Our own addresses. */
  readonly to: ReadonlySet<string>
  /** Milliseconds since 1970. */
  readonly wallMs: number
  readonly deed: Deed
}

/** A voucher for this request; the error is why it is none, for the log. Nobody has looked whether it was used. */
export const readVoucher = (text: string, expected: Expected): Result<Voucher, string> => {
  const [, signed = '', macText = ''] = FORM.exec(text) ?? []
  const mac = Buffer.from(macText, 'base64url')
  const isOurs = (key: Buffer): boolean => {
    const own = macOf(key, signed)
    return own.length === mac.length && timingSafeEqual(own, mac)
  }
  if (!expected.keys.some(isOurs)) return fail('its signature is wrong')
  const voucher = voucherOf(signed)
  if (!voucher) return fail('it is not whole')
  if (!expected.to.has(voucher.to)) return fail('it is for another replica')
  if (Math.abs(expected.wallMs - voucher.atMs) > FRESH_MS) {
    return fail(`it is not of now: the clocks of two nodes may differ by ${FRESH_MS} ms`)
  }
  return voucher.digest === digestOf(expected.deed)
    ? ok(voucher)
    : fail('it is for another request')
}

/** So many of one generation, each a short text. */
const MAX_SEEN = 131_072
/** None is good for longer than this, from the first time that it can be. */
const PERIOD_MS = 2 * FRESH_MS

/** Which vouchers have been used. Where there are too many of a minute, no more are taken. */
export class Used {
  private readonly now: () => number
  private latest = new Set<string>()
  private former = new Set<string>()
  private sinceMs: number

  constructor(now: () => number) {
    this.now = now
    this.sinceMs = now()
  }

  /** False where it was used before, or nobody could remember that it has been. */
  take(nonce: string): boolean {
    this.turn()
    if (this.latest.has(nonce) || this.former.has(nonce)) return false
    if (this.latest.size >= MAX_SEEN) return false
    this.latest.add(nonce)
    return true
  }

  private turn(): void {
    const ageMs = this.now() - this.sinceMs
    if (ageMs < PERIOD_MS) return
    this.former = ageMs < 2 * PERIOD_MS ? this.latest : new Set()
    this.latest = new Set()
    this.sinceMs = this.now()
  }
}
