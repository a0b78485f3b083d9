// A server that speaks HTTP itself: sessions of its own on loopback. A bundle of its own: most sidecars have none.

import { RUN_DIR } from '../../shared/names.ts'
import type { SidecarConfig } from '../../shared/sidecar-config.ts'
import { forwarded } from '../http/forwarded.ts'
import { admitShim, weaknessOf } from './admit.ts'
import { HttpSource } from './http-source.ts'
import { whereElse } from './listeners.ts'
import { Loopback } from './loopback.ts'
import { OpenPaths } from './open-paths.ts'
import type { ConnectServer, ServerEvents, ServerMeans } from './server.ts'
import { Supervision, type SupervisionOptions } from './supervision.ts'

const IS_IT_STDIO = 'if the server speaks stdio, set outrigger.dev/transport: stdio'

/** Waits for the shim that holds the server on loopback; without it the server is there whenever it likes. */
const superviseServer = (
  config: SidecarConfig,
  { ownUid, outfitter }: ServerMeans,
  { log, onThere, onGone, onTerminating }: ServerEvents,
  { hold, calls }: Pick<SupervisionOptions, 'hold' | 'calls'>,
): Supervision =>
  new Supervision({
    runDir: config.runDir ?? RUN_DIR,
    log,
    admit: (peer) => admitShim(peer, { ...config, ownUid }),
    weaknessOf: (peer) => weaknessOf(peer, ownUid),
    isAdvisory: config.isolation === 'advisory',
    hold,
    outfitter,
    calls,
    onRunning: onThere,
    onGone,
    onTerminating,
  })

export const connectHttp: ConnectServer = (config, means, events) => {
  const { port, path, transport, scheme, 'ca-file': caFile } = config.settings
  if (port === undefined) throw new Error('unreachable: the configuration was checked for a port')
  const { budget, ownUid, listeners } = means
  const loopback = new Loopback({ port, isTls: scheme === 'https', caFile })
  const source = new HttpSource({
    loopback,
    path,
    transports: transport === 'sse' ? ['sse'] : ['http', 'sse'],
    forwards: (config.settings['forward-headers'] ?? []).length > 0,
    budget,
    onEndpoint: (found) =>
      events.log.info('the MCP endpoint of the server was found', { port, ...found }),
    advice: () => whereElse(listeners?.() ?? [], ownUid) ?? IS_IT_STDIO,
  })
  const openPaths = new OpenPaths({
    loopback,
    paths: config.settings['open-paths'] ?? [],
    endpoint: () => source.endpoint?.path,
    forwarded: forwarded(config.settings['forward-headers']),
  })
  let supervision: Supervision | undefined
  return {
    source,
    openPaths,
    get path() {
      // Who looks for HTTP+SSE is told that it is not there.
      return source.endpoint?.transport === 'http' ? source.endpoint.path : undefined
    },
    get count() {
      return source.count
    },
    get underway() {
      return source.underway
    },
    sweep: () => undefined,
    start: async (hold) => {
      if (!config.isSupervised) {
        events.onThere(undefined)
        return
      }
      supervision = superviseServer(config, means, events, {
        hold,
        calls: () => source.underway,
      })
      await supervision.listen()
    },
    exit: async (code) => supervision?.exit(code),
    close: () => {
      supervision?.close()
      loopback.close()
    },
  }
}
