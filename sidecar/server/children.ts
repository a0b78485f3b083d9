// The children that the shim has been asked for, by number, until they are gone: what it says of one goes to that
// one. Bounded by who asks (spawner.ts): here nothing is refused for being too many.

import { messageOf } from '../../shared/message.ts'
import { fail, ok } from '../../shared/result.ts'
import type { Principal } from '../access/principal.ts'
import type { Budget } from '../bytes/budget.ts'
import type { AtTurnEnd } from '../bytes/turn-end.ts'
import { Child, READ_BYTES } from './child.ts'
import { broken, exhaustion, exitCode, type Spawned } from './child-ends.ts'
import {
  endFrame,
  openedFrame,
  spawnFrame,
  tokenFrame,
  UNCONFINED,
  type ShimEvent,
} from './control-frame.ts'
import { withOwn, type Outfitter } from './outfit.ts'
import type { ProcessTokens } from './process-tokens.ts'
import { openPipes } from './pipes.ts'
import { signalName, type Exit, type ProcessWatch, type ServerProcess } from './process-watch.ts'
import type { Tenant } from './source.ts'
import { StderrLines } from './stderr-lines.ts'
import type { Underway } from './underway.ts'

const TERM_AFTER_MS = 2000
const KILL_AFTER_MS = 3000
/** The shim answers a spawn in milliseconds; a stopped container never does. */
const SPAWN_TIMEOUT_MS = 15_000

export type ChildEvent = Exclude<ShimEvent, { kind: 'hello' | 'supervision' | 'terminating' }>

interface Asked {
  process: ServerProcess
  tenant: Tenant
  readonly name: string
  readonly settle: (result: Spawned) => void
  child: Child | undefined
  /** What its file holds, or is to hold once it runs; undefined: it has no such file. */
  token: string | undefined
  /** With which it was started. */
  sent: string | undefined
  /** Its stderr; undefined until it has written any. */
  lines: StderrLines | undefined
  /** Between its start and its end. */
  isRunning: boolean
  /** Its end has been asked for: its place will be free soon. */
  isEnding: boolean
  /** By us, while it could have gone on. */
  isAsked: boolean
}

export interface ChildrenOptions {
  /** Where the shim makes their pipes. */
  readonly pipesDir: string
  /** A name for a child's pipes that nobody can guess: 32 lower-case hex digits. */
  readonly newName: () => string
  /** For what they have not read and what we have read of a line. */
  readonly budget: Budget
  /** Calls back after a delay; returns how to cancel that. */
  readonly schedule: (callback: () => void, delayMs: number) => () => void
  /** Calls back when this turn of the event loop ends; absent: each child by itself. */
  readonly atTurnEnd?: AtTurnEnd | undefined
  /** Tells the shim, where there is one. */
  readonly send: (frame: Buffer) => void
  /** A child has ended by itself or by us: its exit code, 128 and the signal, or 0 where we ended it. */
  readonly onExit: (code: number) => void
  /** Hears of all of them. */
  readonly watch: ProcessWatch
  /** Absent where they may reach what they like. */
  readonly outfitter?: Outfitter | undefined
  /** Absent where processes have no tokens. */
  readonly tokens?: ProcessTokens | undefined
}

export class Children {
  private readonly options: ChildrenOptions
  private readonly readBuffer = Buffer.allocUnsafeSlow(READ_BYTES)
  private readonly asked = new Map<number, Asked>()
  private nextNumber = 1
  private freed: (() => void)[] = []
  /** We end them all ourselves: what is lost from now on is no news. */
  isLeaving = false

  constructor(options: ChildrenOptions) {
    this.options = options
  }

  /** Those that are not gone yet, those being started included. */
  get count(): number {
    return this.asked.size
  }

  /** Those whose end has been asked for and that are not gone yet. */
  get ending(): number {
    let sum = 0
    for (const { isEnding } of this.asked.values()) if (isEnding) sum++
    return sum
  }

  /** Who holds the others. */
  get tenants(): Iterable<Tenant> {
    return [...this.asked.values()].flatMap(({ isEnding, tenant }) => (isEnding ? [] : [tenant]))
  }

