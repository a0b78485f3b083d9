// HTTP as the registry client needs it: one request at a time, an answer's head, and its body as a
// bounded stream. Redirects are followed where they may be; a credential stays on the host that it
// was meant for. Node's own client: fetch takes neither a CA of one's own nor a say in redirects.

import { Agent as PlainAgent, request as plainRequest, type IncomingMessage } from 'node:http'
import { Agent as TlsAgent, request as tlsRequest } from 'node:https'
import { getCACertificates } from 'node:tls'
import { httpWords } from './http-words.ts'
import { ImageError } from './image-error.ts'
import { judgeHost, lookupWithin, type Reach } from './reach.ts'

/** Without a byte for this long a connection is given up. */
const IDLE_MS = 30_000
const MAX_REDIRECTS = 5
const MAX_HEADER_BYTES = 32_768

export interface Request {
  readonly url: URL
  readonly method?: 'GET' | 'HEAD' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export interface HttpOptions {
  /** PEM certificates of authorities that are trusted besides the usual ones. */
  readonly ca: string | undefined
  /** Where HTTPS_PROXY, HTTP_PROXY and NO_PROXY are read from. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly signal: AbortSignal
  /** Which addresses may be asked; absent: any. With a proxy it would be about that one's address. */
  readonly reach?: Reach | undefined
}

export interface Http {
  /** The answer, whatever its status; nobody else reads its body. */
  send(request: Request): Promise<IncomingMessage>
  close(): void
}

/** A URL as messages may name it: a query may hold a signature. */
export const shownUrl = ({ origin, pathname }: URL): string => `${origin}${pathname}`.slice(0, 300)

export const createHttp = ({ ca, environment, signal, reach }: HttpOptions): Http => {
  const proxyEnv = { ...environment }
  const plain = new PlainAgent({ keepAlive: true, proxyEnv })
  const trusted = ca === undefined ? {} : { ca: [...getCACertificates('default'), ca] }
  const tls = new TlsAgent({ keepAlive: true, proxyEnv, ...trusted })
  const within = reach === undefined ? {} : { lookup: lookupWithin(reach) }
  const send = ({ url, method = 'GET', headers = {}, body }: Request): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      if (reach) judgeHost(url.hostname, reach)
      const isTls = url.protocol === 'https:'
      const common = { method, headers, signal, maxHeaderSize: MAX_HEADER_BYTES, ...within }
      const request = isTls
        ? tlsRequest(url, { ...common, agent: tls })
        : plainRequest(url, { ...common, agent: plain })
      request.setTimeout(IDLE_MS, () => {
        request.destroy(new Error(`nothing was heard for ${IDLE_MS / 1000} s`))
      })
      request.on('response', resolve)
      request.on('error', (error) => {
        if (error instanceof ImageError) reject(error)
        else reject(new ImageError(`${shownUrl(url)} cannot be reached: ${httpWords(error)}`))
      })
      request.end(body)
    })
  return {
    send,
    close: () => {
      plain.destroy()
      tls.destroy()
    },
  }
}

const REDIRECTS = new Set([301, 302, 303, 307, 308])

/** Whether a registry may send us on to a URL. */
const mayGoTo = (url: URL, from: URL, allowPlainHttp: boolean): boolean => {
  if (url.username !== '' || url.password !== '') return false
  if (url.protocol === 'https:') return true
  // Plain HTTP only to the host itself, and only where that may be asked so.
  return url.protocol === 'http:' && allowPlainHttp && url.hostname === from.hostname
}

const withoutAuthorization = (
  headers: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'authorization'),
  )

/** The request that a redirect asks for; on another origin the credential is left behind, for good. */
const redirected = (
  current: Request,
  answer: IncomingMessage,
  isAllowed: (url: URL) => boolean,
): Request => {
  const { location = '' } = answer.headers
  const { url: from, headers = {} } = current
  const url = URL.canParse(location, from.href) ? new URL(location, from.href) : undefined
  if (!url || !isAllowed(url)) {
    throw new ImageError(
      `${shownUrl(from)} redirects to ${url ? shownUrl(url) : 'no URL'}, which is not followed: only https is, and plain HTTP on the same host where the registry has allowPlainHttp`,
    )
  }
  const isSame = url.origin === from.origin
  return { ...current, url, headers: isSame ? headers : withoutAuthorization(headers) }
}

/** Sends and follows redirects. */
export const sendAndFollow = async (
  http: Http,
  request: Request,
  allowPlainHttp: boolean,
): Promise<IncomingMessage> => {
  let current = request
  for (let hops = 0; hops <= MAX_REDIRECTS; hops += 1) {
    const answer = await http.send(current)
    if (!REDIRECTS.has(answer.statusCode ?? 0)) return answer
    answer.destroy()
    current = redirected(current, answer, (url) => mayGoTo(url, request.url, allowPlainHttp))
  }
  throw new ImageError(`${shownUrl(request.url)} redirects more than ${MAX_REDIRECTS} times`)
}

/** A body of bounded size. */
export const readBody = async (answer: IncomingMessage, maxBytes: number): Promise<Buffer> => {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of answer) {
    const bytes = Buffer.from(chunk)
    length += bytes.length
    if (length > maxBytes) {
      answer.destroy()
      throw new ImageError(`an answer exceeds ${maxBytes} bytes`)
    }
    chunks.push(bytes)
  }
  return Buffer.concat(chunks)
}
