// One attempt of a server's to reach something, from the moment that it is known until it is over: which calls were in flight
// meanwhile, what has passed, and the record of it.

import type { EventOf } from '../../../shared/audit/record.ts'
import { rounded } from '../../audit/recorded-call.ts'
import { brief } from '../../telemetry/brief.ts'
import type { OnRecord, TriedPlace, Underway } from '../../server/underway.ts'
import type { Account } from './account.ts'
import { CallEgress } from './call-egress.ts'
import type { Passed } from './figures.ts'

type Told = EventOf<'egress'>
export type Verdict = Told['verdict']

/** What became of it. */
export interface Settled {
  readonly how: Told['how']
  readonly verdict: Verdict
  readonly protocol?: Told['destination']['protocol']
  /** As it was asked for, by a name or an address; absent where nothing was asked for by then. */
  readonly host?: string | undefined
  readonly port?: number | undefined
  /** What was dialled, or would have been. */
  readonly address?: string | undefined
  /** What was declared and allows it. */
  readonly rule?: string | undefined
  /** Why not, as a word, and as a sentence. */
  readonly why?: string | undefined
  readonly words?: string | undefined
}

/** What ended before it was known what was asked for. */
const UNSETTLED: Settled = { how: 'unknown', verdict: 'failed' }
/** Of these nobody knows what has passed. */
const UNCOUNTED: ReadonlySet<Told['how']> = new Set(['direct', 'unknown'])

/** A record names so many calls. */
const MAX_CALLS = 16

const placeOf = ({ host, address, port = 0, verdict, why }: Settled): TriedPlace => ({
  host: host ?? address ?? '',
  port,
  verdict,
  ...(why === undefined ? {} : { why }),
})

const destinationOf = (settled: Settled | undefined): Told['destination'] => {
  const { host, address, port, protocol = 'tcp' } = settled ?? {}
  return {
    ...(host === undefined ? {} : { host }),
    ...(address === undefined ? {} : { address }),
    ...(port === undefined ? {} : { port }),
    protocol,
  }
}

export class Trial {
  /** Undefined until it is known. */
  settled: Settled | undefined
  /** It has been told while it goes on. */
  isTold = false
  readonly account: Account
  readonly number: number
  readonly beganMs: number
  private readonly calls = new Set<OnRecord>()
  private moreCalls = 0
  /** Of calls beyond those each has a higher number than those before it. */
  private highest = 0
  private last: OnRecord | undefined
  private sentBytes = 0
  private receivedBytes = 0
  /** Why the proxy has ended it, where it has. */
  cut: string | undefined

  constructor(account: Account, number: number, nowMs: number) {
    this.account = account
    this.number = number
    this.beganMs = nowMs
    this.note()
  }

  /** What is in flight with its process now, and counts as its cause. */
  private note(): readonly OnRecord[] {
    const records: OnRecord[] = []
    for (const { record } of this.account.calls()) {
      if (!record) continue
      records.push(record)
      if (record === this.last || this.calls.has(record)) continue
      this.last = record
      if (this.calls.size < MAX_CALLS) this.calls.add(record)
      else if (record.number > this.highest) this.moreCalls++
      this.highest = Math.max(this.highest, record.number)
    }
    return records
  }

  /** The host is all that somebody else has written. */
  settle(said: Settled): void {
    const { host } = said
    const settled = host === undefined ? said : { ...said, host: brief(host) }
    this.settled = settled
    const place = placeOf(settled)
    const records = this.note()
    for (const record of records) {
      record.reached ??= new CallEgress()
      record.reached.tried(place, records.length > 1)
    }
  }

  /** From the server, and to it. */
  passed(sentBytes: number, receivedBytes: number, by: Passed): void {
    this.sentBytes += sentBytes
    this.receivedBytes += receivedBytes
    by.sentBytes += sentBytes
    by.receivedBytes += receivedBytes
    this.account.passed(sentBytes + receivedBytes)
    const records = this.note()
    for (const record of records) {
      record.reached ??= new CallEgress()
      record.reached.passed(sentBytes, receivedBytes, records.length > 1)
    }
  }

  get worksFor() {
    return this.account.worksFor(this.calls)
  }

  told(nowMs: number, enforcement: Told['enforcement']): Omit<Told, 'event' | 'caller'> {
    return {
      attempt: this.number,
      ...this.cause(),
      destination: destinationOf(this.settled),
      ...this.outcome(),
      durationMs: rounded(nowMs - this.beganMs),
      enforcement,
    }
  }

  private cause(): Pick<Told, 'session' | 'process' | 'calls' | 'moreCalls'> {
    const { account, calls, moreCalls } = this
    const { session, child } = account
    return {
      ...(session === undefined ? {} : { session }),
      ...(child === 0 ? {} : { process: child }),
      calls: [...calls].map(({ number }) => number),
      ...(moreCalls === 0 ? {} : { moreCalls }),
    }
  }

  private outcome(): Pick<
    Told,
    'how' | 'verdict' | 'rule' | 'why' | 'sentBytes' | 'receivedBytes'
  > {
    const { settled = UNSETTLED, cut, sentBytes, receivedBytes } = this
    const { how, verdict, rule, why = cut } = settled
    return {
      how,
      verdict,
      ...(rule === undefined ? {} : { rule }),
      ...(why === undefined ? {} : { why }),
      ...(UNCOUNTED.has(how) ? {} : { sentBytes, receivedBytes }),
    }
  }
}

const NAMED = 3

/** What is in flight, for a line of the log: `tools/call fetch`. */
export const whatIsUnderway = (calls: Iterable<Underway>): string => {
  const named = [...calls].map(({ method, operation }) => {
    const { tool = '' } = operation?.kind ?? {}
    return tool === '' || tool.startsWith('_') ? method : `${method} ${tool}`
  })
  if (named.length === 0) return 'between calls'
  const more = named.length > NAMED ? ` and ${named.length - NAMED} more` : ''
  return named.slice(0, NAMED).join(', ') + more
}
