// The control socket of a server that speaks HTTP and runs under `shim exec --loopback`: whether that holds the server on
// loopback, and whether the server runs. Fails closed: a server that nothing holds is started, and served, by the floor's
// leave alone.

import type { Log } from '../../shared/log.ts'
import { oneLine } from '../../shared/one-line.ts'
import type { News, Peer } from './connection.ts'
import { messageOf } from '../../shared/message.ts'
import { shimRefused } from './admit.ts'
import { confineFrame, startFrame } from './control-frame.ts'
import { ControlSocket } from './control-socket.ts'
import { COMMAND, type Outfitter } from './outfit.ts'
import { howEnded, signalName } from './process-watch.ts'
import type { Underway } from './underway.ts'

/** Of the reason that the shim gives, what a probe's line and a log have room for. */
const MAX_REASON = 400

export interface SupervisionOptions {
  readonly runDir: string
  readonly log: Log
  /** Judges the shim that has connected; a sentence refuses it. */
  readonly admit: (peer: Peer) => string | undefined
  /** What of its isolation does not hold, where that is only advised. */
  readonly weaknessOf: (peer: Peer) => string | undefined
  /** The server may run although nothing holds it on loopback. */
  readonly isAdvisory: boolean
  /** The server's ports are the sidecar's to take, or are left to a server that nothing holds. */
  readonly hold: (isHeld: boolean) => Promise<unknown>
  /** Absent where it may reach what it likes. */
  readonly outfitter?: Outfitter | undefined
  /** What is in flight with it. */
  readonly calls: () => Iterable<Underway>
  readonly onRunning: (weakness: string | undefined) => void
  readonly onGone: (why: string) => void
  readonly onTerminating: (leftMs: number) => void
}

/** What is known of the command that the shim has. */
interface Command {
  readonly uid: number | undefined
  /** Undefined until the shim has said whether it is held. */
  readonly mayRun: boolean | undefined
  readonly isRunning: boolean
  /** How it has ended, where it has. */
  readonly end: string | undefined
  /** Its container is being stopped: it hears of that from the shim when we say so. */
  readonly isTerminating: boolean
  readonly weakness: string | undefined
}

const UNKNOWN: Command = {
  uid: undefined,
  mayRun: undefined,
  isRunning: false,
  end: undefined,
  isTerminating: false,
  weakness: undefined,
}

const UNASKED = "the server's container was started without --egress"
const ENDED = "the server's container has ended"
const ADVICE =
  "; its container's log says why: where it could not write, name the directory in outrigger.dev/writable-paths"

export class Supervision {
  private readonly options: SupervisionOptions
  private readonly socket: ControlSocket
  private command = UNKNOWN

  constructor(options: SupervisionOptions) {
    const { runDir, log, admit, weaknessOf, onGone } = options
    this.options = options
    this.socket = new ControlSocket({
      runDir,
      log,
      admit: (peer) => {
        const why = admit(peer)
        if (why !== undefined) onGone(shimRefused(why))
        return why
      },
      onAdmitted: (peer) => {
        this.command = { ...UNKNOWN, uid: peer.uid, weakness: weaknessOf(peer) }
      },
      onEvent: (event) => this.heard(event),
      onLost: () => this.lost(),
    })
  }

  listen(): Promise<void> {
    return this.socket.listen()
  }

  /** Everything is answered: the server may be told of its end. Resolves when it has gone, or is overdue. */
  async exit(code: number): Promise<void> {
    if (this.command.isTerminating) await this.socket.connection?.exit(code)
  }

  close(): void {
    this.socket.close()
  }

  private lost(): void {
    const { end = "the shim in the server's container has gone" } = this.command
    this.command = UNKNOWN
    this.options.onGone(end)
  }

  private heard(event: News): void {
    if (event.kind === 'supervision') this.judged(event)
    else if (event.kind === 'spawned') this.spawned()
    else if (event.kind === 'exited') this.exited(event)
    else if (event.kind === 'terminating') this.terminating(event.leftMs)
    else if (event.kind === 'egress') this.options.outfitter?.attempted(event)
    else if (event.kind === 'led') this.options.outfitter?.led(event)
    // The rest is of children, which it has none of.
  }

