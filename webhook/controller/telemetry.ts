// The controller's metrics. No label value comes from the cluster: what became of a companion is our own word.

import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client'
import { watchFollowers, type Followed } from '../watch-telemetry.ts'
import type { KeysResult } from './replica-keys.ts'
import type { Written } from './writes.ts'

export interface Figures {
  readonly isLeading: () => boolean
  readonly waiting: () => number
  readonly refused: () => number
  readonly foreign: () => number
  readonly opened: () => number
  /** Undefined while nobody has looked. */
  readonly bare: () => number | undefined
  readonly other: () => number
  readonly held: () => number
  readonly denied: () => number | undefined
  readonly followers: () => readonly Followed[]
}

export interface ControllerTelemetry {
  readonly registry: Registry
  counted(what: Written | 'removed'): void
  /** One workload was put right, or could not be. */
  reconciled(isDone: boolean): void
  /** Of a workload whose pods know each other by them. */
  readonly keysCounted: (result: KeysResult) => void
  /** An image was asked for, of its registry. */
  readonly lookedUp: (result: 'read' | 'failed') => void
}

/** One that is not known is not told. */
const gauge = (
  registry: Registry,
  name: string,
  help: string,
  value: () => number | undefined,
): Gauge =>
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      const known = value()
      if (known === undefined) this.remove()
      else this.set(known)
    },
  })

const GAUGES: readonly (readonly [
  figure: Exclude<keyof Figures, 'isLeading' | 'followers'>,
  name: string,
  help: string,
])[] = [
  [
    'waiting',
    'outrigger_controller_waiting',
    'Workloads that wait to be put right, are being, or failed and are tried again.',
  ],
  [
    'refused',
    'outrigger_controller_refused',
    'Workloads for which there was no room among those, until the next look at everything.',
  ],
  [
    'foreign',
    'outrigger_controller_foreign',
    'Objects of a companion’s name that are somebody else’s, and are left alone.',
  ],
  [
    'opened',
    'outrigger_controller_open_policies',
    'Policies of others that open what a workload’s own closes, for each workload.',
  ],
  [
    'bare',
    'outrigger_controller_bare_pods',
    'Pods that run without the sidecar that they ask for, by the last look of who leads.',
  ],
  [
    'other',
    'outrigger_controller_other_sidecars',
    'Pods whose sidecar is another than the configuration names.',
  ],
  ['held', 'outrigger_controller_held_pods', 'Pods that wait for their NetworkPolicy.'],
  [
    'denied',
    'outrigger_controller_denied_deployments',
    'Deployments whose pods are denied, by the last look of who leads.',
  ],
]

export const createControllerTelemetry = (figures: Figures): ControllerTelemetry => {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  watchFollowers(figures.followers, registry)
  const registers = [registry]
  gauge(registry, 'outrigger_controller_leading', '1 where this replica acts.', () =>
    figures.isLeading() ? 1 : 0,
  )
  for (const [figure, name, help] of GAUGES) gauge(registry, name, help, figures[figure])
  const companions = new Counter({
    name: 'outrigger_controller_companions_total',
    help: 'Looks at a companion, by what became of it.',
    labelNames: ['result'],
    registers,
  })
  const workloads = new Counter({
    name: 'outrigger_controller_workloads_total',
    help: 'Workloads that were put right, or could not be.',
    labelNames: ['result'],
    registers,
  })
  const images = new Counter({
    name: 'outrigger_controller_images_total',
    help: 'Images that were looked up for pods that name no command, or could not be.',
    labelNames: ['result'],
    registers,
  })
  const keys = new Counter({
    name: 'outrigger_controller_replica_keys_total',
    help: 'Looks at the Secret by which the replicas of a workload know each other, by what became of it.',
    labelNames: ['result'],
    registers,
  })
  return {
    registry,
    counted: (result) => companions.inc({ result }),
    keysCounted: (result) => keys.inc({ result }),
    lookedUp: (result) => images.inc({ result }),
    reconciled: (isDone) => workloads.inc({ result: isDone ? 'done' : 'failed' }),
  }
}
