// Audit records of one sidecar, from the open sink to its end. A bundle of its own.

import { randomBytes, type KeyObject } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Chain, digest, membersOf } from '../../shared/audit/chain.ts'
import type { Log } from '../../shared/log.ts'
import { messageOf } from '../../shared/message.ts'
import type { EventOf } from '../../shared/audit/record.ts'
import type { PodFacts } from '../../shared/names.ts'
import type { AuditConfig, SidecarConfig } from '../../shared/sidecar-config.ts'
import type { Budget } from '../bytes/budget.ts'
import type { ProcessWatch } from '../server/process-watch.ts'
import type { AuditFigures } from '../telemetry/collected.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Before } from './audit-folder.ts'
import { readCheckpointKey } from './checkpoint-key.ts'
import { contentBy, type Content } from './content/content.ts'
import { Checkpoints } from './checkpoints.ts'
import { RESERVED_BYTES } from './described.ts'
import { FileSink } from './file-sink.ts'
import { Recorder } from './recorder.ts'
import type { Sink } from './sink.ts'
import { streamSink } from './stream-sink.ts'
import { Writer } from './writer.ts'

export interface AuditParts {
  readonly config: SidecarConfig
  /** Monotonic milliseconds, and those since 1970. */
  readonly now: () => number
  readonly wallMs: () => number
  readonly log: Log
  /** Absent on a machine that is no pod. */
  readonly pod?: { readonly facts: PodFacts }
  /** The descriptor that checkpoints, and records without a file, go to; absent: 1. */
  readonly stdout?: number
}

export interface Audit {
  readonly recorder: Recorder
  readonly figures: () => AuditFigures
  /** Puts on record what another watch is told. */
  watching(watch: ProcessWatch): ProcessWatch
  /** Puts on record what is counted of files that have changed. */
  readonly hearing: (metrics: Reloads) => Reloads
  sweep(nowMs: number): void
  /** Puts the end on record and waits until everything is written, at most for so long. */
  close(leftMs: number): Promise<void>
}

type Reloads = Pick<Metrics, 'policyReload' | 'lockReload' | 'tlsReload'>

interface Opened {
  readonly sink: Sink
  readonly before: Before | undefined
  readonly look?: (nowMs: number) => Promise<string | undefined>
}

const STDOUT = 1
/** Records of calls that are over wait so long for others, or for the next attempt. */
const GATHER_MS = 5

