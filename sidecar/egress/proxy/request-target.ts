// What a request to the proxy asks for, by its target and its Host header: strict, since two readers of it must never take it
// for two hosts (RFC 9112, sections 3.2 and 3.2.2; RFC 9110, section 9.3.6). Pure.

import { addressOf } from '../../../shared/address.ts'
import type { Cluster } from '../../../shared/host-name.ts'
import { fail, ok, type Result } from '../../../shared/result.ts'
import type { Host, Target } from '../reach/judge.ts'
import { namedHost } from '../reach/named-host.ts'
import type { Credential } from './watch.ts'

/** Header fields as they came: names and values by turns. */
export type RawHeaders = readonly string[]

const HTTP_PORT = 80
const MAX_PORT = 65_535
const MAX_TARGET = 8192

/** All values of a field, in any case of its name. */
export const valuesOf = (headers: RawHeaders, name: string): readonly string[] => {
  const values: string[] = []
  for (let at = 0; at < headers.length; at += 2) {
    const field = headers[at]
    if (field?.length === name.length && field.toLowerCase() === name)
      values.push(headers[at + 1] ?? '')
  }
  return values
}

/** A host as it stands in a URL: a name, an IPv4 address, or an IPv6 one in brackets. */
export const hostOf = (text: string, cluster: Cluster | undefined): Host | undefined => {
  const [, inner] = /^\[([\da-f:.]+)\]$/i.exec(text) ?? []
  const address = addressOf(inner ?? text)
  if (address) {
    const isWritten = inner === undefined ? !text.includes(':') : inner.includes(':')
    return isWritten ? { kind: 'address', address } : undefined
  }
  return inner === undefined ? namedHost(text, cluster) : undefined
}

interface Authority {
  readonly target: Target
  /** As it goes on: without a port that is the usual one. */
  readonly text: string
}

const authorityOf = (
  text: string,
  usual: number | undefined,
  cluster: Cluster | undefined,
): Authority | undefined => {
  const [, hostText = '', portText] = /^(\[[^\]]*\]|[^:]*)(?::([1-9]\d{0,4}))?$/.exec(text) ?? []
  const port = portText === undefined ? usual : Number(portText)
  const host = hostOf(hostText, cluster)
  if (!host || port === undefined || port > MAX_PORT) return undefined
  const plain = hostText.toLowerCase()
  return { target: { host, port }, text: port === usual ? plain : `${plain}:${port}` }
}

/** Whether the Host field, of which there is one at most, says the same as the target in any of these ways. */
const agrees = (headers: RawHeaders, ways: readonly string[], mayLack: boolean): boolean => {
  const [value, ...more] = valuesOf(headers, 'host')
  if (value === undefined) return mayLack
  return more.length === 0 && ways.includes(value.toLowerCase())
}

const AGREES = 'Host and the target do not name the same'

/** The target of CONNECT: a host and a port. */
export const readConnect = (
  url: string,
  headers: RawHeaders,
  cluster: Cluster | undefined,
): Result<Target, string> => {
  const authority = url.length <= MAX_TARGET ? authorityOf(url, undefined, cluster) : undefined
  if (!authority) return fail('CONNECT wants `host:port`')
  const { text } = authority
  if (!agrees(headers, [text, text.replace(/:\d+$/, '')], true)) return fail(AGREES)
  const [length, ...lengths] = valuesOf(headers, 'content-length')
  const hasBody = lengths.length > 0 || (length !== undefined && length !== '0')
  return hasBody || valuesOf(headers, 'transfer-encoding').length > 0
    ? fail('CONNECT has no body')
    : ok(authority.target)
}

/** How the body of a request is framed, which says how it goes on. */
export type Framing = 'none' | 'length' | 'chunked'

export interface PlainRequest {
  readonly target: Target
  /** The Host field of the request that goes on. */
  readonly authority: string
  readonly path: string
  readonly framing: Framing
}

const framingOf = (headers: RawHeaders, isOld: boolean): Framing | undefined => {
  const encodings = valuesOf(headers, 'transfer-encoding')
  const lengths = valuesOf(headers, 'content-length')
  if (encodings.length + lengths.length > 1) return undefined
  const [[encoding], [length]] = [encodings, lengths]
  if (encoding !== undefined) {
    return encoding.toLowerCase() === 'chunked' && !isOld ? 'chunked' : undefined
  }
  if (length === undefined) return 'none'
  return /^\d{1,15}$/.test(length) ? 'length' : undefined
}

