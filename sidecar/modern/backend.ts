// One modern server process: many requests at once, each told apart by our ids. It holds at most one request that
// asked for log lines, since those say not whose they are.

import type { Call, Caller } from '../conversation/call.ts'
import { Channel, type ChannelOptions, type ChannelOwner } from '../conversation/channel.ts'
import type { Idle } from '../access/room.ts'
import type { Notification, Request } from '../mcp/message.ts'
import type { Vetted, Vetting } from '../conversation/vetting.ts'
import type { LinkEnd } from '../server/link.ts'
import type { ModernCall } from './call.ts'
import type { ModernProcess } from './process.ts'
import { Tools } from './tools.ts'

export interface BackendOptions extends Omit<ChannelOptions, 'owner'> {
  readonly startupTimeoutMs: number
  /** Undefined where there is none. */
  readonly vetting?: Vetting | undefined
  readonly onEnd: (backend: Backend, end: LinkEnd) => void
}

export class Backend implements ChannelOwner, ModernProcess {
  readonly channel: Channel
  readonly tools: Tools
  /** What its words are held against; undefined where there is nothing. */
  readonly vetted: Vetted | undefined
  lastUsedMs: number
  /** The request that gets the log lines, from the moment the process is chosen for it. */
  logReader: Caller | undefined
  private readonly options: BackendOptions
  /** Requests that have been given it and are not done. */
  private users = 0
  /** Those of them that only listen. */
  private readonly subscriptions = new Set<ModernCall>()
  /** The request that it was opened for has not been given it yet. */
  private isAwaited = true

  constructor(options: BackendOptions) {
    this.options = options
    this.lastUsedMs = options.now()
    this.channel = new Channel({ ...options, owner: this })
    this.tools = new Tools(this.channel, options)
    this.vetted = options.vetting?.over(this.channel)
  }

  /** Since when no request has been on it or about to be, subscriptions aside; undefined while one is. */
  get idle(): Idle | undefined {
    const { users, isAwaited, lastUsedMs } = this
    const { size } = this.subscriptions
    if (isAwaited || users > size || this.channel.inFlight > size) return undefined
    return { sinceMs: lastUsedMs, isListening: size > 0 }
  }

  /** A request has been given it. */
  join(call: ModernCall): void {
    this.isAwaited = false
    this.users++
    this.lastUsedMs = this.options.now()
    if (call.isSubscription) this.subscriptions.add(call)
  }

  /** That request is done. */
  leave(call: ModernCall): void {
    this.users--
    this.lastUsedMs = this.options.now()
    this.subscriptions.delete(call)
  }

  endSubscriptions(): void {
    for (const call of this.subscriptions) call.end()
  }

  serverMessage(message: Request | Notification, relatedTo: Call | undefined): void {
    // Requests of the server's do not exist in this era; the client would be right to refuse them.
    if (message.kind === 'request') return
    if (message.method.endsWith('/list_changed')) this.vetted?.changed()
    if (message.method === 'notifications/message')
      (relatedTo?.caller ?? this.logReader)?.notice(message.text, message)
  }

  ended(end: LinkEnd): void {
    this.options.onEnd(this, end)
  }
}
