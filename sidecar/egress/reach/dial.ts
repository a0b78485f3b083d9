// Connections to addresses that were judged, and to no others: the name is not looked up again.

import { connect, type OnReadOpts, type Socket } from 'node:net'
import { connectionWords } from '../../../shared/connection-words.ts'
import { fail, ok, type Result } from '../../../shared/result.ts'
import { lookupIn } from '../../identity/judged-lookup.ts'
import type { Why } from './why.ts'

/**
 * Begins a connection to the first of some addresses that answers; one, or more of them. With `onread` it is paused, and what
 * comes goes there.
 */
export type Dial = (addresses: readonly string[], port: number, onread?: OnReadOpts) => Socket

/** For one address, where there is another. */
const ATTEMPT_MS = 1000

export const dial: Dial = (addresses, port, onread) => {
  const [only = '', ...others] = addresses
  const socket = connect({
    port,
    allowHalfOpen: true,
    noDelay: true,
    ...(onread && { onread }),
    ...(others.length === 0
      ? { host: only }
      : {
          host: 'judged',
          lookup: lookupIn(addresses),
          autoSelectFamily: true,
          autoSelectFamilyAttemptTimeout: ATTEMPT_MS,
        }),
  })
  return onread ? socket.pause() : socket
}

export interface DialFault {
  readonly why: Extract<Why, 'unreachable' | 'late'>
  readonly words: string
}

/** Whoever waits for it: a connection, or an answer to a request. (A signal would cost 50 us for each that ends.) */
export interface Waiting {
  readonly destroyed: boolean
  once(event: 'close', listener: () => void): unknown
  off(event: 'close', listener: () => void): unknown
}

export interface Patience {
  readonly ms: number
  readonly waiting: Waiting
}

/** Waits until a socket is open by the event of that name; whatever else becomes of it, it is closed. */
export const opened = (
  socket: Socket,
  event: 'connect' | 'secureConnect',
  { ms, waiting }: Patience,
): Promise<Result<Socket, DialFault>> =>
  new Promise((resolve) => {
    const end = (fault: DialFault): void => {
      clearTimeout(timer)
      waiting.off('close', gone)
      socket.destroy()
      resolve(fail(fault))
    }
    const late = (): void => end({ why: 'late', words: 'it does not answer' })
    const gone = (): void => end({ why: 'unreachable', words: 'nobody waits for it any more' })
    const timer = setTimeout(late, ms)
    waiting.once('close', gone)
    // For good: until somebody else listens, an error must not be the process's.
    socket.on('error', (error) => end({ why: 'unreachable', words: connectionWords(error) }))
    socket.once('close', () => end({ why: 'unreachable', words: 'the connection was dropped' }))
    socket.once(event, () => {
      clearTimeout(timer)
      waiting.off('close', gone)
      resolve(ok(socket))
    })
    if (waiting.destroyed) gone()
  })
