// A request of our own, and what comes of it.

import { fail, ok, type Result } from '../../shared/result.ts'
import type { Fault } from '../mcp/faults.ts'
import type { Request, Response } from '../mcp/message.ts'
import type { CallOptions } from './call.ts'
import type { Channel } from './channel.ts'

/** The answer, an error too; the fault is for what was not answered. What the server says before is nobody's business. */
export const answerTo = (
  channel: Channel,
  request: Request,
  options: CallOptions,
): Promise<Result<Response, Fault>> =>
  new Promise((resolve) => {
    const caller = {
      answer: (_text: string, response: Response): void => resolve(ok(response)),
      notice: (): boolean => true,
      fault: (reason: Fault): void => resolve(fail(reason)),
    }
    channel.call(request, caller, options)
  })
