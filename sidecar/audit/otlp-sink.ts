// Records to a collector: each is one OTLP log record whose body is the line to the letter, so that it verifies wherever it
// is kept. Of a write all is with the collector, or it is not known what is and all is sent again: then a record stands
// there twice, by its instance and number the same.

import * as z from 'zod/mini'
import type { Log } from '../../shared/log.ts'
import { oneLine } from '../../shared/one-line.ts'
import type { LogEntry, Logs, Rejected } from '../telemetry/otlp-logs.ts'
import type { Sink } from './sink.ts'

/** Of a line that we have written ourselves. */
const schema = z.object({
  instance: z.string(),
  seq: z.int(),
  time: z.string(),
  event: z.string(),
  traceId: z.optional(z.string()),
  spanId: z.optional(z.string()),
  message: z.optional(z.object({ method: z.string(), tool: z.optional(z.string()) })),
})

const EVENT_PREFIX = 'outrigger.audit.'

const entryOf = (line: string): LogEntry => {
  const { instance, seq, time, event, traceId, spanId, message } = schema.parse(JSON.parse(line))
  return {
    timeMs: Date.parse(time),
    body: line,
    event: `${EVENT_PREFIX}${event}`,
    attributes: {
      'outrigger.audit.instance': instance,
      'outrigger.audit.seq': seq,
      ...(message && { 'mcp.method.name': message.method }),
      ...(message?.tool === undefined ? {} : { 'gen_ai.tool.name': message.tool }),
    },
    trace: traceId === undefined || spanId === undefined ? undefined : { traceId, spanId },
  }
}

/** Longest text of a collector's, characters. */
const MAX_WHY = 256

const rejectedWords = ({ count, why }: Rejected): string =>
  `it has rejected ${count} records${why === '' ? '' : `: ${oneLine(why.slice(0, MAX_WHY))}`}`

/** How far the records have come, as one more log record; rejects where it is not there. */
export const sendCheckpoint = async (
  logs: Pick<Logs, 'send'>,
  line: string,
  timeMs: number,
): Promise<void> => {
  const event = `${EVENT_PREFIX}checkpoint`
  const entry = { timeMs, body: line.trimEnd(), event, attributes: {}, trace: undefined }
  const found = await logs.send([entry])
  if (found.count > 0) throw new Error(`the collector: ${rejectedWords(found)}`)
}

export interface OtlpSinkOptions {
  /** Its owner's to close: checkpoints go there, too. */
  readonly logs: Pick<Logs, 'send'>
  /** Records may be lost: those that the collector rejects are, as OTLP has it, and else are sent until it takes them. */
  readonly mayLose: boolean
  readonly log: Log
}

export class OtlpSink implements Sink {
  rejected = 0
  private readonly options: OtlpSinkOptions

  constructor(options: OtlpSinkOptions) {
    this.options = options
  }

  async write(bytes: Buffer): Promise<number> {
    const { logs, mayLose, log } = this.options
    const lines = bytes.toString().split('\n').slice(0, -1)
    const found = await logs.send(lines.map(entryOf))
    if (found.count > 0 && !mayLose) throw new Error(`the collector: ${rejectedWords(found)}`)
    if (found.count > 0 && this.rejected === 0) {
      log.error('audit records are lost in the collector', { why: rejectedWords(found) })
    }
    this.rejected = Math.min(found.count, lines.length)
    return bytes.length
  }

  rotate(): undefined {
    return undefined
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
