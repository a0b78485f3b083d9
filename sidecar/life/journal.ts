// What an operator reads: a line for every server process that starts or ends, for what it says on stderr, for every
// fault that a client is told and every client that is cut off; and their numbers in the metrics.

import type { Log } from '../../shared/log.ts'
import type { Reply, ReplyWatch } from '../http/reply.ts'
import { FAULTS, type Fault, type FaultCode } from '../mcp/faults.ts'
import {
  causeOf,
  howEnded,
  type Exit,
  type ProcessWatch,
  type ServerProcess,
} from '../server/process-watch.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { LimitedLog, type LogRate } from './limited-log.ts'

export interface JournalOptions {
  readonly log: Log
  /** For what servers write to stderr; undefined where somebody else shows it. */
  readonly serverLog?: Log | undefined
  readonly metrics: Pick<Metrics, 'fault' | 'exit' | 'cutOff'>
}

/** Of lines that say the same. */
const LOG_RATE: LogRate = { burst: 100, perSecond: 10 }
/** What all servers say on stderr together. */
const SERVER_RATE: LogRate = { burst: 1000, perSecond: 200, kind: 'what servers write to stderr' }

const named = ({ number, session }: ServerProcess) => ({ process: number, session })

/** A client's own mistake is no news to an operator who does not look for it; a server's fault is. */
const levelOf = (code: FaultCode): keyof Log => {
  if (code === 'internal') return 'error'
  if (code === 'request-cancelled') return 'debug'
  const { status } = FAULTS[code]
  return status >= 400 && status < 429 ? 'info' : 'warn'
}

export class Journal implements ProcessWatch, ReplyWatch {
  private readonly options: JournalOptions

  constructor(options: JournalOptions) {
    this.options = options
  }

  started(process: ServerProcess): void {
    this.options.log.info('a server process has started', named(process))
  }

  wrote(process: ServerProcess, line: string): void {
    this.options.serverLog?.info(line, { stream: 'stderr', ...named(process) })
  }

  exited(process: ServerProcess, exit: Exit): void {
    const { log, metrics } = this.options
    const { code, signal, isOutOfMemory, isAsked } = exit
    metrics.exit(causeOf(exit))
    const level = isOutOfMemory || (!isAsked && code !== 0) ? 'warn' : 'info'
    log[level]('a server process has ended', {
      ...named(process),
      how: howEnded(exit),
      code,
      signal,
      outOfMemory: isOutOfMemory || undefined,
      asked: isAsked,
    })
  }

  lost(process: ServerProcess): void {
    const { log, metrics } = this.options
    metrics.exit('lost')
    log.warn('a server process was lost with its container or shim', named(process))
  }

  /** A client is told a fault. */
  faulted(reply: Reply, { code, message }: Fault): void {
    const { log, metrics } = this.options
    metrics.fault(code)
    const { status } = FAULTS[code]
    const { session, process, span: { traceId, spanId } = {} } = reply
    const what = status >= 400 && status < 500 ? 'a request was refused' : 'a request failed'
    log[levelOf(code)](what, {
      fault: code,
      status,
      session,
      process,
      traceId,
      spanId,
      why: message,
    })
  }

  /** A client's connection is broken off. */
  cutOff(reply: Reply, why: string): void {
    const { log, metrics } = this.options
    const { session, process } = reply
    metrics.cutOff()
    log.warn(`a client was cut off: ${why}`, { session, process })
  }
}

/** A journal that nobody can flood, with the log that all others write to; `sweepLogs` tells what was left out. */
export const openJournal = (options: JournalOptions & { readonly now: () => number }) => {
  const { log, serverLog, metrics, now } = options
  const limited = new LimitedLog(log, LOG_RATE, now)
  const servers = serverLog && new LimitedLog(serverLog, SERVER_RATE, now)
  return {
    log: limited,
    journal: new Journal({ log: limited, serverLog: servers, metrics }),
    sweepLogs: (nowMs: number): void => {
      limited.sweep(nowMs)
      servers?.sweep(nowMs)
    },
  }
}
