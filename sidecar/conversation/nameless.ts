// Whose an error without an id is: of the only request in flight, where nothing else that the server has read can be what
// it is about. It keeps a few numbers and no message.

import type { Response } from '../mcp/message.ts'
import { mayBeAboutNotification } from './answer.ts'
import type { Call } from './call.ts'

export class Nameless {
  /** The newest request of ours. */
  lastId = 0
  /** The newest request before a message that has no answer, and that some servers answer with an error all the same. */
  private beforeOneWay: number | undefined
  /** The newest request that nobody waits for any more: its answer may still come. */
  private abandoned: number | undefined

  /** A request goes to the server. */
  asked(id: number): void {
    this.lastId = id
  }

  /** A message without an answer goes there. */
  told(): void {
    this.beforeOneWay = this.lastId
  }

  gaveUp(id: number): void {
    this.abandoned = id
  }

  /** What has been answered by its id: whatever came before that is over. */
  answered(id: number): void {
    if (id > (this.beforeOneWay ?? Infinity)) this.beforeOneWay = undefined
    if (id > (this.abandoned ?? Infinity)) this.abandoned = undefined
  }

  /** Whether it may be about a notification, which servers that know no such thing answer with "method not found". */
  isPerhapsNone(response: Response): boolean {
    return this.beforeOneWay !== undefined && mayBeAboutNotification(response)
  }

  /** The one request that it can only answer. */
  whose([call, other]: Iterable<Call>): Call | undefined {
    return call && !other && this.abandoned === undefined ? call : undefined
  }
}
