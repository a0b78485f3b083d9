// What the listener hands requests to: each goes through the stages, and the fault that ends its way is told to its
// client here and nowhere else.

import type { Log } from '../../shared/log.ts'
import { messagesOf } from '../conversation/ask.ts'
import type { Serve } from '../http/listener.ts'
import { answerUnread } from '../http/unread.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import { run } from './pipeline.ts'
import type { Passage, Stage } from './stage.ts'

export interface ServeOptions {
  readonly stages: readonly Stage[]
  readonly log: Log
  /** Nobody is asked who they are: nobody is a stranger either. */
  readonly isOpen: boolean
}

const refuse = (passage: Passage, why: Fault, isOpen: boolean): void => {
  const { request, reply, idText, principal } = passage
  answerUnread(request, reply, () => reply.fault(why, idText), isOpen || principal !== undefined)
}

export const createServe = ({ stages, log, isOpen }: ServeOptions): Serve => {
  const serve = async (passage: Passage): Promise<void> => {
    let found: Fault | undefined
    try {
      found = await run(stages, passage)
    } catch (error) {
      log.error('a request failed inside the sidecar', {
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      })
      found = fault('internal', 'the sidecar failed; its log says why')
    }
    // What goes on to the server is counted there.
    passage.body?.lease?.release()
    if (found) for (const { ticket } of messagesOf(passage.ask)) ticket?.end(found.code)
    passage.ask = undefined
    if (!found) return
    refuse(passage, found, isOpen)
  }
  return (request, reply, arrivedMs) =>
    void serve({
      request,
      reply,
      arrivedMs,
      body: undefined,
      idText: undefined,
      ask: undefined,
      principal: undefined,
      untilMs: Infinity,
      permit: undefined,
    })
}
