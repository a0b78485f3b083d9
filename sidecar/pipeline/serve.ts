// What the listener hands requests to: each goes through the stages, and the fault that ends its way is told to its
// client here and nowhere else.

import type { Log } from '../../shared/log.ts'
import type { Recorder } from '../audit/recorder.ts'
import { messagesOf } from '../conversation/ask.ts'
import { claimedSession } from '../http/exchange.ts'
import type { Serve } from '../http/listener.ts'
import { answerUnread } from '../http/unread.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import { run } from './pipeline.ts'
import { AWAY, type Away, type Fork, type Passage } from './stage.ts'

export interface ServeOptions {
  readonly stages: readonly Fork[]
  readonly log: Log
  /** Nobody is asked who they are: nobody is a stranger either. */
  readonly isOpen: boolean
  /** Puts on record what ended before it was a call; absent where no records are kept. */
  readonly recorder?: Pick<Recorder, 'refused'> | undefined
}

const refuse = (passage: Passage, why: Fault, isOpen: boolean): void => {
  const { request, reply, idText, principal } = passage
  // For the log: whoever is refused before a session is looked for has it from a client's own word.
  reply.session ??= claimedSession(request)
  answerUnread(request, reply, () => reply.fault(why, idText), isOpen || principal !== undefined)
}

/** Whoever holds a ticket is told; what is on record as a call is told so by that. */
const ended = (passage: Passage, found: Fault, { recorder }: ServeOptions): void => {
  const asked = messagesOf(passage.ask)
  for (const { ticket } of asked) ticket?.end(found.code)
  if (!asked.some(({ record }) => record)) recorder?.refused(passage, found)
}

export const createServe = (options: ServeOptions): Serve => {
  const { stages, log, isOpen } = options
  const tell = (passage: Passage, given: Fault | Away | undefined): void => {
    const found = given === AWAY ? undefined : given
    // What goes on to the server is counted there.
    passage.body?.lease?.release()
    if (found) ended(passage, found, options)
    passage.ask = undefined
    if (found) refuse(passage, found, isOpen)
  }
  const failed = (error: unknown): Fault => {
    log.error('a request failed inside the sidecar', {
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    })
    return fault('internal', 'the sidecar failed; its log says why')
  }
  /** Where something was sent already, or nothing can be, the connection ends: nobody waits for the rest. */
  const giveUp = (passage: Passage, why: Fault): void => {
    passage.ask = undefined
    try {
      if (passage.reply.state === 'waiting') {
        refuse(passage, why, isOpen)
        return
      }
    } catch (error) {
      failed(error)
    }
    passage.request.socket.destroySoon()
  }
  /** Never throws: nobody is left to hear of it, and the process would end. */
  const end = (passage: Passage, found: Fault | Away | undefined): void => {
    try {
      tell(passage, found)
    } catch (error) {
      giveUp(passage, failed(error))
    }
  }
  const begin = (passage: Passage): ReturnType<typeof run> => {
    try {
      return run(stages, passage)
    } catch (error) {
      return failed(error)
    }
  }
  const serve = (passage: Passage): void => {
    // Never at once: what came behind the head may be no HTTP, which Node finds out first and answers in its own words.
    void Promise.resolve(begin(passage)).then(
      (found) => end(passage, found),
      (error: unknown) => end(passage, failed(error)),
    )
  }
  return (request, reply, arrivedMs) =>
    serve({
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
