// The controller as a real process beside a real API server, with the rights of its ServiceAccount and no others.

import type { OwnTarget } from './describe-cluster.ts'
import { startSource, type SourceProcess } from './source-process.ts'

export interface ControllerProcess extends Pick<SourceProcess, 'stop'> {
  /** Its metrics, by name with labels. */
  readonly metrics: () => Promise<ReadonlyMap<string, number>>
}

export interface ControllerSetting {
  readonly kubeconfig: string
  /** The file of the cluster configuration. */
  readonly config: string
  readonly port: number
  readonly flags?: readonly string[]
}

const numbersIn = (text: string): ReadonlyMap<string, number> =>
  new Map(
    [...text.matchAll(/^(outrigger_\S+) ([\d.e+]+)$/gm)].map(([, name = '', value]) => [
      name,
      Number(value),
    ]),
  )

/** Runs until it is stopped; resolves when it has listed everything. */
export const startController = async (
  target: OwnTarget,
  { kubeconfig, config, port, flags = [] }: ControllerSetting,
): Promise<ControllerProcess> => {
  const { admin, stop } = await startSource(target, {
    name: `controller-${port}`,
    kubeconfig,
    argv: [
      'webhook/controller/main.ts',
      `--config=${config}`,
      '--host=127.0.0.1',
      `--admin-port=${port}`,
      ...flags,
    ],
    adminUrl: `http://127.0.0.1:${port}`,
  })
  return { metrics: async () => numbersIn(await (await admin('/metrics')).text()), stop }
}
