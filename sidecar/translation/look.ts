// An answer to `server/discover`, from what a process has said in `initialize`: whoever asks looks at the process and does
// not have it.

import type { Caller, CallOptions } from '../conversation/call.ts'
import { slice, type Request } from '../mcp/message.ts'
import type { ModernProcess } from '../modern/process.ts'
import { ok } from '../../shared/result.ts'
import type { Link } from '../server/link.ts'
import type { Backend } from './backend.ts'
import type { Discovery } from './discovery.ts'
import { readAgain } from './own-text.ts'

export class Look implements ModernProcess {
  readonly vetted: ModernProcess['vetted']
  readonly tools: ModernProcess['tools'] = { headersOf: () => ok([]) }
  readonly hasAnswered = true
  readonly link: Link
  logReader: Caller | undefined
  private readonly discovery: Discovery

  constructor({ vetted, channel }: Backend, discovery: Discovery) {
    this.vetted = vetted
    this.link = channel.link
    this.discovery = discovery
  }

  get channel(): this {
    return this
  }

  join(): void {
    // The process is not held.
  }

  leave(): void {
    // Nor given back.
  }

  cancel(): void {
    // It is answered at once.
  }

  call({ text: asked, id }: Request, caller: Caller, options: CallOptions): undefined {
    const text = `{"jsonrpc":"2.0","id":${slice(asked, id)},"result":${this.discovery.result}}`
    const answer = readAgain(text)
    if (answer?.kind !== 'response') throw new Error('what we say of the server is no answer')
    options.record?.answered(undefined, answer)
    options.operation?.end(undefined)
    caller.answer(text, answer)
    return undefined
  }
}
