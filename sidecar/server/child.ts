// One child: its two pipes as a link, its stderr tail, its end. The shim starts and ends it; this
// file moves its messages.

import type { Socket } from 'node:net'
import { noMemory, type Fault } from '../mcp/faults.ts'
import { readServerLine, type OddLine } from '../mcp/server-line.ts'
import { overlong, unfinished, type Unusable } from '../mcp/unusable.ts'
import { SMALL_BYTES, type Budget, type Lease } from '../bytes/budget.ts'
import { Lines } from '../bytes/lines.ts'
import type { AtTurnEnd } from '../bytes/turn-end.ts'
import { notReading, type Link, type LinkEnd, type LinkOwner } from './link.ts'
import type { Pipes } from './pipes.ts'
import { howEnded, type Exit } from './process-watch.ts'
import { Stall } from './stall.ts'

/** What may wait for a server that does not read its stdin, bytes. */
const MAX_UNREAD_BYTES = 8 * 1024 * 1024
/** What a message that waits for it takes beside its text. */
const MESSAGE_BYTES = 256
const MAX_STDERR_TAIL = 4096
const MAX_PROMPT = 1024
/** Whoever forgets the line end of more than this is not read before it comes. */
const MAX_UNENDED = 1024 * 1024
/** What a pipe holds: so much comes at once of a server that writes faster than it is read. */
export const READ_BYTES = 64 * 1024
/** So often, before others have their turn: libuv alone would read 2 MiB of each such server before it looks at the next. */
const FULL_READS_A_TURN = 4
/** After the child's exit a grandchild may hold stdout open: this long without output, then we close. */
const QUIET_MS = 250
/** After the child has closed its stdin: often it has just crashed, and its exit says more. */
const INPUT_CLOSED_MS = 500

/** What a child asks of the control connection. */
export interface ChildControl {
  /** The child's. */
  readonly number: number
  /**
   * Closes the child's life: SIGTERM and SIGKILL after the graces. `broken`: it has closed a pipe, and is most likely
   * ending by itself.
   */
  end(why: 'asked' | 'broken'): void
}

const NOTHING: OddLine = {
  kind: 'odd',
  messages: [],
  unusable: [],
  tolerated: new Set(),
  twin: undefined,
}

/** The last byte that is no white space closes an object or a list. */
const looksWhole = (bytes: Buffer): boolean =>
  /[}\]]\s*$/.test(bytes.toString('latin1', bytes.length - 16))
