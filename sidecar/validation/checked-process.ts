// The tools of one server process, as far as their arguments are checked: a call whose arguments are not as the tool's own
// schema wants them does not reach the server. Fails closed: what cannot be checked is refused.

import { isObject } from '../../shared/json.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import type { Caller } from '../conversation/call.ts'
import type { Channel } from '../conversation/channel.ts'
import { askPages } from '../conversation/pages.ts'
import type { AskTerms, Checked, Reading, VettedPart } from '../conversation/vetting.ts'
import { scan } from '../json/scan.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import { member, nameOf, slice, valueAt, type Notification, type Request } from '../mcp/message.ts'
import { SUBSCRIBE } from '../mcp/meta.ts'
import { pageIn, type Page } from '../lock/page.ts'
import type { Schemas } from './schemas.ts'

const LIST = 'tools/list'
const CALL = 'tools/call'
const KEPT_MS = 60_000
const MAX_TOOLS = 4096

/** Names of schemas by names of tools; undefined: there are two, and nobody knows which is meant. */
type Known = Map<string, string | undefined>

const refused = (why: string, data: Readonly<Record<string, unknown>> = {}): Fault =>
  fault('invalid-arguments', why, { data })

const uncheckable = (why: string): Fault =>
  refused(`the arguments cannot be checked against the tool's own input schema: ${why}`)

export interface CheckedParts {
  readonly schemas: Schemas
  readonly now: () => number
  /** Hears of a tool whose schema nobody can check by: its calls are refused. */
  readonly onUncheckable?: (tool: string, why: string) => void
  /** Who else of the process has a use for its list. */
  readonly beside?: () => readonly VettedPart[]
}

export class CheckedProcess implements VettedPart {
  private readonly schemas: Schemas
  private readonly channel: Channel
  private readonly beside: () => readonly VettedPart[]
  private readonly now: () => number
  private readonly onUncheckable: (tool: string, why: string) => void
  private known: Known = new Map()
  private freshUntilMs = -Infinity
  private changes = 0
  private asking: Promise<Result<Known, Fault>> | undefined

  constructor(
    channel: Channel,
    { schemas, now, beside = () => [], onUncheckable = () => {} }: CheckedParts,
  ) {
    this.schemas = schemas
    this.channel = channel
    this.now = now
    this.beside = beside
    this.onUncheckable = onUncheckable
  }

  reading(method: string): Reading | undefined {
    return method === LIST ? this.read(new Map(), true) : undefined
  }

  changed(): void {
    this.changes += 1
    this.freshUntilMs = -Infinity
  }

  /** No client calls a tool without waiting for what comes of it. */
  drops({ method }: Notification): boolean {
    return method === CALL
  }

  hears(caller: Caller, method: string): Caller {
    if (method !== SUBSCRIBE) return caller
    return {
      answer: (text, response) => caller.answer(text, response),
      fault: (reason) => caller.fault(reason),
      notice: (text, message) => {
        if (message.method.endsWith('/list_changed')) this.changed()
        return caller.notice(text, message)
      },
    }
  }

  check(request: Request, terms: AskTerms = {}): Checked {
    if (request.method !== CALL) return undefined
    const name = nameOf(request)
    if (name === undefined) return uncheckable('it has no name that is a text')
    const isFresh = !terms.headers && this.now() < this.freshUntilMs
    const judged = isFresh ? this.judge(request, name, this.known) : undefined
    if (judged) return judged.fault
    return this.learn(terms).then((known) => {
      if (!known.ok) return known.error
      const later = this.judge(request, name, known.value)
      return later ? later.fault : uncheckable('too many schemas are in use')
    })
  }

  /** Undefined where its schema has to be read again. */
  private judge(
    { text, params }: Request,
    name: string,
    known: Known,
  ): { readonly fault: Fault | undefined } | undefined {
    if (!known.has(name)) return { fault: uncheckable('the server lists no tool of this name') }
    const schema = known.get(name)
    if (schema === undefined) {
      return { fault: uncheckable('the server lists two tools of this name') }
    }
    const compiled = this.schemas.find(schema)
    if (!compiled) return undefined
    if (!compiled.ok) {
      this.onUncheckable(name, compiled.error)
      return { fault: uncheckable(compiled.error) }
    }
    const given = valueAt(text, member(params, 'arguments')) ?? {}
    const checked = isObject(given) ? compiled.value(given) : fail('they are no object')
    if (!checked.ok) return { fault: uncheckable(checked.error) }
    if (!checked.value) return { fault: undefined }
    const { path, why } = checked.value
    const where = path === '' ? 'the arguments' : `the argument at ${path}`
    return { fault: refused(`${where} ${why} (the tool's own input schema)`, { path }) }
  }

  private learn(terms: AskTerms): Promise<Result<Known, Fault>> {
    if (terms.headers) return this.ask(terms)
    this.asking ??= this.ask(terms).finally(() => {
      this.asking = undefined
    })
    return this.asking
  }

  private async ask(terms: AskTerms): Promise<Result<Known, Fault>> {
    const known: Known = new Map()
    const failed = await askPages({
      ...terms,
      channel: this.channel,
      method: LIST,
      now: this.now,
      tooLong: uncheckable,
      reading: this.read(known, !terms.headers),
      beside: this.beside,
    })
    return failed ? fail(failed) : ok(known)
  }

  /** What the list says; it is kept where it is the same for everybody, and has not changed meanwhile. */
  private read(known: Known, isKept: boolean): Reading {
    const { changes } = this
    return {
      take: (answer) => this.take(answer, known),
      done: () => {
        if (!isKept || changes !== this.changes) return
        this.known = known
        this.freshUntilMs = this.now() + KEPT_MS
      },
    }
  }

  private take(answer: string, known: Known): Result<string | undefined, Fault> {
    const page = pageIn('tools', answer)
    if (!page.ok) return fail(uncheckable(page.error))
    if (!page.value) return fail(uncheckable(`the server answers ${LIST} with no list now`))
    for (const { name, schema } of schemasIn(page.value)) {
      const kept = this.schemas.keep(schema)
      known.set(name, known.has(name) && known.get(name) !== kept ? undefined : kept)
    }
    return known.size > MAX_TOOLS
      ? fail(uncheckable(`the server lists more than ${MAX_TOOLS} tools`))
      : ok(page.value.cursor)
  }
}

/** A tool without a schema takes anything. */
const schemasIn = ({ list, items }: Page) =>
  items.flatMap(({ name, span }) => {
    if (name === undefined) return []
    const item = slice(list, span)
    const scanned = scan(item, false)
    if (!scanned.ok || scanned.value.kind === 'array') return []
    const place = member(scanned.value.object, 'inputSchema')
    return [{ name, schema: place ? slice(item, place) : '{}' }]
  })
