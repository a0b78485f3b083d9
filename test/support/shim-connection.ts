// One control connection as the sidecar's side of it sees the shim, for tests. Independent of the
// sidecar's own code on purpose: the README is what both are held to.

import { randomBytes } from 'node:crypto'
import { constants, openSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import {
  decodeEvents,
  encodeRequest,
  VERSION,
  type EventOf,
  type ShimEvent,
  type Terms,
} from './shim-frame.ts'
import { within } from './waiting.ts'

/** Pipes that the shim has made and this side has opened; the child has not been started. */
export interface Offer {
  readonly id: number
  readonly name: string
  readonly stdin: Socket
  readonly stdout: Socket
}

/** A running child: both ends of its conversation. */
export interface Child extends Offer {
  readonly pid: number
}

type Environment = Readonly<Record<string, string>>

interface Waiter {
  readonly matches: (event: ShimEvent) => boolean
  readonly resolve: (event: ShimEvent) => void
}

const READ_END = constants.O_RDONLY
const WRITE_END = constants.O_WRONLY

/** Everything the shim said on one connection, and what to say to it. */
export class Connection {
  readonly events: ShimEvent[] = []
  readonly closed: Promise<void>
  readonly socket: Socket
  private readonly pipes: string
  private readonly waiters = new Set<Waiter>()
  private readonly opened: Socket[] = []
  private rest = Buffer.alloc(0)
  private nextChild = 1

  constructor(socket: Socket, pipes: string) {
    this.socket = socket
    this.pipes = pipes
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()))
    socket.on('error', () => socket.destroy())
    socket.on('data', (bytes: Buffer) => this.take(bytes))
  }

  private take(bytes: Buffer): void {
    const { events, rest } = decodeEvents(Buffer.concat([this.rest, bytes]))
    this.rest = Buffer.from(rest)
    for (const event of events) {
      this.events.push(event)
      for (const waiter of this.waiters) {
        if (!waiter.matches(event)) continue
        this.waiters.delete(waiter)
        waiter.resolve(event)
      }
    }
  }

  send(...request: Parameters<typeof encodeRequest>): void {
    this.socket.write(encodeRequest(...request))
  }

  /** The first event that satisfies a condition, past or to come. */
  async eventWhere(condition: (event: ShimEvent) => boolean): Promise<ShimEvent> {
    const past = this.events.find(condition)
    if (past) return past
    const coming = new Promise<ShimEvent>((resolve) => {
      this.waiters.add({ matches: condition, resolve })
    })
    return within(coming, () => `an event; last: ${JSON.stringify(this.events.slice(-5))}`)
  }

  /** The first event of one of these types (about this child). */
  async either<T extends ShimEvent['type']>(types: readonly T[], id?: number): Promise<EventOf<T>> {
    const matches = (event: ShimEvent): event is EventOf<T> =>
      types.some((type) => type === event.type) &&
      (id === undefined || ('child' in event && event.child === id))
    const event = await this.eventWhere(matches)
    if (!matches(event)) throw new Error('a waiter got an event that it did not ask for')
    return event
  }

  /** The first event of this type (about this child). */
  event<T extends ShimEvent['type']>(type: T, id?: number): Promise<EventOf<T>> {
    return this.either([type], id)
  }

  /** The types of the events about one child, in order; `stderr` only once in a row. */
  story(id: number): string[] {
    return this.events
      .filter((event) => 'child' in event && event.child === id)
      .map(({ type }) => type)
      .filter((type, i, all) => type !== 'stderr' || all[i - 1] !== 'stderr')
  }

  private stderrOf(id: number): EventOf<'stderr'>[] {
    return this.events
      .filter((event) => event.type === 'stderr')
      .filter(({ child }) => child === id)
  }

  /** All stderr of one child that has arrived so far. */
  stderr(id: number): string {
    return Buffer.concat(this.stderrOf(id).map(({ data }) => data)).toString('latin1')
  }

  /** How many bytes of one child's stderr the shim says it has dropped so far. */
  dropped(id: number): number {
    return this.stderrOf(id).reduce((sum, { dropped }) => sum + dropped, 0)
  }

  /** Whether EXIT would be heeded. */
  get isUsable(): boolean {
    return this.events.some(({ type }) => type === 'hello') && this.socket.writable
  }

  hello(): Promise<EventOf<'hello'>> {
    this.send('hello', { version: VERSION })
    return this.event('hello')
  }

  /** Asks for a child; the answer, and the numbers it was asked by. */
  async ask(
    environment: Environment = {},
    terms: Terms = {},
  ): Promise<{
    id: number
    name: string
    answer: EventOf<'pipes' | 'refused'>
  }> {
    const id = this.nextChild++
    const name = randomBytes(16).toString('hex')
    const lines = Object.entries(environment).map(([key, value]) => `${key}=${value}`)
    this.send('spawn', { child: id, name, ...terms, lines })
    return { id, name, answer: await this.either(['pipes', 'refused'], id) }
  }

  /** Asks for a child and opens its pipes; OPENED is not said yet. */
  async offer(environment: Environment = {}, terms: Terms = {}): Promise<Offer> {
    const { id, name, answer } = await this.ask(environment, terms)
    if (answer.type === 'refused') throw new Error(`refused (${answer.reason}): ${answer.text}`)
    return { id, name, ...this.openPipes(name) }
  }

  /** Opens this side's ends, as a sidecar does. */
  openPipes(name: string): { stdin: Socket; stdout: Socket } {
    const input = this.openPipe(`${name}.in`, WRITE_END)
    const output = this.openPipe(`${name}.out`, READ_END)
    const stdin = new Socket({ fd: input, readable: false, writable: true })
    const stdout = new Socket({ fd: output, readable: true, writable: false })
    for (const socket of [stdin, stdout]) {
      socket.on('error', () => socket.destroy())
      this.opened.push(socket)
    }
    return { stdin, stdout }
  }

  private openPipe(file: string, flags: number): number {
    return openSync(join(this.pipes, file), flags | constants.O_NONBLOCK | constants.O_NOFOLLOW)
  }

  /** Says OPENED and waits until the command runs. */
  async start(offer: Offer): Promise<Child> {
    this.send('opened', { child: offer.id })
    const started = await this.either(['spawned', 'refused'], offer.id)
    if (started.type === 'refused') throw new Error(`refused (${started.reason}): ${started.text}`)
    return { ...offer, pid: started.pid }
  }

  /** A child that runs `script` in a shell (where the shim's command is SHELL_COMMAND). */
  async run(script: string, environment: Environment = {}, terms: Terms = {}): Promise<Child> {
    return this.start(await this.offer({ ...environment, SCRIPT: script }, terms))
  }

  end(id: number, termAfterMs: number, killAfterMs: number): void {
    this.send('end', { child: id, termAfterMs, killAfterMs })
  }

  /** Ends a child at once and waits until it is gone. */
  async kill(child: Offer): Promise<void> {
    this.end(child.id, 0, 0)
    await this.event('gone', child.id)
    child.stdin.destroy()
    child.stdout.destroy()
  }

  close(): void {
    for (const socket of this.opened) socket.destroy()
    this.socket.destroy()
  }
}
