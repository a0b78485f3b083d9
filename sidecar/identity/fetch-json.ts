// Fetches one JSON document of a listed host's: from no other, at addresses that were looked up once and may be
// asked, or by a company's own proxy, which looks public ones up itself; without redirects, bounded in size and time. Fails
// closed, with a sentence for the log.

import { X509Certificate } from 'node:crypto'
import { request as plainRequest, type IncomingMessage } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { isObject, type JsonObject } from '../../shared/json.ts'
import { messageOf } from '../../shared/message.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { mayAsk, reachOf, type Reach } from './addresses.ts'
import { lookupIn } from './judged-lookup.ts'
import type { Names } from './names.ts'
import type { OwnWay } from './own-way.ts'
import { workloadIdOf } from './svid.ts'

const MAX_BYTES = 256 * 1024
const MAX_HEADER_BYTES = 16 * 1024
/** The second is that of key sets (RFC 7517, section 8.5.2), and all that an API server gives them as. */
const ACCEPTED = 'application/json, application/jwk-set+json'
/** For one document, name lookup included. */
const TIMEOUT_MS = 5000
/** Of one name; who has more of them is asked at the first. */
const MAX_ADDRESSES = 4
/** Of a name that somebody else has written. */
const MAX_SHOWN = 256
/** For a connection, where there is another address. */
const ATTEMPT_MS = 1000
const HTTPS_PORT = 443

/** A host as it stands in URLs (with its port, where that is not the usual one), and how far it may lead. */
export interface AllowedHost {
  readonly host: string
  readonly reach: Reach
}

export interface ExpectedSvid {
  readonly id: string
  /** The authorities of its trust domain, in PEM. */
  readonly authorities: string
}

export interface FetchRules {
  readonly hosts: readonly AllowedHost[]
  /** The credentials that are sent. */
  readonly authorization?: string
  /** What is sent, by POST; absent: nothing, by GET. */
  readonly form?: string
  /** The authorities of its certificate; absent: the usual ones. */
  readonly ca?: string | undefined
  /** Who has to be there, by an X.509-SVID: then the host's name in its certificate means nothing. */
  readonly svid?: ExpectedSvid | undefined
  /** The longest answer; absent: 256 KiB. */
  readonly maxBytes?: number
  /** Ends it before its time. */
  readonly signal: AbortSignal
}

export type FetchJson = (url: string, rules: FetchRules) => Promise<Result<JsonObject, string>>

const unbracketed = (hostname: string): string => hostname.replace(/^\[(.*)\]$/, '$1')

/** Where a URL may be asked; plain HTTP on this machine alone. */
const addressesOf = async (url: URL, allowed: Reach, names: Names): Promise<readonly string[]> => {
  const name = unbracketed(url.hostname)
  const found = isIP(name) === 0 ? await names.addresses(name) : [name]
  const furthest = url.protocol === 'http:' ? 'loopback' : undefined
  return found
    .filter((one) => mayAsk(allowed, one) && (furthest === undefined || reachOf(one) === furthest))
    .slice(0, MAX_ADDRESSES)
}

const headersOf = ({ authorization, form }: FetchRules): Readonly<Record<string, string>> => ({
  accept: ACCEPTED,
  ...(authorization !== undefined && { authorization }),
  ...(form !== undefined && {
    'content-type': 'application/x-www-form-urlencoded',
    'content-length': `${Buffer.byteLength(form)}`,
  }),
})

/** Of a certificate whose chain leads to the authorities. */
const svidFault = (der: Uint8Array, expected: string): Error | undefined => {
  const id = workloadIdOf(new X509Certificate(der))
  if (!id.ok) return new Error(`its certificate is no X.509-SVID: ${id.error}`)
  return id.value === expected
    ? undefined
    : new Error(`it is ${id.value.slice(0, MAX_SHOWN)}, and ${expected} is expected there`)
}

/** By whom the connection is believed. */
const believedBy = ({ ca, svid }: FetchRules) => {
  if (svid === undefined) return ca === undefined ? {} : { ca }
  return {
    ca: svid.authorities,
    checkServerIdentity: (_host: string, { raw }: { readonly raw: Uint8Array }) =>
      svidFault(raw, svid.id),
  }
}

/** Addresses that may be asked, or a connection that a proxy has made. */
type Road = { readonly addresses: readonly string[] } | { readonly socket: Socket }

/** By what Node connects. */
const connectionBy = (road: Road, url: URL, rules: FetchRules) => {
  if ('socket' in road) {
    const { socket } = road
    const host = unbracketed(url.hostname)
    const name = isIP(host) === 0 ? { servername: host } : { host }
    return {
      createConnection: () => connectTls({ socket, ...name, ...believedBy(rules) }),
      // Without an agent Node would take that of HTTP, and name it to the host.
      defaultPort: HTTPS_PORT,
    }
  }
  return {
    lookup: lookupIn(road.addresses),
    ...believedBy(rules),
    agent: false,
    // One address after the other, until one answers.
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: ATTEMPT_MS,
  }
}

