// Audit records of one sidecar, from the open sink to its end. A bundle of its own.

import { randomBytes, type KeyObject } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Chain, digest, membersOf } from '../../shared/audit/chain.ts'
import type { Log } from '../../shared/log.ts'
import { messageOf } from '../../shared/message.ts'
import type { AuditConfig, SidecarConfig } from '../../shared/sidecar-config.ts'
import type { Budget } from '../bytes/budget.ts'
import type { ProcessWatch } from '../server/process-watch.ts'
import type { AuditFigures } from '../telemetry/collected.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { settled } from '../telemetry/settled.ts'
import { placeIn, podIn, type AuditParts } from './audit-parts.ts'
import { readCheckpointKey } from './checkpoint-key.ts'
import { contentBy, type Content } from './content/content.ts'
import { Checkpoints } from './checkpoints.ts'
import { RESERVED_BYTES } from './described.ts'
import { openCollector, openSink, type Opened, type Outlets } from './open-sink.ts'
import { sendCheckpoint } from './otlp-sink.ts'
import { Recorder } from './recorder.ts'
import { StreamSink } from './stream-sink.ts'
import { Writer } from './writer.ts'

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

const STDOUT = 1
/** At the end a checkpoint has so long at least. */
const LAST_CHECKPOINT_MS = 500
/** Records of calls that are over wait so long for others, or for the next attempt. */
const GATHER_MS = 5

/** Of what a sidecar was told to be; lists in maps count too. */
const configurationDigest = (config: SidecarConfig): string =>
  digest(
    JSON.stringify(config, (_name, value: unknown) =>
      typeof value === 'object' && value !== null && Symbol.iterator in value
        ? [...Object(value)]
        : value,
    ),
  )

interface Means extends Outlets {
  readonly opened: Opened
  readonly key: KeyObject | undefined
  readonly content: Content
  readonly budget: Budget
}

type Tell = (text: string) => Promise<void>

/** Whom checkpoints are told. */
const tellers = ({ wallMs }: AuditParts, { out, collector }: Means): readonly Tell[] => {
  const tellOut: Tell = (text) => out.tell(text)
  return collector ? [tellOut, (text) => sendCheckpoint(collector, text, wallMs())] : [tellOut]
}

class RunningAudit implements Audit {
  readonly recorder: Recorder
  private readonly writer: Writer
  private readonly checkpoints: readonly Checkpoints[]
  private readonly means: Means
  private readonly parts: AuditParts
  private readonly audit: AuditConfig
  private readonly log: Log

  constructor(parts: AuditParts, audit: AuditConfig, means: Means) {
    const { config, now, wallMs, log, atTurnEnd } = parts
    const { opened, content, budget } = means
    const { server } = config
    this.parts = parts
    this.audit = audit
    this.means = means
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
      atTurnEnd,
      gatherMs: GATHER_MS,
    })
    this.writer.reserve(RESERVED_BYTES)
    this.recorder = new Recorder({ ...audit, content, writer: this.writer, now })
    const everyMs = audit.checkpointSeconds * 1000
    this.checkpoints = tellers(parts, means).map(
      (write) => new Checkpoints({ server, everyMs, key: means.key, wallMs, write, log }, now()),
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
    for (const one of this.checkpoints) one.sweep(this.writer.written, nowMs)
    void this.look()
  }

  async begin(): Promise<void> {
    const { before } = this.means.opened
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
    if (onFailure === 'refuse') {
      throw new Error(`audit: the first record cannot be written: ${this.writer.why}`)
    }
    this.log.warn('audit records cannot be written, and are lost until they can')
  }

  /** Lets the file go: the next that starts must not find it taken. */
  async giveUp(): Promise<void> {
    await this.writer.close(0)
  }

  async close(leftMs: number): Promise<void> {
    this.recorder.summarize()
    this.writer.add(membersOf({ event: 'end' }), RESERVED_BYTES)
    const { now } = this.parts
    const endMs = now() + leftMs
    const lost = await this.writer.close(leftMs - LAST_CHECKPOINT_MS)
    if (lost > 0) this.log.error('audit records were not written before the end', { records: lost })
    const { written } = this.writer
    const told = Promise.all(this.checkpoints.map((one) => one.tell(written)))
    const patienceMs = Math.max(endMs - now(), LAST_CHECKPOINT_MS)
    await settled(
      told.then(() => this.means.collector?.close()),
      patienceMs,
    )
  }

  private async look(): Promise<void> {
    try {
      const found = await this.means.opened.look?.(this.parts.wallMs())
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
  const collector = await openCollector(audit, parts)
  const outlets = { out: new StreamSink(parts.stdout ?? STDOUT), collector }
  const opened = await openSink(audit, parts, outlets)
  const running = new RunningAudit(parts, audit, { ...outlets, opened, key, content, budget })
  try {
    await running.begin()
  } catch (error) {
    await running.giveUp()
    throw error
  }
  return running
}
