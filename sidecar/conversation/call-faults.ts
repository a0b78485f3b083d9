// The faults of calls whose server has ended, has refused their caller, or says nothing. Pure.

import { PREFIX } from '../../shared/annotations.ts'
import { deniedWrite } from '../../shared/denied-write.ts'
import { fault, type Fault, type FaultCode } from '../mcp/faults.ts'
import type { LinkEnd, Refusal } from '../server/link.ts'
import type { Call } from './call.ts'

/** Faults of a start that say something about the server, not about us. */
export const START_FAULTS: ReadonlySet<FaultCode> = new Set([
  'server-not-started',
  'server-exited',
  'server-failed',
  'request-timeout',
  'unusable-answer',
])

/** What a server asks of its caller, told to the caller as the server tells it. */
export const refusalFault = (why: string, { status, challenge }: Refusal): Fault =>
  fault(status === 401 ? 'server-unauthorized' : 'server-forbidden', why, {
    headers: challenge === undefined ? {} : { 'www-authenticate': challenge },
  })

export const exitFault = (end: LinkEnd): Fault => {
  const { message, code = 'server-exited', refusal, ...details } = end
  if (refusal) return refusalFault(message, refusal)
  if (!end.stderr) return fault(code, message, { data: details })
  const denied = deniedWrite(end.stderr)
  const why = denied === undefined ? message : `${message}: ${denied}`
  return fault(code, `${why}; it wrote: ${end.stderr.trim()}`, { brief: message, data: details })
}

/** So many calls are with one process. */
export const tooManyFault = (calls: number): Fault =>
  fault(
    'too-many-requests',
    `${calls} requests wait for this server process; outrigger.dev/process-model says who shares one`,
  )

/** The same end without a word of what the server wrote. */
export const withoutWords = ({ stderr: _stderr, ...known }: LinkEnd): LinkEnd => known

/** With what may explain it. */
export const hinted = (fault: Fault, hint: string | undefined): Fault =>
  hint === undefined
    ? fault
    : {
        ...fault,
        message: `${fault.message.trim()}; ${hint}`,
        ...(fault.brief === undefined ? {} : { brief: `${fault.brief}; ${hint}` }),
      }

/** `stray`: what the server wrote that was no answer, where the caller may read it. */
export const timeoutFault = (
  { method, timeoutMs, setting }: Pick<Call, 'method' | 'timeoutMs' | 'setting'>,
  stray: string | undefined,
): Fault => {
  const hint = stray === undefined ? '' : `; it wrote this to stdout, which is no message: ${stray}`
  const named = setting === undefined ? '' : ` (${PREFIX}${setting})`
  return fault(
    'request-timeout',
    `the server did not answer ${method} within ${timeoutMs} ms${named}${hint}`,
  )
}
