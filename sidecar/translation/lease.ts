// A legacy process in the hands of one modern call, from the moment it is chosen to the call's end: of one request, or, where
// the server asks its client for something, of several in turn. What goes in is made legacy, what comes back modern; whoever
// gives the call up gives the process up.

import type { Principal } from '../access/principal.ts'
import type { Rights } from '../access/rights.ts'
import type { Budget, Lease as Room } from '../bytes/budget.ts'
import type { Call, Caller, CallOptions } from '../conversation/call.ts'
import { mayNotAsk, noClient, noRecord } from '../legacy/questions.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import { slice, type Notification, type Request, type Response } from '../mcp/message.ts'
import type { ModernProcess } from '../modern/process.ts'
import type { Mirrored } from '../modern/tools.ts'
import { NO_HEADERS, type Link } from '../server/link.ts'
import { Asker } from './asker.ts'
import type { Backend } from './backend.ts'
import { missingFor } from './capabilities.ts'
import { legacyRequest } from './legacy-request.ts'
import { isAsked, type LogLevel } from './log-level.ts'
import type { Parked, Parking } from './parking.ts'
import { askedText, Questions } from './questions.ts'
import { digestOf } from './request-state.ts'

/** Where the process comes from and goes back to. */
export interface Lessor {
  readonly parking: Parking<Lease>
  readonly now: () => number
  /** For answers that nobody waits for yet. */
  readonly budget: Budget
  readonly schedule: (callback: () => void, delayMs: number) => () => void
  /** The request is done; the process may serve the next. */
  released(backend: Backend): void
  /** The call was given up, and the server has been told. */
  spent(backend: Backend): void
}

/** How a request asks for log lines. */
export interface LogWish {
  readonly reader: Caller
  readonly level: LogLevel
}

/** Whose request it is. */
export interface Lessee {
  readonly principal: string
  /** As this request has shown it; undefined where the process is everybody's. */
  readonly caller: Principal | undefined
  readonly rights: Rights | undefined
  readonly logs: LogWish | undefined
}

/** Several questions at once come within such a moment. */
const GATHER_MS = 5

export class Lease implements ModernProcess, Parked {
  readonly vetted: ModernProcess['vetted']
  readonly principal: string
  logReader: Caller | undefined
  digest = ''
  private readonly backend: Backend
  private readonly lessor: Lessor
  private level: LogLevel | undefined
  private rights: Rights | undefined
  private caller: Principal | undefined
  /** Which arguments are mirrored in headers, as its first request was checked by. */
  private mirrored: Mirrored | undefined
  /** The server has the call, and has not answered it. */
  private out: Call | undefined
  /** The request that waits; undefined while the client is asked. */
  private asker: Asker | undefined
  /** Made where the server asks for anything. */
  private someQuestions: Questions | undefined
  isParked = false
  private isResuming = false
  private isGathering = false
  /** What the server has answered although its client was asked; it asks some things for itself. */
  private early: { readonly raw: Response; readonly room: Room } | undefined

  constructor(backend: Backend, lessor: Lessor, lessee: Lessee) {
    this.backend = backend
    this.lessor = lessor
    this.principal = lessee.principal
    const { vetted } = backend
    this.vetted = vetted && {
      check: (request) => (this.isResuming ? undefined : vetted.check(request)),
      hears: (caller, method) => vetted.hears(caller, method),
    }
    backend.lease = this
    this.serves(lessee)
  }

  /** From now on it serves this request of its caller's. */
  serves({ caller, rights, logs }: Lessee): void {
    this.caller = caller
    this.rights = rights
    this.logReader = logs?.reader
    this.level = logs?.level
  }

  get channel(): this {
    return this
  }

  get tools(): this {
    return this
  }

  private get questions(): Questions {
    this.someQuestions ??= new Questions(this.lessor.budget.lease('calls'))
    return this.someQuestions
  }

  get isBlocked(): boolean {
    return this.rights?.blockedBy() !== undefined
  }

  get link(): Link {
    return this.backend.channel.link
  }

