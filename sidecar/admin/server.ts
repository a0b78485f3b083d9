// The second listener, for kubelet and Prometheus: /startupz, /livez, /readyz and /metrics. It changes nothing.

import { createServer, type Server, type ServerResponse } from 'node:http'
import type { Log } from '../../shared/log.ts'
import { messageOf } from '../../shared/message.ts'
import { oneLine } from '../../shared/one-line.ts'

export interface AdminOptions {
  /** Whether the shim is copied and the listeners are bound. */
  readonly isStarted: () => boolean
  /** Why calls cannot be served; undefined where they can. */
  readonly obstacle: () => string | undefined
  /** What is weak although they can; undefined where nothing is. */
  readonly weakness: () => string | undefined
  /** What holds the server to what it may reach; undefined where nobody looks. */
  readonly egressEnforcement: () => string | undefined
  readonly metrics: () => Promise<string>
  readonly metricsType: string
  readonly log: Log
}

/** Of HEAD Node sends the head alone; load balancers and uptime checks like it. */
const METHODS = new Set(['GET', 'HEAD'])

/** Nobody here has much to say; whoever holds connections open does not take the descriptors that calls need. */
const MAX_CONNECTIONS = 512
const TIMES = { headersTimeout: 5000, requestTimeout: 10_000, connectionsCheckingInterval: 2000 }

const say = (response: ServerResponse, status: number, text: string, type = 'text/plain'): void => {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) })
  response.end(text)
}

const readyText = ({ weakness, egressEnforcement }: AdminOptions): string => {
  const [weak, enforcement] = [weakness(), egressEnforcement()]
  const held = enforcement === undefined ? '' : `, egress_enforcement="${enforcement}"`
  return `ok${held}${weak === undefined ? '' : `, but ${oneLine(weak)}`}`
}

export const createAdmin = (options: AdminOptions): Server => {
  const routes: ReadonlyMap<string, (response: ServerResponse) => void> = new Map([
    ['/livez', (response: ServerResponse) => say(response, 200, 'ok\n')],
    [
      '/startupz',
      (response: ServerResponse) =>
        options.isStarted() ? say(response, 200, 'ok\n') : say(response, 503, 'starting\n'),
    ],
    [
      '/readyz',
      (response: ServerResponse) => {
        const obstacle = options.obstacle()
        // One line: the kubelet's Event has what the probe shows, which is the first.
        if (obstacle !== undefined) say(response, 503, `${oneLine(obstacle)}\n`)
        else say(response, 200, `${readyText(options)}\n`)
      },
    ],
    [
      '/metrics',
      (response: ServerResponse) => {
        options.metrics().then(
          (text) => say(response, 200, text, options.metricsType),
          (error: unknown) => {
            options.log.error('the metrics cannot be collected', { error: messageOf(error) })
            say(response, 500, 'the metrics cannot be collected\n')
          },
        )
      },
    ],
  ])
  const server = createServer(TIMES, (request, response) => {
    const route = routes.get(request.url?.split('?', 1)[0] ?? '')
    if (!route) say(response, 404, `nothing is here; there are ${[...routes.keys()].join(', ')}\n`)
    else if (!METHODS.has(request.method ?? '')) say(response, 405, 'use GET or HEAD\n')
    else route(response)
  })
  server.maxConnections = MAX_CONNECTIONS
  return server
}