  /** Resolves when the next one has gone. */
  whenFreed(): Promise<void> {
    return new Promise((resolve) => {
      this.freed.push(resolve)
    })
  }

  /** Asks the shim for one. */
  spawn(tenant: Tenant): Promise<Spawned> {
    const number = this.nextNumber++
    const name = this.options.newName()
    return new Promise((resolve) => {
      const cancel = this.options.schedule(
        () => settle(broken('the shim did not start the server in time')),
        SPAWN_TIMEOUT_MS,
      )
      const settle = (result: Spawned): void => {
        cancel()
        if (!result.ok) this.end(number, 'asked')
        resolve(result)
      }
      const asked: Asked = {
        process: { number, session: tenant.session },
        tenant,
        name,
        settle,
        child: undefined,
        token: undefined,
        sent: undefined,
        lines: undefined,
        isRunning: false,
        isEnding: false,
        isAsked: false,
      }
      this.asked.set(number, asked)
      const { tokens } = this.options
      if (tokens && tenant.caller) void this.entrust(asked, tenant.caller, tokens)
      else this.ask(asked)
    })
  }

  /** The shim is asked once its token is there: it starts with that, or not at all. */
  private async entrust(asked: Asked, caller: Principal, tokens: ProcessTokens): Promise<void> {
    const { number } = asked.process
    const found = await tokens.begin(number, caller, (token) => {
      asked.token = token
      if (asked.isRunning) this.options.send(tokenFrame(number, token))
    })
    if (this.asked.get(number) !== asked) return
    if (!found.ok) {
      asked.settle(fail({ message: 'it has no token', isBusy: false, fault: found.error }))
    }
    // The shim knows nothing of it.
    if (!found.ok || asked.isEnding) {
      this.forget(number)
      return
    }
    asked.token = found.value
    this.ask(asked)
  }

  private ask(asked: Asked): void {
    const { process, name, tenant } = asked
    if (this.options.outfitter) void this.fit(asked, this.options.outfitter)
    else this.options.send(spawnFrame(process.number, name, withOwn(UNCONFINED, tenant)))
  }

  /** It is somebody's from now on; false where it is going. */
  hand(number: number, tenant: Tenant): boolean {
    const asked = this.asked.get(number)
    if (!asked || asked.isEnding) return false
    const { session, caller } = tenant
    asked.tenant = tenant
    asked.process = { number, session }
    this.options.outfitter?.handed(number, session, caller)
    return true
  }

  /** What is in flight with all of them. */
  get underway(): Iterable<Underway> {
    return [...this.asked.values()].flatMap(underwayWith)
  }

  /** The shim is asked once it is known what the child may reach. */
  private async fit(asked: Asked, outfitter: Outfitter): Promise<void> {
    const { process, tenant, name } = asked
    const { number } = process
    try {
      const calls = (): Iterable<Underway> => underwayWith(asked)
      const terms = await outfitter.fit({
        process,
        caller: tenant.caller,
        calls,
        isSpare: tenant.isSpare,
      })
      if (this.asked.get(number) === asked && !asked.isEnding) {
        this.options.send(spawnFrame(number, name, withOwn(terms, tenant)))
        return
      }
    } catch (error) {
      asked.settle(broken(`its way out cannot be opened: ${messageOf(error)}`))
    }
    outfitter.gone(number)
    // The shim knows nothing of it.
    if (this.asked.get(number) === asked) this.forget(number)
  }

  private forget(number: number): void {
    this.asked.delete(number)
    this.options.outfitter?.gone(number)
    this.options.tokens?.gone(number)
    this.free()
  }

  /** What the shim says of one; nothing where that is none of ours (any more). */
  heard(event: ChildEvent): void {
    const asked = this.asked.get(event.child)
    if (asked !== undefined) this.tell(asked, event)
  }

  /** All are lost: the shim that watched them has gone, and has killed them. */
  lost(why: string): void {
    for (const { child, settle, process, isRunning, lines } of this.asked.values()) {
      lines?.end()
      if (isRunning && !this.isLeaving) this.options.watch.lost(process)
      settle(broken(why))
      child?.lost(why)
    }
    for (const number of this.asked.keys()) {
      this.options.outfitter?.gone(number)
      this.options.tokens?.gone(number)
    }
    this.asked.clear()
    this.free()
  }

