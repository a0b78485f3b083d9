// What records hold of what is asked and answered, by level: nothing, what was asked, or the answer too. Without what is
// secret by the configuration's names and paths, by the tool's own schema, or by its shape.

import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { parsePath, type Step } from '../../../shared/json-path.ts'
import { isObject, type Json } from '../../../shared/json.ts'
import { messageOf } from '../../../shared/message.ts'
import type { AuditConfig } from '../../../shared/sidecar-config.ts'
import {
  member,
  nameOf,
  slice,
  type Message,
  type Request,
  type Response,
} from '../../mcp/message.ts'
import type { Span } from '../../json/scan.ts'
import { Marks, REDACTED } from './marks.ts'
import { shapeOfPaths } from './path-shape.ts'
import { MAX_CONTENT, redacted, type RedactionRules } from './redaction.ts'
import { SecretNames } from './secret-names.ts'
import { memberShapes, SECRET, type Shape } from './shape.ts'
import { inTexts, ToolShapes, within } from './tool-shapes.ts'

export interface ContentOptions {
  readonly level: AuditConfig['level']
  /** Names of members, and places, that are left out. */
  readonly keys: readonly string[]
  readonly paths: readonly (readonly Step[])[]
  /** For digests of what was left out. */
  readonly key: Buffer
}

export interface AnsweredContent {
  readonly result?: string
  readonly error?: string
}

const CALL = 'tools/call'
const LIST = 'tools/list'
const COMPLETE = 'completion/complete'
const STRUCTURED = 'structuredContent'
/** It says nothing that the record does not say elsewhere. */
const META = '_meta'
/** A text's quotes and backslashes are escaped once more, and marks come on top. */
const ROOM = MAX_CONTENT * 3

const NOTHING: AnsweredContent = {}

/** The argument that is completed has its name beside its value. */
const COMPLETED = [within('argument', within('value', SECRET))]
const TEXTS = [inTexts(SECRET)]

const toolIn = (message: Message): string | undefined =>
  message.kind !== 'response' && message.method === CALL ? nameOf(message) : undefined

export class Content {
  private readonly level: AuditConfig['level']
  private readonly rules: RedactionRules
  private readonly shapes: Readonly<Record<'params' | 'result' | 'error', readonly Shape[]>>
  /** The texts of a result repeat its structured content: the same places are secret in them. */
  private readonly texts: readonly Shape[]
  private readonly tools = new ToolShapes()

  constructor({ level, keys, paths, key }: ContentOptions) {
    this.level = level
    this.rules = { marks: new Marks(key), names: new SecretNames(keys) }
    const root = [shapeOfPaths(paths)]
    this.shapes = {
      params: memberShapes(root, 'params'),
      result: memberShapes(root, 'result'),
      error: memberShapes(root, 'error'),
    }
    this.texts = memberShapes(this.shapes.result, STRUCTURED).map(inTexts)
  }

  /** So many bytes an answer may add to a record. */
  get answerBytes(): number {
    return this.level === 'response' ? ROOM : 0
  }

  /** What a client's message says: a request's or notification's parameters, or its answer to the server. */
  asked(message: Message): { readonly params?: string; readonly result?: string } {
    if (this.level === 'metadata') return NOTHING
    if (message.kind === 'response') {
      return message.result ? { result: this.shown(message, message.result, 'result') } : NOTHING
    }
    if (!message.params) return NOTHING
    return { params: this.shown(message, message.params, 'params', this.ownOf(message)) }
  }

  answered(request: Request, response: Response): AnsweredContent {
    const { result, error } = response
    if (this.level === 'metadata') return NOTHING
    if (request.method === LIST && result) this.tools.learn(textAt(response, result))
    if (this.level === 'request') return NOTHING
    if (error) return { error: this.shown(response, error, 'error') }
    if (!result) return NOTHING
    const tool = toolIn(request)
    const own = tool === undefined ? [] : [...this.texts, ...this.tools.results(tool)]
    const texts = this.isOpen(response, own) ? [] : TEXTS
    return { result: this.shown(response, result, 'result', [...own, ...texts]) }
  }

  /** What a request's own kind says of its parameters. */
  private ownOf(message: Exclude<Message, Response>): readonly Shape[] {
    const tool = toolIn(message)
    if (tool !== undefined) return this.tools.arguments(tool)
    if (message.method !== COMPLETE) return []
    const place = member(message.params, 'argument')
    const argument: Json = place ? JSON.parse(textAt(message, place)) : null
    const name = isObject(argument) ? argument['name'] : undefined
    return typeof name === 'string' && this.rules.names.has(name) ? COMPLETED : []
  }

  /** Whether nothing is left out of a result's structured content, so that its texts may repeat it. */
  private isOpen(response: Response, own: readonly Shape[]): boolean {
    const structured = member(response.result?.object, STRUCTURED)
    if (!structured) return true
    const shapes = memberShapes([...this.shapes.result, ...own], STRUCTURED)
    const shown = redacted(textAt(response, structured), shapes, this.rules)
    return shown.length <= MAX_CONTENT && !shown.includes(REDACTED)
  }

  private shown(
    message: Message,
    span: Span,
    side: 'params' | 'result' | 'error',
    own: readonly Shape[] = [],
  ): string {
    return redacted(textAt(message, span), [...this.shapes[side], ...own], this.rules, META)
  }
}

const textAt = ({ text }: Message, span: Span): string =>
  Buffer.from(slice(text, span), 'latin1').toString()

const KEY_BYTES = 32
const MIN_KEY_BYTES = 16

const readKey = async (path: string | undefined): Promise<Buffer> => {
  if (path === undefined) return randomBytes(KEY_BYTES)
  const key = await readFile(path).catch((error: unknown) => {
    throw new Error(`audit: redact.keyFile: ${path}: ${messageOf(error)}`, { cause: error })
  })
  if (key.length >= MIN_KEY_BYTES) return key
  throw new Error(`audit: redact.keyFile: ${path} holds less than ${MIN_KEY_BYTES} bytes`)
}

/** Rejects with what is wrong in the configuration. */
export const contentBy = async ({ level, redact }: AuditConfig): Promise<Content> => {
  const paths = redact.paths.map((text, index) => {
    const read = parsePath(text)
    if (read.ok) return read.value
    throw new Error(`audit: redact.paths.${index}: ${JSON.stringify(text)}: ${read.error}`)
  })
  return new Content({ level, keys: redact.keys, paths, key: await readKey(redact.keyFile) })
}
