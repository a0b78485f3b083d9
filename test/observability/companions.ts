// What a replica of the controller exposes: its own telemetry on its own admin port, over no cluster, with figures that come and
// go as workloads do.

import { createControllerTelemetry } from '../../webhook/controller/telemetry.ts'
import { createPlainServer, drain, listen } from '../../webhook/listener.ts'
import { adminApp } from '../../webhook/server.ts'
import type { Target } from './prometheus.ts'

export interface Companions {
  readonly target: Target
  /** So many workloads are put right, and one cannot be. */
  readonly round: (busy: number) => void
  readonly stop: () => Promise<void>
}

const STOP_MS = 1000

export const startCompanions = async (): Promise<Companions> => {
  let rounds = 0
  /** So many, and then none again. */
  const now = (most: number): number => rounds % (most + 1)
  const telemetry = createControllerTelemetry({
    isLeading: () => true,
    waiting: () => now(7),
    refused: () => 0,
    foreign: () => now(1),
    opened: () => now(2),
    bare: () => now(3),
    other: () => now(5),
    held: () => now(4),
    denied: () => now(1),
    followers: () => [],
  })
  const admin = createPlainServer(adminApp(telemetry, () => undefined))
  const adminPort = await listen(admin, 0, '127.0.0.1')
  const round = (busy: number): void => {
    rounds += 1
    for (let done = 0; done < busy; done++) {
      telemetry.reconciled(true)
      for (const what of ['right', 'right', 'written'] as const) telemetry.counted(what)
    }
    telemetry.reconciled(false)
    telemetry.counted('foreign')
    telemetry.counted('removed')
  }
  const labels = { namespace: 'outrigger-system', pod: 'outrigger-controller-0' }
  return { target: { adminPort, labels }, round, stop: () => drain(admin, STOP_MS) }
}
