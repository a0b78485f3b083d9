// What a pod's sidecar has counted: that a call went through it, and not around.

import { at, type Json } from './api.ts'

const ADMIN_PORT = 15_201

const callsIn = (metrics: string): number =>
  [...metrics.matchAll(/^mcp_server_operation_duration_seconds_count\{(.*)\} (\d+)$/gm)]
    .filter(([, labels = '']) => labels.includes('"tools/call"'))
    .reduce((sum, [, , count]) => sum + Number(count), 0)

/** How many tools/call a pod's sidecar has answered. */
export const toolCalls = async (pod: Json): Promise<number> => {
  const ip = String(at(pod, 'status', 'podIP'))
  return callsIn(await (await fetch(`http://${ip}:${ADMIN_PORT}/metrics`)).text())
}
