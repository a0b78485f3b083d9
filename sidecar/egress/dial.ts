// Connections to addresses that were judged, and to no others: the name is not looked up again.

import { connect, isIP, type LookupFunction, type Socket } from 'node:net'
import { connectionWords } from '../../shared/connection-words.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import type { Why } from './watch.ts'

/** Begins a connection to the first of some addresses that answers; one, or more of them. */
export type Dial = (addresses: readonly string[], port: number) => Socket

/** For one address, where there is another. */
const ATTEMPT_MS = 1000
/** Who has gone without a word is asked after so long. */
const KEEP_ALIVE_MS = 60_000

const lookupIn =
  (addresses: readonly string[]): LookupFunction =>
  (_name, _options, callback) =>
    callback(
      null,
      addresses.map((address) => ({ address, family: isIP(address) })),
    )

export const dial: Dial = (addresses, port) => {
  const common = {
    port,
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_MS,
  }
  const [only = '', ...others] = addresses
  if (others.length === 0) return connect({ ...common, host: only })
  return connect({
    ...common,
    host: 'judged',
    lookup: lookupIn(addresses),
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: ATTEMPT_MS,
  })
}

export interface DialFault {
  readonly why: Extract<Why, 'unreachable' | 'late'>
  readonly words: string
}

export interface Patience {
  readonly ms: number
  /** Whoever asked has gone. */
  readonly signal: AbortSignal
}

/** Waits until a socket is open by the event of that name; whatever else becomes of it, it is closed. */
export const opened = (
  socket: Socket,
  event: 'connect' | 'secureConnect',
  { ms, signal }: Patience,
): Promise<Result<Socket, DialFault>> =>
  new Promise((resolve) => {
    const end = (fault: DialFault): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', gone)
      socket.destroy()
      resolve(fail(fault))
    }
    const late = (): void => end({ why: 'late', words: 'it does not answer' })
    const gone = (): void => end({ why: 'unreachable', words: 'nobody waits for it any more' })
    const timer = setTimeout(late, ms)
    signal.addEventListener('abort', gone)
    // For good: until somebody else listens, an error must not be the process's.
    socket.on('error', (error) => end({ why: 'unreachable', words: connectionWords(error) }))
    socket.once('close', () => end({ why: 'unreachable', words: 'the connection was dropped' }))
    socket.once(event, () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', gone)
      resolve(ok(socket))
    })
    if (signal.aborted) gone()
  })