const openSink = async (
  audit: AuditConfig,
  { now, wallMs, stdout = STDOUT }: AuditParts,
): Promise<Opened> => {
  const { file: path, maxFileBytes, maxFileAgeSeconds, keepBytes, onFailure } = audit
  if (path === undefined) return { sink: streamSink(stdout), before: undefined }
  try {
    const maxFileAgeMs = maxFileAgeSeconds * 1000
    const waits = onFailure === 'refuse'
    const options = { path, maxFileBytes, maxFileAgeMs, keepBytes, waits, now }
    const { sink, before } = await FileSink.open(options, wallMs())
    return { sink, before, look: (nowMs) => sink.look(nowMs) }
  } catch (error) {
    throw new Error(`audit: the file ${path} cannot be written: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

/** Of what a sidecar was told to be; lists in maps count too. */
const configurationDigest = (config: SidecarConfig): string =>
  digest(
    JSON.stringify(config, (_name, value: unknown) =>
      typeof value === 'object' && value !== null && Symbol.iterator in value
        ? [...Object(value)]
        : value,
    ),
  )

/** `NAMESPACE/NAME`. */
const podIn = ({ pod }: AuditParts): string | undefined => {
  const { namespace, name } = pod?.facts ?? {}
  return namespace === undefined || name === undefined ? undefined : `${namespace}/${name}`
}

const placeIn = ({ pod }: AuditParts, { about }: AuditConfig): Pick<EventOf<'begin'>, 'place'> => {
  const place = { ...pod?.facts, ...about }
  return Object.keys(place).length === 0 ? {} : { place }
}

interface Means {
  readonly opened: Opened
  readonly key: KeyObject | undefined
  readonly content: Content
  readonly budget: Budget
}

class RunningAudit implements Audit {
  readonly recorder: Recorder
  private readonly writer: Writer
  private readonly checkpoints: Checkpoints
  private readonly opened: Opened
  private readonly parts: AuditParts
  private readonly audit: AuditConfig
  private readonly log: Log

  constructor(parts: AuditParts, audit: AuditConfig, { opened, key, content, budget }: Means) {
    const { config, now, wallMs, log, stdout = STDOUT } = parts
    const { server } = config
    this.parts = parts
    this.audit = audit
    this.opened = opened
    this.log = log
    const instance = randomBytes(12).toString('base64url')
    this.writer = new Writer({
      sink: opened.sink,
      chain: new Chain({ instance, server, pod: podIn(parts), prev: opened.before?.hash ?? '' }),
      lease: budget.lease('records'),
      log,
      now,
      wallMs,
      sleep,
      gatherMs: GATHER_MS,
    })
    this.writer.reserve(RESERVED_BYTES)
    this.recorder = new Recorder({ ...audit, content, writer: this.writer, now })
    const out = streamSink(stdout)
    this.checkpoints = new Checkpoints(
      {
        server,
        everyMs: audit.checkpointSeconds * 1000,
        key,
        wallMs,
        write: async (text) => void (await out.write(Buffer.from(text))),
        log,
      },
      now(),
    )
  }

  readonly figures = (): AuditFigures => ({
    ...this.writer.counts,
    unwritten: this.recorder.unwrittenCount,
    isFailing: this.writer.isFailing,
    lagMs: this.writer.lagMs,
  })

  watching(watch: ProcessWatch): ProcessWatch {
    this.recorder.processes.next = watch
    return this.recorder.processes
  }

  readonly hearing = ({ policyReload, lockReload, tlsReload }: Reloads): Reloads => {
    const { recorder } = this
    return {
      policyReload: (outcome) => {
        policyReload(outcome)
        recorder.reloaded('tool-policy', outcome)
      },
      lockReload: (outcome) => {
        lockReload(outcome)
        recorder.reloaded('tool-lock', outcome)
      },
      tlsReload: (outcome) => {
        tlsReload(outcome)
        recorder.reloaded('certificate', outcome)
      },
    }
  }

  sweep(nowMs: number): void {
    this.writer.sweep(nowMs)
    this.recorder.sweep(nowMs)
    this.checkpoints.sweep(this.writer.written, nowMs)
    void this.look()
  }

  async begin(): Promise<void> {
    const { before } = this.opened
    const { attempts, onFailure } = this.audit
    const isOut = await this.writer.addNow(
      membersOf({
        event: 'begin',
        ...(before && { before }),
        configuration: configurationDigest(this.parts.config),
        attempts,
        onFailure,
        ...placeIn(this.parts, this.audit),
      }),
    )
    if (isOut) return
    if (onFailure === 'refuse') throw new Error('audit: the first record cannot be written')
    this.log.warn('audit records cannot be written, and are lost until they can')
  }

  /** Lets the file go: the next that starts must not find it taken. */
  async giveUp(): Promise<void> {
    await this.writer.close(0)
  }

  async close(leftMs: number): Promise<void> {
    this.recorder.summarize()
    this.writer.add(membersOf({ event: 'end' }), RESERVED_BYTES)
    const lost = await this.writer.close(leftMs)
    if (lost > 0) this.log.error('audit records were not written before the end', { records: lost })
    await this.checkpoints.tell(this.writer.written)
  }

  private async look(): Promise<void> {
    try {
      const found = await this.opened.look?.(this.parts.wallMs())
      if (found !== undefined) this.log.error(found)
    } catch (error) {
      this.log.error('the audit file is not there, and cannot be begun anew', {
        why: messageOf(error),
      })
    }
  }
}

/** Its beginning is on record; rejects with what is wrong. */
export const startAudit = async (
  parts: AuditParts,
  audit: AuditConfig,
  budget: Budget,
): Promise<Audit> => {
  const key = await readCheckpointKey(audit.checkpointKey)
  const content = await contentBy(audit)
  const opened = await openSink(audit, parts)
  const running = new RunningAudit(parts, audit, { opened, key, content, budget })
  try {
    await running.begin()
  } catch (error) {
    await running.giveUp()
    throw error
  }
  return running
}
