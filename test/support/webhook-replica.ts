// The webhook as a process of this machine, beside a fake API server.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { isObject, type JsonObject } from '../../shared/json.ts'
import { startProgram, type Running } from './running.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** The name that its certificate is for. */
export const WEBHOOK_SERVICE = 'outrigger-webhook.outrigger-system.svc'

/** What a webhook is started with on this machine: free ports of loopback, and no wait at its end. */
export const WEBHOOK_ARGUMENTS: readonly string[] = [
  'webhook',
  `--config=${ROOT}manifests/overlays/dev/config.yaml`,
  '--host=127.0.0.1',
  '--port=0',
  '--admin-port=0',
  '--drain-delay=0',
]

/** The webhook configuration that we ship, as it is before anybody has written to it. */
export const shippedConfiguration = (): JsonObject => {
  const object: unknown = parse(
    readFileSync(`${ROOT}manifests/base/webhook-configuration.yaml`, 'utf8'),
  )
  return isObject(object) ? object : {}
}

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
    args: [`${ROOT}webhook/main.ts`, ...WEBHOOK_ARGUMENTS, ...more],
    env: { KUBECONFIG: kubeconfig },
    ready: /"message":"serving",("port":\d+,"adminPort":\d+)/,
  })
  const ports: unknown = JSON.parse(`{${running.ready}}`)
  const { port, adminPort } = Object(ports)
  return { running, port: Number(port), adminPort: Number(adminPort) }
}
