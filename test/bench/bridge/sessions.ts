// What sessions cost a sidecar: memory while they are open and idle, and what is left of memory and
// descriptors after thousands have been opened and closed.

import { setTimeout as after } from 'node:timers/promises'
import type { BenchContext } from '../bench.ts'
import { openDescriptors, residentKib, takePeakKib } from '../process-cost.ts'
import { judge, type Report } from '../report.ts'
import type { Sidecar } from './contenders.ts'
import { initialize, initialized, legacyCall, terminate } from './requests.ts'
import { sessionOf, Wire } from './wire.ts'

const IDLE = 100
const PARALLEL = 8
const SETTLE_MS = 3000
const MIB = 1024

type Plan = {
  /** Sessions open beyond the first hundred, over which one more is averaged. */
  readonly further: number
  /** Sessions opened and closed before the first look, and in all. */
  readonly before: number
  readonly all: number
  /** The budgets: a smoke run measures a heap that has hardly been collected. */
  readonly idleMib: number
  readonly sessionKib: number
}

const FULL: Plan = { further: 400, before: 1000, all: 10_000, idleMib: 88, sessionKib: 20 }
const QUICK: Plan = { further: 50, before: 50, all: 100, idleMib: 96, sessionKib: 50 }

class Client {
  readonly #wire: Wire
  readonly #target: { readonly host: string; readonly path: string }

  constructor(url: string, onFault: (error: Error) => void) {
    const { host, port, pathname } = new URL(url)
    this.#target = { host, path: pathname }
    this.#wire = new Wire('127.0.0.1', Number(port), onFault)
  }

  async open(): Promise<string> {
    const answer = await this.#wire.ask(initialize(this.#target))
    const session = sessionOf(answer)
    if (session === undefined) {
      throw new Error(`initialize was answered ${answer.status}: ${answer.body.slice(0, 500)}`)
    }
    await this.#wire.ask(initialized(this.#target, session))
    return session
  }

  async call(session: string): Promise<void> {
    const answer = await this.#wire.ask(legacyCall(this.#target, session, '100 B'))
    if (answer.status !== 200) throw new Error(`tools/call was answered ${answer.status}`)
  }

  async end(session: string): Promise<void> {
    await this.#wire.ask(terminate(this.#target, session))
  }

  close(): void {
    this.#wire.close()
  }
}

const withClients = async <T>(
  url: string,
  count: number,
  use: (clients: readonly Client[]) => Promise<T>,
): Promise<T> => {
  const clients: Client[] = []
  const fault = new Promise<never>((_, reject) => {
    for (let index = 0; index < count; index += 1) clients.push(new Client(url, reject))
  })
  try {
    return await Promise.race([use(clients), fault])
  } finally {
    for (const client of clients) client.close()
  }
}

const openIdle = async (client: Client, count: number): Promise<string[]> => {
  const sessions: string[] = []
  for (let index = 0; index < count; index += 1) {
    const session = await client.open()
    await client.call(session)
    sessions.push(session)
  }
  await after(SETTLE_MS)
  return sessions
}

type Idle = { readonly kib: number; readonly perFurtherKib: number; readonly shimKib: number }

const measureIdle = ({ url, pids }: Sidecar, plan: Plan): Promise<Idle> =>
  withClients(url, 1, async ([client]) => {
    if (client === undefined) throw new Error('no client')
    const [sidecar = 0, shim = 0] = pids
    const first = await openIdle(client, IDLE)
    await after(SETTLE_MS)
    const kib = residentKib([sidecar])
    const further = await openIdle(client, plan.further)
    const perFurtherKib = (residentKib([sidecar]) - kib) / plan.further
    const shimKib = residentKib([shim])
    for (const session of [...first, ...further]) await client.end(session)
    return { kib, perFurtherKib, shimKib }
  })

const churn = (url: string, count: number): Promise<void> =>
  withClients(url, PARALLEL, async (clients) => {
    let left = count
    const work = async (client: Client): Promise<void> => {
      while (left > 0) {
        left -= 1
        const session = await client.open()
        await client.call(session)
        await client.end(session)
      }
    }
    await Promise.all(clients.map(work))
  })

type Costs = { readonly kib: number; readonly descriptors: number }

/** The most memory meanwhile, which a collection just then doesn't hide, and what is open at the end. */
const churnCosts = async ({ url, pids }: Sidecar, count: number): Promise<Costs> => {
  const [sidecar = 0] = pids
  takePeakKib(sidecar)
  await churn(url, count)
  const kib = takePeakKib(sidecar)
  await after(SETTLE_MS)
  return { kib, descriptors: openDescriptors(pids) }
}

/** Measures a sidecar that has been called for a while. */
export const measureSessions = async (sidecar: Sidecar, context: BenchContext): Promise<Report> => {
  const plan = context.quick ? QUICK : FULL
  const idle = await measureIdle(sidecar, plan)
  context.progress(`${IDLE} idle sessions: ${Math.round(idle.kib / MIB)} MiB`)
  const before = await churnCosts(sidecar, plan.before)
  context.progress(`${plan.before} sessions opened and closed: ${before.descriptors} descriptors`)
  const end = await churnCosts(sidecar, plan.all - plan.before)
  const grownMib = (end.kib - before.kib) / MIB
  const grownDescriptors = end.descriptors - before.descriptors
  const span = `from ${plan.before} to ${plan.all} sessions opened and closed`
  return {
    figures: [
      { figure: `sidecar RSS, ${IDLE} idle sessions`, value: idle.kib / MIB, unit: 'MiB' },
      { figure: 'one further idle session', value: idle.perFurtherKib, unit: 'KiB' },
      { figure: 'shim RSS, its monitors aside', value: idle.shimKib / MIB, unit: 'MiB' },
      { figure: `peak RSS up to ${plan.all} sessions`, value: end.kib / MIB, unit: 'MiB' },
      { figure: `peak RSS grown ${span}`, value: grownMib, unit: 'MiB' },
      { figure: `descriptors grown ${span}`, value: grownDescriptors, unit: 'descriptors' },
    ],
    budgets: [
      judge(`sidecar RSS, ${IDLE} idle sessions`, idle.kib / MIB, { atMost: plan.idleMib }, 'MiB'),
      judge('one further idle session', idle.perFurtherKib, { atMost: plan.sessionKib }, 'KiB'),
      judge(`peak RSS grown ${span}`, grownMib, { atMost: 8 }, 'MiB'),
      judge(`descriptors grown ${span}`, grownDescriptors, { atMost: 0 }, 'descriptors'),
    ],
    faults: [],
  }
}
