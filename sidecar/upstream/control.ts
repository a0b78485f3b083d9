// The sidecar's end of the control socket: takes one shim at a time, asks it for children, and
// tells each child what the shim saw. When the connection drops, every child is lost: the shim kills them.
// Fails closed: what breaks the protocol ends the connection.

import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../../shared/log.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { Child, openPipes } from './child.ts'
import {
  endFrame,
  exitFrame,
  FrameReader,
  helloFrame,
  openedFrame,
  PROTOCOL_VERSION,
  spawnFrame,
  type ShimEvent,
} from './control-frame.ts'

/** An earlier run's shim kills its children when it loses us; this long before we listen again. */
const EARLIER_RUN_MS = 1000
const TERM_AFTER_MS = 2000
const KILL_AFTER_MS = 3000
/** A shim says who it is at once; anything else shall not keep its place. */
const HELLO_TIMEOUT_MS = 5000
/** After EXIT the shim ends its children and goes. */
const EXIT_TIMEOUT_MS = 3000
/** The shim answers a spawn in milliseconds; a stopped container never does. */
const SPAWN_TIMEOUT_MS = 15_000

type ChildEvent = Exclude<ShimEvent, { kind: 'hello' | 'terminating' }>

/** What a pipe holds at most. */
const READ_BUFFER_BYTES = 64 * 1024

/** Why there is no child; `isBusy`: it may well work a little later. */
export interface SpawnFailure {
  readonly message: string
  readonly isBusy: boolean
}

interface Asked {
  readonly name: string
  readonly settle: (result: Result<Child, SpawnFailure>) => void
  child: Child | undefined
  /** Its end has been asked for: its place will be free soon. */
  isEnding: boolean
}

const broken = (message: string): Result<never, SpawnFailure> => fail({ message, isBusy: false })

/** What the shim has said of itself. */
export interface Peer {
  readonly uid: number
  readonly landlockAbi: number
}

export interface ControlOptions {
  readonly runDir: string
  readonly log: Log
  /** Judges the shim that has connected; a sentence refuses it. */
  readonly admit: (peer: Peer) => string | undefined
  readonly onTerminating: (leftMs: number) => void
  /** The shim has come (true) or gone. */
  readonly onPeer: (isThere: boolean) => void
  /** A child has ended by itself or by us: its exit code, 128 and the signal, or 0 where we ended it. */
  readonly onExit: (code: number) => void
}