/** The authority and what stands behind it; undefined where it is in no absolute form that is forwarded. */
const partsOf = (url: string): readonly [authority: string, path: string] | undefined => {
  const [, authority, path = ''] = /^http:\/\/([^/?#]*)([/?][!-~]*)?$/i.exec(url) ?? []
  const isRight = authority !== undefined && url.length <= MAX_TARGET && !path.includes('#')
  return isRight ? [authority, path.startsWith('/') ? path : `/${path}`] : undefined
}

/** A request in absolute form; `isOld`: HTTP/1.0. */
export const readRequest = (
  { url, isOld }: { readonly url: string; readonly isOld: boolean },
  headers: RawHeaders,
  cluster: Cluster | undefined,
): Result<PlainRequest, string> => {
  if (url.startsWith('/')) return fail('this is a proxy: use `http://host/path`')
  const parts = partsOf(url)
  if (!parts) return fail('only `http://host/path` is forwarded: use CONNECT for anything else')
  const [authorityText, path] = parts
  const authority = authorityOf(authorityText, HTTP_PORT, cluster)
  if (!authority) return fail('the target names no host, or more than that')
  const { target, text } = authority
  const ways = target.port === HTTP_PORT ? [text, `${text}:${HTTP_PORT}`] : [text]
  if (!agrees(headers, ways, isOld)) return fail(AGREES)
  const framing = framingOf(headers, isOld)
  if (!framing) return fail('its body is framed in two ways, or in one that is not known here')
  return ok({ target, authority: text, path, framing })
}

/**
 * A scheme, host and port, and what a URL has behind them. Of what is printed a host is letters, digits, `-`, `.` and `_`; with
 * an `@` somewhere anything before that may be a user or a password.
 */
const SHOWN =
  /^(?:[a-z][a-z\d+.-]*:\/\/)?((?:\[[\da-f:.]+\]|[^ -,/:-@[-^`{-~]*)(?::\d{1,5})?)(?:[/?#][^@]*)?$/i

/** What may be told of a target that is none: the host and port in it, never a user, a path or a query; `?` where that is nothing. */
export const shownOf = (text: string): string => {
  const [, place = ''] = SHOWN.exec(text) ?? []
  return place === '' ? '?' : place
}

const BASIC = /^basic +([a-z\d+/]{1,1024}={0,2})$/i

/** Whether a request names itself by anything. */
export const hasCredential = (headers: RawHeaders): boolean =>
  valuesOf(headers, 'proxy-authorization').length > 0

/** What a request names itself by; undefined where it says nothing that can be read, or says it twice. */
export const credentialOf = (headers: RawHeaders): Credential | undefined => {
  const [value = '', ...more] = valuesOf(headers, 'proxy-authorization')
  const [, encoded] = BASIC.exec(value) ?? []
  if (encoded === undefined || more.length > 0) return undefined
  const text = Buffer.from(encoded, 'base64').toString('latin1')
  const colon = text.indexOf(':')
  return colon === -1 ? undefined : { name: text.slice(0, colon), secret: text.slice(colon + 1) }
}

/** Fields that belong to one connection (RFC 9110, section 7.6.1), and those that only the proxy says. */
const OF_THE_CONNECTION = new Set([
  'connection',
  'expect',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-outrigger-egress',
])

/** The fields that go on, in their order and as they are written. */
export const passedHeaders = (headers: RawHeaders): string[] => {
  const named = valuesOf(headers, 'connection').flatMap((value) => value.toLowerCase().split(','))
  const dropped = new Set([...OF_THE_CONNECTION, ...named.map((name) => name.trim())])
  // What says how long a body is belongs to it.
  dropped.delete('content-length')
  const passed: string[] = []
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const [name = '', value = ''] = headers.slice(at, at + 2)
    if (!dropped.has(name.toLowerCase())) passed.push(name, value)
  }
  return passed
}

/** The fields of the request that goes on. */
export const forwardedHeaders = (
  headers: RawHeaders,
  { authority, framing }: PlainRequest,
  method: string,
): string[] => {
  const passed = passedHeaders(headers)
  const others: string[] = []
  for (let at = 0; at + 1 < passed.length; at += 2) {
    const [name = '', value = ''] = passed.slice(at, at + 2)
    if (name.toLowerCase() !== 'host') others.push(name, value)
  }
  const isEmpty = framing === 'none' && !/^(?:get|head|delete|options|trace)$/i.test(method)
  return [
    'Host',
    authority,
    ...others,
    ...(framing === 'chunked' ? ['Transfer-Encoding', 'chunked'] : []),
    ...(isEmpty ? ['Content-Length', '0'] : []),
    'Connection',
    'close',
  ]
}