  get hasAnswered(): boolean {
    return this.backend.channel.hasAnswered
  }

  join(): void {
    this.backend.used()
  }

  leave(): void {
    const { backend, lessor, out, asker } = this
    if (this.isParked) return
    if (backend.lease !== this) {
      // Others may have the process by now; nobody will bring, or fetch, what is still kept of this call.
      this.settle('cancelled')
      return
    }
    backend.isSpent ||= out !== undefined
    backend.release()
    // Who gives up a call that is out tells the server so next, but for one that had not got to it.
    if (out === undefined) lessor.released(backend)
    else if (asker === undefined) this.cancel(out, 'disconnected')
  }

  call(request: Request, caller: Caller, options: CallOptions): Call | undefined {
    const { backend, level, early } = this
    this.asker = new Asker(request, caller, options)
    if (early) return this.deliver(request, early, this.asker)
    const isGone = backend.lease !== this || (this.isResuming && this.out === undefined)
    if (isGone) {
      caller.fault(fault('invalid-params', 'the server does not wait for this any more'))
      return undefined
    }
    if (level !== undefined) backend.setLevel(level)
    if (this.out) return this.takeUp(request, this.out, this.asker)
    // Who can be asked for nothing never waits.
    if (backend.mayAsk) this.digest = digestOf(request)
    const { request: plain, edits } = legacyRequest(request)
    const own = { ...options, headers: NO_HEADERS.headers, edits }
    this.out = backend.channel.call(plain, this.hearing(), own)
    return this.out
  }

  cancel(call: Call, reason: 'timeout' | 'disconnected'): void {
    const { backend, lessor } = this
    this.settle('cancelled')
    backend.channel.cancel(call, reason)
    if (this.isParked) this.unpark()
    lessor.spent(backend)
  }

  log(message: Notification): void {
    const { logReader, level } = this
    if (level !== undefined && isAsked(message, level)) logReader?.notice(message.text, message)
  }

  /** The server asks its client for something, which can only be this one's. */
  asks(message: Request): void {
    const { backend, out, rights } = this
    const missing = missingFor(message, backend.capabilities)
    if (out === undefined || missing === 'unknown') backend.refuse(message, this.caller)
    else if (missing) this.cannotBeAsked(message, missing)
    else if (rights?.mayBeAsked(message.method) === false) this.put(message, 'denied')
    else if (!this.questions.takes(message)) this.put(message, 'no_client')
    else this.put(message, undefined)
  }

  takesBack(idText: string): void {
    this.questions.takenBack(idText)
  }

  denyQuestions(): void {
    const { rights, questions, backend } = this
    if (!rights) return
    for (const text of questions.denied(rights.mayBeAsked)) backend.channel.send(text)
  }

  resuming(): void {
    this.isParked = false
    this.isResuming = true
  }

  lapse(why: 'timeout' | 'cancelled'): void {
    this.isParked = false
    const { out, backend } = this
    this.settle(why)
    if (!out) return
    backend.isSpent = true
    backend.release()
    this.cancel(out, why === 'timeout' ? why : 'disconnected')
  }

  /** A server that waits for its client may answer nothing else: what it was checked by holds for the whole call. */
  headersOf(name: string): Mirrored | Promise<Mirrored> {
    if (this.isResuming && this.mirrored) return this.mirrored
    const keep = (found: Mirrored): Mirrored => {
      if (found.ok) this.mirrored = found
      return found
    }
    const found = this.backend.tools.headersOf(name, undefined, undefined)
    return found instanceof Promise ? found.then(keep) : keep(found)
  }

  /** Its client has not declared what it would have to be able to do (2026-07-28, -32021). */
  private cannotBeAsked(message: Request, requiredCapabilities: Readonly<Record<string, object>>) {
    this.backend.refuse(message, this.caller)
    const { asker, out, backend } = this
    const why = `the server asks for ${message.method}, and the client has not declared that it can be`
    backend.isSpent = true
    asker?.fault(fault('capability-missing', why, { data: { requiredCapabilities } }))
    if (out) this.cancel(out, 'disconnected')
  }

