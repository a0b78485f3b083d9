// Modern clients before legacy servers in memory: what they ask and are answered, what each process was sent, and a clock that
// goes when it is told to.

import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Permit } from '../../sidecar/access/permit.ts'
import type { LegacyOptions } from '../../sidecar/legacy/legacy.ts'
import type { QuestionWatch } from '../../sidecar/legacy/questions.ts'
import type { Modern } from '../../sidecar/modern/modern.ts'
import {
  startTranslation,
  type TranslationOptions,
} from '../../sidecar/translation/start-translation.ts'
import { aBudget } from './budgets.ts'
import { anExchange } from './fake-exchange.ts'
import type { FakeLink } from './fake-link.ts'
import type { FakeReply } from './fake-reply.ts'
import { FakeSource } from './fake-source.ts'
import { keptRemarks } from './kept-remarks.ts'
import { anAsked } from './messages.ts'

export const IDLE_MS = 50_000
export const REQUEST_MS = 10_000
export const CLIENT_MS = 30_000
const VERSION = '2026-07-28'
const META = `"io.modelcontextprotocol/protocolVersion":"${VERSION}"`

/** Further members of a request's `_meta` and parameters, JSON text; the tool that its head names, and its other headers. */
type More = {
  readonly meta?: string
  readonly params?: string
  readonly name?: string
  readonly headers?: Readonly<Record<string, string>>
}
type Model = 'session' | 'principal' | 'shared'

export class TranslatedProcesses {
  readonly source: FakeSource
  /** The same for what else serves the server. */
  readonly options: LegacyOptions & TranslationOptions
  readonly modern: Modern
  readonly budget = aBudget()
  nowMs = 0
  readonly ends: string[] = []
  readonly failures: string[] = []
  /** How questions ended that are on record. */
  readonly questions: (string | undefined)[] = []
  /** By which program's token they were put, each. */
  readonly asked: (string | undefined)[] = []
  private readonly scheduled: (() => void)[] = []
  private lastId = 100
  private lastName = 0

  constructor(model: Model = 'session', calls = 64, isOnRecord = false) {
    this.source = new FakeSource({ places: 1024, idleTimeoutMs: IDLE_MS, now: () => this.nowMs })
    const questions: QuestionWatch = {
      asks: (_message, { caller }) => {
        this.asked.push(caller?.identity?.client)
        return { end: (errorType) => void this.questions.push(errorType) }
      },
    }
    const watchSessions = {
      questions,
      sessionBegan: () => undefined,
      sessionEnded: () => undefined,
    }
    this.options = {
      source: this.source,
      budget: this.budget,
      model,
      maxConcurrentCalls: calls,
      requestTimeoutMs: REQUEST_MS,
      startupTimeoutMs: REQUEST_MS,
      clientTimeoutMs: CLIENT_MS,
      idleTimeoutMs: IDLE_MS,
      keepAliveMs: 10_000,
      nextId: () => ++this.lastId,
      newSessionId: () => `handle-${`${++this.lastName}`.padStart(12, '0')}`,
      now: () => this.nowMs,
      observe: () => undefined,
      remarks: keptRemarks(),
      ...(isOnRecord ? { watchSessions } : {}),
      onStarted: () => undefined,
      onStartFailed: (reason) => this.failures.push(reason),
      onDied: () => undefined,
      endsListeners: false,
      onSessionEnd: () => undefined,
      onProcessEnd: (end) => this.ends.push(end),
    }
    this.modern = startTranslation(this.options, {
      secret: Buffer.alloc(32, 7),
      schedule: (callback) => {
        this.scheduled.push(callback)
        return () => undefined
      },
    })
  }

  /** What waits for a microtask or a turn has had it. */
  async settle(): Promise<void> {
    for (let turns = 0; turns < 4; turns += 1) await nextTurn()
  }

  async sweep(ms = 0): Promise<void> {
    this.nowMs += ms
    this.modern.sweep(this.nowMs)
    await this.source.sweep()
    await this.settle()
  }

  /** What was to happen a moment later has happened. */
  async moment(): Promise<void> {
    for (const callback of this.scheduled.splice(0)) callback()
    await this.settle()
  }

  /** `of` tells requests apart. */
  async post(
    permit: Permit,
    method: string,
    of = '',
    { meta = '', params = '', name, headers }: More = {},
  ): Promise<FakeReply> {
    const { exchange, client } = anExchange(headers)
    const more = meta === '' ? '' : `,${meta}`
    const own = params === '' ? '' : `,${params}`
    const body = `{"jsonrpc":"2.0","id":"mine","method":"${method}","params":{"of":"${of}","_meta":{${META}${more}}${own}}}`
    void this.modern.post(permit, exchange, anAsked(body), { version: VERSION, name })
    await this.settle()
    return client
  }

  link(index: number): FakeLink {
    const found = this.source.links[index]
    if (!found) throw new Error(`there is no process ${index}`)
    return found
  }

  /** Our id of the call that says this. */
  idOf(index: number, of: string): string {
    const text = this.link(index).sent.find((one) => one.includes(`"of":"${of}"`))
    const id = /"id":(\d+)/.exec(text ?? '')?.[1]
    if (id === undefined) throw new Error(`process ${index} has no call ${of}`)
    return id
  }

  async says(index: number, text: string): Promise<void> {
    this.link(index).says(text)
    await this.settle()
  }

  answer(index: number, of: string): Promise<void> {
    const id = this.idOf(index, of)
    return this.says(index, `{"jsonrpc":"2.0","id":${id},"result":{"of":"${of}"}}`)
  }

  /** The server says what its tools are, JSON text, to whoever has asked last; that is soon old. */
  async lists(index: number, tools: string): Promise<void> {
    const text = this.link(index).sent.findLast((one) => one.includes('"method":"tools/list"'))
    const id = /"id":(\d+)/.exec(text ?? '')?.[1]
    if (id === undefined) throw new Error(`process ${index} has not been asked for its tools`)
    await this.says(index, `{"jsonrpc":"2.0","id":${id},"result":{"ttlMs":0,"tools":[${tools}]}}`)
  }

  /** The server says how far it is with the call that says this. */
  progress(index: number, of: string): Promise<void> {
    const params = `{"progressToken":"${this.idOf(index, of)}","progress":1}`
    return this.says(
      index,
      `{"jsonrpc":"2.0","method":"notifications/progress","params":${params}}`,
    )
  }

  /** Which process has the call that says this; -1 for none. */
  where(of: string): number {
    return this.source.serverOf(`"of":"${of}"`)
  }
}
