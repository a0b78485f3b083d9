// Fetches one JSON document of an issuer's: only from a listed host, at an address that was looked up once and may be
// asked, without redirects, bounded in size and time. Fails closed, with a sentence for the log.

import { lookup } from 'node:dns/promises'
import { request as plainRequest, type IncomingMessage } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { isIP } from 'node:net'
import { isObject, type JsonObject } from '../../shared/json.ts'
import { messageOf } from '../../shared/message.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { mayAsk, reachOf, type Reach } from './addresses.ts'

const MAX_BYTES = 256 * 1024
const MAX_HEADER_BYTES = 16 * 1024
/** For one document, name lookup included. */
const TIMEOUT_MS = 5000

/** A host as it stands in URLs (with its port, where that is not the usual one), and how far it may lead. */
export interface IssuerHost {
  readonly host: string
  readonly reach: Reach
}

export type FetchJson = (
  url: string,
  hosts: readonly IssuerHost[],
) => Promise<Result<JsonObject, FetchFault>>

export interface FetchFault {
  /** The answer's status, where one came. */
  readonly status?: number
  readonly why: string
}

const unbracketed = (hostname: string): string => hostname.replace(/^\[(.*)\]$/, '$1')

/** The address that is asked; undefined where none of the name's may be. */
const addressOf = async (url: URL, allowed: Reach): Promise<string | undefined> => {
  const name = unbracketed(url.hostname)
  const found = isIP(name) === 0 ? await lookup(name, { all: true }) : [{ address: name }]
  return found.map(({ address }) => address).find((address) => mayAsk(allowed, address))
}

const ask = (url: URL, address: string, signal: AbortSignal): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const isTls = url.protocol === 'https:'
    const name = unbracketed(url.hostname)
    const options = {
      hostname: address,
      port: url.port === '' ? (isTls ? 443 : 80) : Number(url.port),
      path: url.pathname,
      headers: { host: url.host, accept: 'application/json' },
      agent: false,
      maxHeaderSize: MAX_HEADER_BYTES,
      signal,
      ...(isIP(name) === 0 ? { servername: name } : {}),
    }
    const request = isTls ? tlsRequest(options) : plainRequest(options)
    request.on('response', resolve)
    request.on('error', reject)
    request.end()
  })

const textOf = async (answer: IncomingMessage): Promise<string | undefined> => {
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of answer) {
    if (!Buffer.isBuffer(piece)) return undefined
    bytes += piece.length
    if (bytes > MAX_BYTES) return undefined
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString()
}

const read = async (
  url: URL,
  allowed: Reach,
  signal: AbortSignal,
): Promise<Result<JsonObject, FetchFault>> => {
  const address = await addressOf(url, allowed)
  if (address === undefined) {
    return fail({ why: 'its name leads to no address that may be asked' })
  }
  if (url.protocol === 'http:' && reachOf(address) !== 'loopback') {
    return fail({ why: 'it is asked by https only' })
  }
  const answer = await ask(url, address, signal)
  const status = answer.statusCode ?? 0
  if (status !== 200) {
    answer.destroy()
    return fail({ status, why: `it answered ${status}; redirects are not followed` })
  }
  const text = await textOf(answer)
  if (text === undefined) return fail({ why: `its answer is longer than ${MAX_BYTES} bytes` })
  const value: unknown = JSON.parse(text)
  return isObject(value) ? ok(value) : fail({ why: 'its answer is no JSON object' })
}

/** The host entry that a URL stands under. */
const entryOf = (url: URL, hosts: readonly IssuerHost[]): IssuerHost | undefined =>
  hosts.find(({ host }) => host === url.host)

const isPlainUrl = ({ protocol, username, password }: URL): boolean =>
  /^https?:$/.test(protocol) && username === '' && password === ''

export const fetchJson: FetchJson = async (text, hosts) => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !isPlainUrl(url)) return fail({ why: 'it is no http or https URL' })
  const entry = entryOf(url, hosts)
  if (!entry) return fail({ why: `${url.host.slice(0, 256)} is not among the issuer's hosts` })
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(), TIMEOUT_MS)
  const ended = new Promise<Result<JsonObject, FetchFault>>((resolve) => {
    late.signal.addEventListener('abort', () =>
      resolve(fail({ why: `nothing whole has come within ${TIMEOUT_MS / 1000} s` })),
    )
  })
  try {
    return await Promise.race([read(url, entry.reach, late.signal), ended])
  } catch (error) {
    return fail({ why: messageOf(error).slice(0, 200) })
  } finally {
    clearTimeout(timer)
    late.abort()
  }
}
