// A server that speaks stdio: the shim's children.

import { RUN_DIR } from '../../shared/names.ts'
import { maxProcesses } from '../../shared/max-processes.ts'
import type { SidecarConfig } from '../../shared/sidecar-config.ts'
import { admitShim, confiningOf, shimRefused, weaknessOf } from './admit.ts'
import type { Peer } from './connection.ts'
import { Control } from './control.ts'
import type { ConnectServer, ServerMeans } from './server.ts'
import type { Spares } from './source.ts'
import type { SpareOptions } from './spare-processes.ts'
import { Spawner } from './spawner.ts'

const ENDED = "the server's container has ended"

/** None where nobody has asked for any. */
const sparesFor = (
  { settings }: SidecarConfig,
  { createSpares, outfitter, isServing, now }: ServerMeans,
  parts: Pick<SpareOptions, 'control' | 'maxProcesses' | 'onSpawn' | 'log'>,
): Spares | undefined =>
  createSpares?.({
    ...parts,
    wanted: settings['spare-processes'] ?? 0,
    isHeldBack: () => outfitter?.holdsBack() === true,
    isServing,
    now,
  })

export const connectStdio: ConnectServer = (config, means, events) => {
  const { ownUid, budget, newName, schedule, atTurnEnd, now, outfitter, tokens } = means
  const admit = (peer: Peer): string | undefined => {
    const why = admitShim(peer, { ...config, ownUid }) ?? outfitter?.refusal(confiningOf(peer))
    if (why !== undefined) events.onGone(shimRefused(why))
    return why
  }
  const met = (peer: Peer): void => {
    outfitter?.met(confiningOf(peer))
    events.onThere(weaknessOf(peer, ownUid))
  }
  const control = new Control({
    runDir: config.runDir ?? RUN_DIR,
    budget,
    newName,
    schedule,
    atTurnEnd,
    log: events.log,
    admit,
    onTerminating: events.onTerminating,
    onExit: events.onExit,
    watch: events.watch,
    outfitter,
    tokens,
    onPeer: (peer) => (peer ? met(peer) : events.onGone(ENDED)),
  })
  const most = maxProcesses(config.settings['max-processes'], config.serverMemoryBytes)
  const spares = sparesFor(config, means, { ...events, control, maxProcesses: most })
  const spawner = new Spawner({
    control,
    spares,
    maxProcesses: most,
    idleTimeoutMs: config.settings['idle-timeout'],
    now,
    onSpawn: events.onSpawn,
  })
  return {
    source: spawner,
    spares,
    sweep: (nowMs) => {
      spawner.sweep(nowMs)
      spares?.sweep(nowMs)
    },
    path: undefined,
    get count() {
      return control.count
    },
    get tenants() {
      return control.tenants
    },
    get underway() {
      return control.underway
    },
    start: () => control.listen(),
    exit: (code) => control.exit(code),
    close: () => control.close(),
  }
}
