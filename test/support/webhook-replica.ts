// The webhook as a process of this machine, beside a fake API server.

import { fileURLToPath } from 'node:url'
import { startProgram, type Running } from './running.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const START_MS = 60_000

export interface WebhookReplica {
  readonly running: Running
  readonly port: number
  readonly adminPort: number
}

/** Starts one on free ports of loopback; the caller stops it. */
export const startReplica = async (
  kubeconfig: string,
  more: readonly string[] = [],
): Promise<WebhookReplica> => {
  const running = await startProgram({
    command: process.execPath,
    args: [
      `${ROOT}webhook/main.ts`,
      'webhook',
      `--config=${ROOT}manifests/overlays/dev/config.yaml`,
      '--host=127.0.0.1',
      '--port=0',
      '--admin-port=0',
      '--drain-delay=0',
      ...more,
    ],
    env: { KUBECONFIG: kubeconfig },
    ready: /"message":"serving",("port":\d+,"adminPort":\d+)/,
    startMs: START_MS,
  })
  const ports: unknown = JSON.parse(`{${running.ready}}`)
  const { port, adminPort } = Object(ports)
  return { running, port: Number(port), adminPort: Number(adminPort) }
}
