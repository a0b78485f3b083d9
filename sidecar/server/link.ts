// What the bridge asks of a connection to one server: messages out, messages in, an end with a
// reason. A child's pipes and a loopback HTTP session are both links.

import { fault, type Fault, type FaultCode } from '../mcp/faults.ts'
import type { Message } from '../mcp/message.ts'
import type { Edited } from '../mcp/rewrite.ts'
import type { OddLine } from '../mcp/server-line.ts'
import type { Underway } from './underway.ts'

/** A server wants other credentials of its caller's own, and the caller can bring them. */
export interface Refusal {
  readonly status: 401 | 403
  /** Its `WWW-Authenticate`. */
  readonly challenge: string | undefined
}

/** Why a link has ended, for the people who read the error. */
export interface LinkEnd {
  readonly message: string
  readonly refusal?: Refusal | undefined
  /** The fault of the calls that it leaves; `server-exited` where absent. */
  readonly code?: FaultCode
  readonly exitCode?: number
  readonly signal?: string
  /** The last of what the server wrote to stderr. */
  readonly stderr?: string
}

/** What a message needs besides its text where the other side speaks HTTP. */
export interface Envelope {
  /** The client's headers that go on, lower-case names; a pipe never asks for them. */
  readonly headers: () => Readonly<Record<string, string>>
  /** Our id of the request, absent for notifications and responses. */
  readonly id: number | undefined
  /** A request that is answered by what happens from now on: its answer may never come, and nothing is late. */
  readonly isLasting?: boolean
}

export interface LinkOwner {
  /** What is with the server now, oldest first. */
  readonly underway: Iterable<Underway>
  /** A checked message from the server; `relatedTo` is our id of the request it belongs to, where the link knows. */
  message(message: Message, relatedTo: number | undefined): void
  /** What the server wrote that is not exactly one message: what can be used of it, and what not. */
  odd(line: OddLine, relatedTo: number | undefined): void
  /** This request will get no answer, though the link lives on. */
  failed(id: number, why: string, refusal?: Refusal): void
  /** Called once, also where the end came before the owner; after it nothing comes. */
  ended(end: LinkEnd): void
}

export interface Link {
  /** Set by whoever uses the link, before the first message is sent. */
  owner: LinkOwner | undefined
  /** Of a server that speaks HTTP; a pipe has none. */
  readonly port?: number
  /** Its server's process, where that is ours to start. */
  readonly process?: number
  /** Sends one message (latin1 text, no line ends); the fault says why it cannot be sent, and then nothing is. */
  send(text: string, envelope: Envelope): Fault | undefined
  /** The same of a request of which values are replaced: of a link that edits it itself, so that all is done at once. */
  ask?(asked: Edited, envelope: Envelope): Fault | undefined
  /** Nobody waits for the answer to this request any more: it has come, in whatever way, or will be of no use. */
  abandon(id: number): void
  /** Stops and continues reading from the server, where one slow client holds it. */
  pause(): void
  resume(): void
  /** While somebody waits: sees what no event tells. */
  look(nowMs: number): void
  /** Ends the server: end of input, grace, SIGTERM, grace, SIGKILL. */
  close(): void
}

const none = (): Readonly<Record<string, string>> => ({})

export const NO_HEADERS: Envelope = { headers: none, id: undefined }

/** The server takes nothing more for the time being: so much of this waits for it. */
export const notReading = (waiting: string): Fault =>
  fault(
    'server-not-reading',
    `the server does not read its input: ${waiting} wait for it; try again later`,
  )

/** So many requests that last are with the server already. */
export const tooManyLasting = (most: number): Fault =>
  fault('too-many-requests', `${most} subscriptions to this server are open; end one first`)