  private put(message: Request, refused: 'denied' | 'no_client' | undefined): void {
    const { backend } = this
    const { channel } = backend
    const idText = slice(message.text, message.id)
    const watch = backend.watch(message, this.caller, this.out?.hop?.context)
    if (refused !== undefined) {
      watch?.end(refused)
      channel.send(refused === 'denied' ? mayNotAsk(idText) : noClient(idText))
    } else if (!watch && backend.isOnRecord) channel.send(noRecord(idText))
    else {
      this.questions.add(message, watch)
      this.gather()
    }
  }

  /** Those that come at once are put at once. */
  private gather(): void {
    if (this.isGathering || !this.asker) return
    this.isGathering = true
    this.lessor.schedule(() => {
      this.isGathering = false
      if (this.asker && this.out && this.questions.size > 0) this.park(this.asker, this.out)
    }, GATHER_MS)
  }

  private deliver(
    request: Request,
    { raw, room }: { readonly raw: Response; readonly room: Room },
    asker: Asker,
  ): undefined {
    this.early = undefined
    room.release()
    asker.takesUp(this.link)
    this.reply(request)
    asker.answer(raw, this.backend.discovery?.serverInfo)
    return undefined
  }

  /** The server hears what the client has brought. */
  private reply(request: Request): void {
    this.denyQuestions()
    for (const text of this.questions.answered(request)) this.backend.channel.send(text)
  }

  private takeUp(request: Request, out: Call, asker: Asker): Call {
    this.isResuming = false
    asker.takesUp(this.link)
    out.clock.start(this.lessor.now())
    this.reply(request)
    if (this.questions.size > 0) this.park(asker, out)
    return out
  }

  /** Answers the request with what its client is asked for; the call waits for another that brings it. */
  private park(asker: Asker, out: Call): void {
    const { lessor, principal, questions } = this
    if (!lessor.parking.hasRoom(principal)) {
      const why = 'too many calls of this caller wait for what their client was asked; answer one'
      this.backend.isSpent = true
      asker.fault(fault('too-many-requests', why, { headers: { 'retry-after': '5' } }))
      this.cancel(out, 'disconnected')
      return
    }
    this.asker = undefined
    this.isParked = true
    out.clock.stop(lessor.now())
    const state = lessor.parking.park(this)
    asker.inputRequired((idText) => askedText(idText, questions.text(), state))
  }

  /** Nobody brings, or fetches, anything any more. */
  private settle(errorType: 'timeout' | 'cancelled'): void {
    const open = this.someQuestions?.end(errorType) ?? []
    for (const text of open) this.backend.channel.send(text)
    this.early?.room.release()
    this.early = undefined
  }

  /** It waits for its client no longer. */
  private unpark(): void {
    this.isParked = false
    this.lessor.parking.forget(this)
    this.backend.release()
  }

  /** The call is over. */
  private over(): Asker | undefined {
    const { asker } = this
    this.out = undefined
    this.settle('cancelled')
    if (!this.isParked) return asker
    this.unpark()
    this.lessor.released(this.backend)
    return undefined
  }

  /** The server has not waited for its client: the answer waits for whoever comes, and the process for nobody. */
  private answeredEarly(raw: Response): void {
    const { lessor, backend } = this
    const room = lessor.budget.lease('calls')
    if (!room.keep(raw.text.length)) {
      this.over()
      return
    }
    this.out = undefined
    this.early = { raw, room }
    backend.release()
    lessor.released(backend)
  }

  /** Whoever waits, and hears of all in the words of its own era. */
  private hearing(): Caller {
    return {
      notice: (text, message) => this.asker?.notice(text, message) ?? false,
      answer: (_text: string, raw: Response): void => {
        if (this.isParked) this.answeredEarly(raw)
        else this.over()?.answer(raw, this.backend.discovery?.serverInfo)
      },
      fault: (reason: Fault): void => {
        // The server may still work at it.
        if (reason.code === 'request-timeout') this.backend.isSpent = true
        this.over()?.fault(reason)
      },
    }
  }
}