export class Control {
  private readonly options: ControlOptions
  private readonly server: Server
  private readonly readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES)
  private socket: Socket | undefined
  private hasPeer = false
  private nextChild = 1
  private readonly asked = new Map<number, Asked>()
  private freed: (() => void)[] = []

  constructor(options: ControlOptions) {
    this.options = options
    this.server = createServer((socket) => this.accept(socket))
  }

  /** Makes the pipes folder and listens; waits first where an earlier run has left its traces. */
  async listen(): Promise<void> {
    const { runDir } = this.options
    const path = `${runDir}/control`
    if (existsSync(path) || existsSync(`${runDir}/pipes`)) {
      rmSync(path, { force: true })
      await sleep(EARLIER_RUN_MS)
    }
    this.setAside(`${runDir}/pipes`)
    mkdirSync(`${runDir}/pipes`)
    // Others may make names there but not list them (sticky, write and search only).
    chmodSync(`${runDir}/pipes`, 0o1733)
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject)
      this.server.listen(path, resolve)
    })
    this.server.on('error', (error) =>
      this.options.log.warn('the control socket failed', { error: error.message }),
    )
    chmodSync(path, 0o666)
  }

  /** A child may have left a folder there that we cannot empty: it must not keep us from starting. */
  private setAside(folder: string): void {
    if (!existsSync(folder)) return
    const aside = `${folder}.${randomBytes(8).toString('hex')}`
    renameSync(folder, aside)
    try {
      rmSync(aside, { recursive: true, force: true })
    } catch (error) {
      this.options.log.warn('an earlier pipes folder stays', { error: String(error) })
    }
  }

  /** Whether a shim is connected and has been admitted. */
  get isReady(): boolean {
    return this.hasPeer
  }

  /** Children that are not gone yet, those being started included. */
  get count(): number {
    return this.asked.size
  }

  /** Children whose end has been asked for and that are not gone yet. */
  get ending(): number {
    let sum = 0
    for (const { isEnding } of this.asked.values()) if (isEnding) sum++
    return sum
  }

  /** Resolves when the next child has gone. */
  whenFreed(): Promise<void> {
    return new Promise((resolve) => {
      this.freed.push(resolve)
    })
  }

  /** Starts a child with these environment lines added. */
  spawn(environment: readonly string[]): Promise<Result<Child, SpawnFailure>> {
    const { socket } = this
    if (!this.hasPeer || socket === undefined) {
      return Promise.resolve(broken("the shim in the server's container is not connected"))
    }
    const number = this.nextChild++
    const name = randomBytes(16).toString('hex')
    return new Promise((resolve) => {
      const timer = setTimeout(
        () => settle(broken('the shim did not start the server in time')),
        SPAWN_TIMEOUT_MS,
      )
      const settle = (result: Result<Child, SpawnFailure>): void => {
        clearTimeout(timer)
        if (!result.ok) this.end(number)
        resolve(result)
      }
      this.asked.set(number, { name, settle, child: undefined, isEnding: false })
      socket.write(spawnFrame(number, name, environment))
    })
  }

  /** Tells the shim to end everything and exit with a code; resolves when it has gone, or is overdue. */
  async exit(code: number): Promise<void> {
    const { socket } = this
    if (!this.hasPeer || socket === undefined) return
    socket.write(exitFrame(code))
    const late = new AbortController()
    const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()))
    await Promise.race([
      gone,
      sleep(EXIT_TIMEOUT_MS, undefined, { signal: late.signal }).catch(() => undefined),
    ])
    late.abort()
  }

  /** The pipes folder stays: it tells the next sidecar that there was one (and goes with the pod). */
  close(): void {
    this.server.close()
    this.socket?.destroy()
    rmSync(`${this.options.runDir}/control`, { force: true })
  }

  private accept(socket: Socket): void {
    if (this.socket !== undefined) {
      socket.destroy()
      return
    }
    this.socket = socket
    const frames = new FrameReader()
    socket.on('error', (error) =>
      this.options.log.warn('control connection failed', { error: error.message }),
    )
    const silent = setTimeout(() => this.refuse('it said nothing'), HELLO_TIMEOUT_MS)
    socket.on('close', () => {
      clearTimeout(silent)
      this.dropped()
    })
    socket.on('data', (chunk: Buffer) => {
      const events = frames.push(chunk)
      if (events.ok) for (const event of events.value) this.event(event)
      if (this.hasPeer) clearTimeout(silent)
      if (events.ok) return
      this.refuse(`it sent ${events.error}`)
    })
    socket.write(helloFrame())
  }

  private refuse(why: string): void {
    this.options.log.error(`the shim was refused: ${why}`)
    this.socket?.destroy()
  }

  private dropped(): void {
    this.socket = undefined
    const wasReady = this.hasPeer
    this.hasPeer = false
    const lost = "the connection to the server's container was lost; it may have restarted"
    for (const { child, settle } of this.asked.values()) {
      settle(broken(lost))
      child?.lost(lost)
    }
    this.asked.clear()
    this.free()
    if (wasReady) this.options.onPeer(false)
  }

  private event(event: ShimEvent): void {
    if (event.kind === 'hello') this.hello(event)
    else if (!this.hasPeer) this.refuse('it spoke before its hello')
    else if (event.kind === 'terminating') this.options.onTerminating(event.leftMs)
    else this.childEvent(event)
  }

  private hello(event: ShimEvent & { kind: 'hello' }): void {
    if (event.version !== PROTOCOL_VERSION) {
      this.refuse(`it speaks control protocol ${event.version}, not ${PROTOCOL_VERSION}`)
      return
    }
    const why = this.hasPeer ? 'it said hello twice' : this.options.admit(event)
    if (why !== undefined) {
      this.refuse(why)
      return
    }
    this.hasPeer = true
    this.options.onPeer(true)
  }

  private childEvent(event: ChildEvent): void {
    const asked = this.asked.get(event.child)
    if (asked !== undefined) this.tell(asked, event)
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
        this.asked.delete(event.child)
        asked.child?.gone()
        this.free()
        break
      case 'exited':
        this.options.onExit(exitCode(event, asked.isEnding))
        asked.child?.heard(event)
        break
      case 'stderr':
        asked.child?.heard(event)
    }
  }

  private spawned({ child, settle }: Asked): void {
    if (child) settle(ok(child))
  }

  private refused(asked: Asked, event: ChildEvent & { kind: 'refused' }): void {
    this.asked.delete(event.child)
    asked.child?.lost(event.reason)
    asked.settle(fail({ message: event.reason, isBusy: event.isBusy }))
    this.free()
  }

  private free(): void {
    const { freed } = this
    this.freed = []
    for (const resolve of freed) resolve()
  }

  private open(number: number, asked: Asked): void {
    try {
      const pipes = openPipes(`${this.options.runDir}/pipes/${asked.name}`, this.readBuffer)
      asked.child = new Child(pipes, { end: () => this.end(number) })
      this.socket?.write(openedFrame(number))
    } catch (error) {
      asked.settle(
        broken(
          `its pipes cannot be opened: ${error instanceof Error ? error.message : String(error)}`,
        ),
      )
    }
  }

  private end(number: number): void {
    const asked = this.asked.get(number)
    if (!asked) return
    asked.isEnding = true
    this.socket?.write(endFrame(number, TERM_AFTER_MS, KILL_AFTER_MS))
  }
}

/** A server that we ended by a signal, because it did not heed the end of its input, has not failed. */
const exitCode = (
  { code, signal }: { readonly code: number | undefined; readonly signal: number | undefined },
  isEnding: boolean,
): number => code ?? (isEnding ? 0 : 128 + (signal ?? 0))