const ask = (url: URL, road: Road, rules: FetchRules): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const options = {
      method: rules.form === undefined ? 'GET' : 'POST',
      headers: headersOf(rules),
      ...connectionBy(road, url, rules),
      maxHeaderSize: MAX_HEADER_BYTES,
      signal: rules.signal,
    }
    const request =
      url.protocol === 'https:' ? tlsRequest(url, options) : plainRequest(url, options)
    request.on('response', resolve)
    request.on('error', reject)
    request.end(rules.form)
  })

const textOf = async (answer: IncomingMessage, maxBytes: number): Promise<string | undefined> => {
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of answer) {
    if (!Buffer.isBuffer(piece)) return undefined
    bytes += piece.length
    if (bytes > maxBytes) return undefined
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString()
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const read = async (
  url: URL,
  road: Road,
  rules: FetchRules,
): Promise<Result<JsonObject, string>> => {
  const { maxBytes = MAX_BYTES } = rules
  const answer = await ask(url, road, rules)
  const status = answer.statusCode ?? 0
  if (status !== 200) {
    answer.destroy()
    return fail(`it answered ${status}${status < 400 ? '; redirects are not followed' : ''}`)
  }
  const text = await textOf(answer, maxBytes)
  if (text === undefined) return fail(`its answer is longer than ${maxBytes} bytes`)
  const value = parsed(text)
  return isObject(value) ? ok(value) : fail('its answer is no JSON object')
}

const isPlainUrl = ({ protocol, username, password }: URL): boolean =>
  /^https?:$/.test(protocol) && username === '' && password === ''

/** The URL, and how far its host may lead. */
const allowed = (
  text: string,
  hosts: readonly AllowedHost[],
): Result<readonly [URL, Reach], string> => {
  const url = URL.parse(text)
  if (!url || !isPlainUrl(url)) return fail('it is no http or https URL')
  const entry = hosts.find(({ host }) => host === url.host)
  return entry
    ? ok([url, entry.reach])
    : fail(`${url.host.slice(0, 256)} is not among the listed hosts`)
}

interface Ways {
  readonly names: Names
  readonly way: OwnWay | undefined
}

const NO_ADDRESS = 'its name leads to no address that may be asked'
const NO_SVID = 'nobody there could be believed: the bundle that holds has no authorities'

const byWay = async (url: URL, way: OwnWay, signal: AbortSignal): Promise<Result<Road, string>> => {
  const host = unbracketed(url.hostname)
  if (isIP(host) !== 0 && !mayAsk('public', host)) return fail(NO_ADDRESS)
  const socket = await way({ host, port: Number(url.port || HTTPS_PORT) }, signal)
  if (!socket.ok) return socket
  if (signal.aborted) socket.value.destroy()
  return ok({ socket: socket.value })
}

/** By the proxy to hosts of the internet's; what may lead elsewhere is reached directly. */
const roadTo = async (
  url: URL,
  reach: Reach,
  { names, way }: Ways,
  signal: AbortSignal,
): Promise<Result<Road, string>> => {
  if (way && reach === 'public' && url.protocol === 'https:') return byWay(url, way, signal)
  const addresses = await addressesOf(url, reach, names)
  if (addresses.length > 0) return ok({ addresses })
  return fail(url.protocol === 'http:' ? `${NO_ADDRESS} by http (https is)` : NO_ADDRESS)
}

const fetchOne = async (
  text: string,
  rules: FetchRules,
  ways: Ways,
): Promise<Result<JsonObject, string>> => {
  const found = allowed(text, rules.hosts)
  if (!found.ok) return found
  const [url, reach] = found.value
  // Without any the usual ones would do.
  if (rules.svid && (url.protocol !== 'https:' || rules.svid.authorities === ''))
    return fail(NO_SVID)
  const road = await roadTo(url, reach, ways, rules.signal)
  return road.ok ? read(url, road.value, rules) : road
}

const LATE: Result<never, string> = fail('nothing whole has come in time')

/** `way`: to hosts of the internet; absent: as the system goes. */
export const createFetchJson =
  (names: Names, way?: OwnWay): FetchJson =>
  async (text, rules) => {
    const signal = AbortSignal.any([rules.signal, AbortSignal.timeout(TIMEOUT_MS)])
    // A lookup cannot be ended: whoever waits for it goes.
    const late = new Promise<Result<never, string>>((resolve) => {
      signal.addEventListener('abort', () => resolve(LATE), { once: true })
    })
    // Of an end that has been nobody hears again.
    if (signal.aborted) return LATE
    try {
      return await Promise.race([fetchOne(text, { ...rules, signal }, { names, way }), late])
    } catch (error) {
      return signal.aborted ? LATE : fail(messageOf(error).slice(0, 200))
    }
  }