  // Once a connection, whoever speaks there: each time we ask the server anew, or write to the log.
  private judged(event: News & { kind: 'supervision' }): void {
    if (this.command.mayRun !== undefined) return
    const why = oneLine(event.why).slice(0, MAX_REASON)
    const isOut = this.confined(event, why)
    if (isOut === undefined) return
    if (event.isHeld) this.held(isOut)
    else this.unheld(why, isOut)
  }

  /**
   * The command waits to be told what it may reach. Resolves when it has been, with whether it needs leave to start because it
   * cannot be confined; undefined where it is not to run.
   */
  private confined(
    { wantsConfinement, isConfined, secret }: News & { kind: 'supervision' },
    why: string,
  ): Promise<boolean> | undefined {
    const { outfitter, calls } = this.options
    const { uid } = this.command
    if (!outfitter || uid === undefined) return Promise.resolve(false)
    const cannot = isConfined ? undefined : why
    const confining = { uid, why: wantsConfinement ? cannot : UNASKED }
    const refusal = outfitter.refusal(confining)
    if (refusal !== undefined) {
      this.refuse(`the server is not started: ${refusal}`)
      return undefined
    }
    outfitter.met(confining)
    if (!wantsConfinement) return Promise.resolve(false)
    const { connection } = this.socket
    return outfitter.fitCommand(secret, calls).then(
      (terms) => {
        connection?.send(confineFrame(terms))
        return !isConfined
      },
      (error: unknown) => {
        this.refuse(`the server's way out cannot be opened: ${messageOf(error)}`)
        connection?.close()
        return false
      },
    )
  }

  private refuse(text: string): void {
    this.command = { ...this.command, mayRun: false }
    this.options.log.error(text)
    this.options.onGone(text)
  }

  private terminating(leftMs: number): void {
    this.command = { ...this.command, isTerminating: true }
    this.options.onTerminating(leftMs)
  }

  private spawned(): void {
    const { mayRun, isRunning, weakness } = this.command
    if (mayRun !== true || isRunning) return
    this.command = { ...this.command, isRunning: true }
    this.options.onRunning(weakness)
  }

  // Once a connection, too. What it wrote went to its container's log, past us.
  private exited({ code, signal, isOutOfMemory }: News & { kind: 'exited' }): void {
    const { end, isTerminating } = this.command
    if (end !== undefined) return
    const name = signal === undefined ? undefined : signalName(signal)
    const how = howEnded({ code, signal: name, isOutOfMemory, isAsked: isTerminating })
    const isFailure = !isTerminating && code !== undefined && code !== 0
    const told = isTerminating ? ENDED : `the server ${how}${isFailure ? ADVICE : ''}`
    this.command = { ...this.command, end: told }
    this.options.outfitter?.gone(COMMAND)
    if (!isTerminating) this.options.log.warn(told)
    this.options.onGone(told)
  }

  /** `needsLeave`: once it may reach what it may. */
  private held(needsLeave: Promise<boolean>): void {
    this.command = { ...this.command, mayRun: true }
    const { connection } = this.socket
    void this.options.hold(true)
    void needsLeave.then((isNeeded) => isNeeded && connection?.send(startFrame()))
  }

  private unheld(why: string, isOut: Promise<boolean>): void {
    const { isAdvisory, hold } = this.options
    const what = `the server is not held on loopback, so that it can be reached around the sidecar (${why})`
    if (!isAdvisory) {
      this.refuse(
        `${what}; it is not started: let its nodes have Linux 5.9 or newer and a runtime that lets a process look into its children, or allow floor.allowAdvisoryIsolation in the cluster configuration`,
      )
      return
    }
    const { weakness } = this.command
    const both = weakness === undefined ? what : `${what}; ${weakness}`
    this.command = { ...UNKNOWN, mayRun: true, weakness: both }
    const { connection } = this.socket
    void Promise.all([hold(false), isOut]).then(() => connection?.send(startFrame()))
  }
}
