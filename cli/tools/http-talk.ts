// MCP over Streamable HTTP as far as `tools` asks: one question at a time, bounded in size and time, each fault a
// sentence. What is answered is read as strictly as the sidecar reads it.

import { at, isObject, numberAt, stringAt, type Json, type JsonObject } from '../../shared/json.ts'
import { oneLine } from '../../shared/one-line.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { readJson } from '../../sidecar/json/text.ts'
import { EventReader } from '../../sidecar/server/event-reader.ts'
import { reachWords } from '../output/system-words.ts'

export interface Refused {
  readonly words: string
  /** The code of a JSON-RPC error; undefined where it is none. */
  readonly code?: number
  /** Nothing else that is asked there can be answered. */
  readonly isFinal?: true
}

export type Answered = Result<JsonObject, Refused>

/** The headers of a conversation; `mcp-session-id` is put there by the answer to `initialize`. */
export interface TalkOptions {
  readonly url: string
  readonly token: string | undefined
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

const MAX_BYTES = 16 * 1024 * 1024
const MAX_SAID = 200

const said = (value: Json | undefined, ...path: readonly string[]): string => {
  const words = oneLine(stringAt(value, ...path) ?? '').slice(0, MAX_SAID)
  return words === '' ? '' : `: ${words}`
}

const parsed = (bytes: Buffer): Result<JsonObject, string> => {
  const json = readJson(bytes)
  if (!json.ok) return fail(json.error.reason)
  const value: unknown = JSON.parse(bytes.toString())
  return isObject(value) ? ok(value) : fail('it is no object')
}

/** What finds an answer in the bytes of a response. */
interface AnswerReader {
  /** False: it is longer than any may be. */
  readonly push: (chunk: Buffer) => boolean
  /** Once it is known, wherever the response ends. */
  readonly found: () => Buffer | undefined
  /** No more bytes come. */
  readonly end: () => Buffer | undefined
}

/** In a stream of events. */
const fromEvents = (id: number): AnswerReader => {
  let found: Buffer | undefined
  const reader = new EventReader(MAX_BYTES, ({ data }) => {
    const message = data.length === 0 ? undefined : parsed(data)
    if (message?.ok === false || (message?.ok === true && numberAt(message.value, 'id') === id)) {
      found ??= data
    }
  })
  return { push: (chunk) => reader.push(chunk), found: () => found, end: () => found }
}

const tooLong: Refused = { words: `it answers with more than ${MAX_BYTES} bytes` }

/** Whatever comes, in one. */
const wholeBody = (): AnswerReader => {
  const chunks: Buffer[] = []
  return {
    push: (chunk) => chunks.push(chunk) > 0,
    found: () => undefined,
    end: () => Buffer.concat(chunks),
  }
}

/** The bytes of the answer, wherever in the response they stand. */
const bytesOf = async (
  { headers, body }: Response,
  id: number,
): Promise<Result<Buffer, Refused>> => {
  const isStream = (headers.get('content-type') ?? '').startsWith('text/event-stream')
  const reader = isStream ? fromEvents(id) : wholeBody()
  let length = 0
  for await (const chunk of body ?? []) {
    length += chunk.length
    if (length > MAX_BYTES || !reader.push(Buffer.from(chunk))) return fail(tooLong)
    const found = reader.found()
    if (found) return ok(found)
  }
  const whole = reader.end()
  return whole ? ok(whole) : fail({ words: 'it ends its stream without an answer' })
}

const UNKNOWN_CALLER: Refused = {
  words: 'it wants a token, or another one than it got: --token-file FILE holds one',
  isFinal: true,
}

const statusFault = ({ status, headers }: Response, bytes: Buffer): Refused => {
  if (status === 401 || status === 403) return UNKNOWN_CALLER
  const message = parsed(bytes)
  const code = message.ok ? numberAt(message.value, 'error', 'code') : undefined
  if (message.ok && code !== undefined) {
    return { words: `it answers with an error${said(message.value, 'error', 'message')}`, code }
  }
  const place = headers.get('location')
  const moved = status >= 300 && status < 400 && place !== null
  return moved
    ? {
        words: `it answers ${status}: it has moved to ${oneLine(place).slice(0, MAX_SAID)}`,
        isFinal: true,
      }
    : {
        words: `it answers ${status}, and no MCP; the URL ends with the path of the endpoint, such as /mcp`,
      }
}

const resultIn = (bytes: Buffer): Answered => {
  const message = parsed(bytes)
  if (!message.ok) return fail({ words: `it answers with what is no message: ${message.error}` })
  const result = at(message.value, 'result')
  if (isObject(result)) return ok(result)
  const code = numberAt(message.value, 'error', 'code')
  const words = `it answers with an error${said(message.value, 'error', 'message')}`
  return fail(code === undefined ? { words: 'it answers with what is no result' } : { words, code })
}

const failure = (error: unknown, { timeoutMs }: TalkOptions): Refused => {
  const { name } = isObject(error) ? error : {}
  if (name === 'TimeoutError') {
    return { words: `it does not answer within ${timeoutMs / 1000} s`, isFinal: true }
  }
  return { words: `it cannot be reached: ${reachWords(error)}`, isFinal: true }
}

export class HttpTalk {
  private readonly options: TalkOptions
  private readonly headers: Record<string, string>
  private lastId = 0

  constructor(options: TalkOptions) {
    const { token } = options
    this.options = options
    this.headers = {
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    }
  }

  /** From now on each message has this header. */
  keep(name: string, value: string): void {
    this.headers[name] = value
  }

  async ask(method: string, params: object, headers: object = {}): Promise<Answered> {
    const id = ++this.lastId
    const message = JSON.stringify({ jsonrpc: '2.0', id, method, params })
    try {
      const response = await this.post(message, headers)
      const session = response.headers.get('mcp-session-id')
      if (session !== null) this.keep('mcp-session-id', session)
      const bytes = await bytesOf(response, id)
      if (!bytes.ok) return bytes
      return response.ok ? resultIn(bytes.value) : fail(statusFault(response, bytes.value))
    } catch (error) {
      return fail(failure(error, this.options))
    }
  }

  /** A notification; nobody answers it. */
  async tell(method: string): Promise<void> {
    const response = await this.post(JSON.stringify({ jsonrpc: '2.0', method }), {}).catch(
      () => undefined,
    )
    await response?.body?.cancel()
  }

  /** Ends the session, where there is one. */
  async close(): Promise<void> {
    if (this.headers['mcp-session-id'] === undefined) return
    const response = await this.send('DELETE', {}).catch(() => undefined)
    await response?.body?.cancel()
  }

  private post(body: string, headers: object): Promise<Response> {
    return this.send('POST', { body, headers })
  }

  private send(method: string, { body, headers }: { body?: string; headers?: object }) {
    const { url, signal, timeoutMs } = this.options
    return fetch(url, {
      method,
      ...(body === undefined ? {} : { body }),
      headers: { ...this.headers, ...headers },
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    })
  }
}