/** JSON that may go on. */
const isOpening = (bytes: Buffer): boolean => /^\s*[{[]/.test(bytes.toString('latin1', 0, 16))

/** Of the last line: what began and did not end was broken off with its server, and the end says why. */
const withoutCutOff = (line: OddLine): OddLine => ({
  ...line,
  unusable: line.unusable.filter(({ what }) => what !== 'several-lines'),
})

export class Child implements Link {
  private readonly control: ChildControl
  private readonly stdin: Socket
  private readonly isRead: () => boolean
  private readonly stdout: Socket
  private readonly lines: Lines
  private readonly stall = new Stall()
  /** The line that is not whole yet. */
  private readonly pending: Lease
  /** What the server has not read yet, where that is much. */
  private readonly unread: Lease
  /**
   * What is sent in one turn of the event loop goes out in one system call (one child for 64 callers: 30 us a call against
   * 41; `npm run bench -- bridge`), and as one text: of many the stream makes lists and callbacks.
   */
  private outgoing = ''
  private readonly atTurnEnd: AtTurnEnd
  /** Messages sent since it last had read everything. */
  private unreadMessages = 0
  private readonly budgetBytes: number
  /** Its only client reads too slowly. */
  private isHeld = false
  /** Reads in a row that were as much as comes at once. */
  private fullReads = 0
  /** It is others' turn. */
  private isPaced = false
  private stderr = ''
  private listener: LinkOwner | undefined
  private exit: LinkEnd | undefined
  private hasOutputEnded = false
  private isGone = false
  private end: LinkEnd | undefined
  private quiet: NodeJS.Timeout | undefined
  private deaf: NodeJS.Timeout | undefined

  constructor(
    pipes: Pipes,
    control: ChildControl,
    budget: Budget,
    atTurnEnd: AtTurnEnd = setImmediate,
  ) {
    this.control = control
    this.atTurnEnd = atTurnEnd
    this.budgetBytes = budget.bytes
    this.stdin = pipes.stdin
    this.isRead = pipes.isRead
    this.pending = budget.lease('lines', {
      isRefusable: false,
      granted: () => this.goOn(),
      ended: () => this.outOfMemory('stopped in the middle of a line'),
    })
    this.unread = budget.lease('inputs', {
      isRefusable: false,
      granted: () => undefined,
      ended: () => this.outOfMemory('did not read its input'),
    })
    const { responseBytes } = budget.sizes
    this.lines = new Lines(responseBytes, this.pending, {
      line: (line) => this.line(line),
      overlong: (bytes, part) => this.cannotUse(overlong(bytes, part, responseBytes)),
      idle: () => this.goOn(),
    })
    this.stdin.on('error', () => this.inputClosed())
    this.stdin.on('drain', () => this.unread.release())
    this.stdout = pipes.stdout((chunk) => this.read(chunk))
    this.stdout.on('error', () => this.outputEnded())
    this.stdout.on('end', () => this.outputEnded())
    this.stdout.resume()
  }

  get process(): number {
    return this.control.number
  }

  get owner(): LinkOwner | undefined {
    return this.listener
  }

  /** Whoever comes after the end, as of a server that crashed at once, hears of it all the same. */
  set owner(owner: LinkOwner | undefined) {
    this.listener = owner
    const { end } = this
    if (owner && end) queueMicrotask(() => owner.ended(end))
  }

  send(text: string): Fault | undefined {
    // Its end is on the way to the owner, with the reason.
    if (this.stdin.destroyed) return undefined
    const waiting = this.stdin.writableLength + this.outgoing.length
    this.unreadMessages = waiting === 0 ? 0 : this.unreadMessages + 1
    const unread = waiting + text.length + this.unreadMessages * MESSAGE_BYTES
    if (unread > MAX_UNREAD_BYTES) return notReading(`${waiting} bytes`)
    if (unread > SMALL_BYTES && !this.unread.keep(unread)) {
      return noMemory(`what the server does not read (${waiting} bytes)`, this.budgetBytes)
    }
    if (this.outgoing === '') this.atTurnEnd(this.write)
    this.outgoing += `${text}\n`
    return undefined
  }

  abandon(): void {
    // The server has been told by a message; a pipe has nothing to close.
  }

  pause(): void {
    // What an ended server has left in its pipe is little, and would be lost.
    this.isHeld = !this.exit
    if (this.isHeld) this.stdout.pause()
  }

  resume(): void {
    this.isHeld = false
    this.goOn()
  }

  look(nowMs: number): void {
    if (this.exit || this.stdin.destroyed || this.stdin.writableEnded) return
    const isReading = !this.isHeld && !this.pending.isWaiting
    if (!this.isRead()) this.inputClosed()
    else if (isReading && this.stall.isNew(this.lines.unfinished.length, nowMs)) this.stalled()
  }

  close(): void {
    this.stop('asked')
  }

  /** What it has written to stderr. */
  wrote(bytes: Buffer): void {
    this.stderr = (this.stderr + bytes.toString()).slice(-MAX_STDERR_TAIL)
  }

  exited(exit: Exit): void {
    const { code, signal } = exit
    this.exit = {
      message: `the server ${howEnded(exit)}`,
      ...(code === undefined ? {} : { exitCode: code }),
      ...(signal === undefined ? {} : { signal }),
    }
    this.readOn()
    if (this.hasOutputEnded) this.finish(this.exit)
    else this.awaitQuiet()
  }

  /** What has come meanwhile is read first, also where this process was held up for longer. */
  private awaitQuiet(): void {
    const quiet = (): void => {
      if (this.isPaced || this.lines.isBusy) this.awaitQuiet()
      else this.finish(this.exit)
    }
    this.quiet = setTimeout(() => setImmediate(quiet), QUIET_MS)
  }

  /** No descendant is left: the end of its output is near, and whatever writes on is none of it. */
  gone(): void {
    this.isGone = true
    if (!this.exit) this.lost('the server has gone')
  }

  /** It is not known to run any more: the shim is gone, and with it every child. */
  lost(message: string): void {
    this.finish(this.exit ?? { message })
  }

  /** Writes what was sent in this turn of the event loop. */
  private readonly write = (): void => {
    const { outgoing, stdin } = this
    this.outgoing = ''
    if (outgoing !== '' && !stdin.destroyed) stdin.write(outgoing, 'latin1')
  }

  private read(chunk: Buffer): void {
    if (!this.isGone) this.quiet?.refresh()
    if (!this.lines.push(chunk)) {
      this.breakOff({
        message: 'the server wrote without an end to its line, and was ended',
      })
    } else if (this.pending.isWaiting) this.hold()
    else this.takeTurns(chunk.length)
  }

  /** Reads no more until there is room; of a server that ends the line is given up instead. */
  private hold(): void {
    if (this.exit || this.stdin.writableEnded) this.lines.skip()
    else this.stdout.pause()
  }

  /** Who writes more than is read at once is read by turns with others. */
  private takeTurns(bytes: number): void {
    this.fullReads = bytes < READ_BYTES ? 0 : this.fullReads + 1
    if (this.lines.isBusy) this.stdout.pause()
    else if (this.fullReads >= FULL_READS_A_TURN && !this.isPaced) {
      this.fullReads = 0
      this.isPaced = true
      this.stdout.pause()
      this.pending.inTurn(() => {
        this.isPaced = false
        this.goOn()
      })
    }
  }

  /** Reads on, where nothing speaks against it. */
  private goOn(): void {
    const { isHeld, isPaced, pending, lines } = this
    if (!isHeld && !isPaced && !pending.isWaiting && !lines.isBusy) this.stdout.resume()
  }

  /** A paused reader would never see the end. */
  private readOn(): void {
    this.isHeld = false
    if (this.pending.isWaiting) this.lines.skip()
    this.goOn()
  }

  private line(bytes: Buffer): void {
    if (bytes.length === 0) return
    const line = readServerLine(bytes)
    if (line.kind !== 'odd') this.listener?.message(line, undefined)
    else this.listener?.odd(this.hasOutputEnded ? withoutCutOff(line) : line, undefined)
  }

  private cannotUse(what: Unusable): void {
    this.listener?.odd({ ...NOTHING, unusable: [what] }, undefined)
  }

  /** Nothing has come since a line began: it may be whole and lack its end, or be a prompt. */
  private stalled(): void {
    const bytes = this.lines.unfinished
    const line =
      bytes.length <= MAX_UNENDED && looksWhole(bytes) ? readServerLine(bytes) : undefined
    if (line && (line.kind !== 'odd' || line.messages.length > 0)) {
      this.listener?.odd({ ...NOTHING, tolerated: new Set(['no-line-end']) }, undefined)
      this.lines.flush()
    } else if (!isOpening(bytes))
      this.cannotUse(unfinished(bytes.toString('latin1', 0, MAX_PROMPT)))
  }

  /** It cannot be asked anything any more. */
  private inputClosed(): void {
    this.stop('broken')
    this.deaf ??= setTimeout(
      () =>
        this.finish({ message: 'the server has closed its stdin and cannot be called any more' }),
      INPUT_CLOSED_MS,
    )
  }

  private outputEnded(): void {
    if (this.hasOutputEnded) return
    this.hasOutputEnded = true
    this.lines.flush()
    if (this.exit) this.finish(this.exit)
    else this.stop('broken')
  }

  private stop(why: 'asked' | 'broken'): void {
    this.write()
    this.stdin.end()
    this.readOn()
    this.control.end(why)
  }

  private outOfMemory(how: string): void {
    this.breakOff({
      code: 'no-memory',
      message: `the server ${how} while others waited for the memory that this takes, and was ended`,
    })
  }

  private breakOff(end: LinkEnd): void {
    this.close()
    this.finish(end)
  }

  private finish(end: LinkEnd | undefined): void {
    if (end !== undefined) this.lines.settle()
    if (this.end || end === undefined) return
    this.end = this.stderr === '' ? end : { ...end, stderr: this.stderr }
    clearTimeout(this.quiet)
    clearTimeout(this.deaf)
    this.stdin.destroy()
    this.stdout.destroy()
    this.lines.skip()
    this.unread.release()
    this.listener?.ended(this.end)
  }
}