  private tell(asked: Asked, event: ChildEvent): void {
    switch (event.kind) {
      case 'pipes':
        this.open(event.child, asked)
        break
      case 'spawned':
        this.spawned(asked)
        break
      case 'refused':
        this.refused(asked, event)
        break
      case 'gone':
        this.gone(asked, event.child)
        break
      case 'exited':
        this.exited(asked, event)
        break
      case 'stderr':
        this.wrote(asked, event)
        break
      case 'egress':
      case 'led':
      case 'token-failed':
        this.besides(event)
    }
  }

  private gone(asked: Asked, number: number): void {
    asked.child?.gone()
    this.forget(number)
  }

  /** What it tries beside its conversation, and what we could not give it. */
  private besides(event: ChildEvent & { kind: 'egress' | 'led' | 'token-failed' }): void {
    const { outfitter, tokens } = this.options
    if (event.kind === 'egress') outfitter?.attempted(event)
    else if (event.kind === 'led') outfitter?.led(event)
    else tokens?.failed(event.child, event.why)
  }

  private spawned(asked: Asked): void {
    const { number } = asked.process
    asked.isRunning = true
    this.options.watch.started(asked.process)
    // Another has come while it was being started.
    if (asked.token !== asked.sent) this.options.send(tokenFrame(number, asked.token ?? ''))
    if (asked.child) asked.settle(ok(asked.child))
  }

  private wrote(asked: Asked, { bytes, dropped }: ChildEvent & { kind: 'stderr' }): void {
    const { watch } = this.options
    asked.lines ??= new StderrLines((line) => watch.wrote(asked.process, line))
    asked.lines.push(bytes, dropped)
    asked.child?.wrote(bytes)
  }

  private exited(asked: Asked, event: ChildEvent & { kind: 'exited' }): void {
    const { onExit, watch } = this.options
    const { code, signal, isOutOfMemory } = event
    const exit: Exit = {
      code,
      signal: signal === undefined ? undefined : signalName(signal),
      isOutOfMemory,
      isAsked: asked.isAsked,
    }
    asked.isRunning = false
    asked.lines?.end()
    onExit(exitCode(event, asked.isEnding))
    watch.exited(asked.process, exit)
    asked.child?.exited(exit)
  }

  private refused(asked: Asked, { child, reason, isBusy }: ChildEvent & { kind: 'refused' }): void {
    asked.child?.lost(reason)
    asked.settle(fail({ message: reason, isBusy }))
    this.forget(child)
  }

  private free(): void {
    const { freed } = this
    this.freed = []
    for (const resolve of freed) resolve()
  }

  private open(number: number, asked: Asked): void {
    const { pipesDir, send, budget, atTurnEnd } = this.options
    try {
      const pipes = openPipes(`${pipesDir}/${asked.name}`, this.readBuffer)
      const control = {
        number,
        end: (why: 'asked' | 'broken'): void => this.end(number, why),
      }
      asked.child = new Child(pipes, control, budget, atTurnEnd)
      if (asked.token !== undefined && asked.token !== '') send(tokenFrame(number, asked.token))
      asked.sent = asked.token
      send(openedFrame(number))
    } catch (error) {
      const exhausted = exhaustion(error)
      asked.settle(
        exhausted === undefined
          ? broken(`its pipes cannot be opened: ${messageOf(error)}`)
          : fail({ message: exhausted, isBusy: true }),
      )
    }
  }

  private end(number: number, why: 'asked' | 'broken'): void {
    const asked = this.asked.get(number)
    if (!asked) return
    asked.isAsked ||= why === 'asked'
    asked.isEnding = true
    this.options.send(endFrame(number, TERM_AFTER_MS, KILL_AFTER_MS))
  }
}

const underwayWith = ({ child }: Pick<Asked, 'child'>): readonly Underway[] => [
  ...(child?.owner?.underway ?? []),
]
