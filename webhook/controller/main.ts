// Composition root of the controller: the only place of it that reads argv, files and signals, and exits. One of its
// replicas, the leader, keeps companions beside injected workloads; without `companions` in the cluster configuration it
// takes away those that stand.

import { randomBytes, randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { createKeyPair } from '../../certs/keys.ts'
import type { KeptFile } from '../../shared/kept-file.ts'
import type { Log } from '../../shared/log.ts'
import { schedule, sleep } from '../../shared/timers.ts'
import type { ClusterConfig } from '../cluster/config.ts'
import { hasOther } from '../companions/companions.ts'
import { connectController, type ControllerKube } from '../kube/client.ts'
import { requestsBy } from '../kube/requests.ts'
import { createPlainServer, drain, listen } from '../listener.ts'
import { adminApp } from '../server.ts'
import { FILES_CHECK_MS, Program } from '../start.ts'
import { beatsOf, type Counts } from './beats.ts'
import { closeAll, Controller } from './controller.ts'
import { Accounts } from './accounts.ts'
import { followDenied, OF_ACCOUNTS } from './denied-owners.ts'
import { Events } from './events.ts'
import { followCluster, isCompanionName, type Asked, type Tools } from './followed.ts'
import { FoundImages } from './found-images.ts'
import { Elector, TERMS } from './lease.ts'
import { leaseStore } from './lease-store.ts'
import { LookUps, type LookUpsOptions } from './look-ups.ts'
import { keyOf } from './members.ts'
import { parseControllerOptions, USAGE, type Options } from './options.ts'
import { MissingAccounts, type MissingAccountsOptions } from './missing-accounts.ts'
import { MovedTags } from './moved-tags.ts'
import { Owners } from './owners.ts'
import { podReader } from './pod-reader.ts'
import { ReplicaKeys } from './replica-keys.ts'
import { createControllerTelemetry, type ControllerTelemetry } from './telemetry.ts'
import { Watchdog } from './watchdog.ts'
import { WorkQueue } from './work-queue.ts'

const CLOSE_DEADLINE_MS = 5000

const program = new Program('controller', process)

const sayCompanions = ({ companions }: ClusterConfig, log: Log): void => {
  if (companions) return
  log.warn(
    'the cluster configuration has no companions: none are kept, those that stand are removed',
  )
}

/** What asks for work: who does not lead is asked for nothing, and looks at everything when it begins to. */
const askedBy = (queue: WorkQueue, parts: () => { controller: Controller; elector: Elector }) => ({
  workload: (key: string): void => {
    if (parts().elector.isLeading) queue.add(key)
  },
  namespace: (name: string): void => parts().controller.lookSoonIn(name),
  all: (): void => parts().controller.lookSoon(),
})

const connect = (tools: Tools, asked: Asked): ControllerKube =>
  connectController(tools, {
    namespace: (item) => {
      if (item) asked.workload(keyOf(item.name, ''))
      // Its annotations and labels are about all that is in it.
      asked.all()
    },
    service: (item) => {
      if (!item || !isCompanionName(item.service.name)) asked.all()
    },
  })

/** What is done for owners whose pods are denied. */
const deniedBy = (
  kube: ControllerKube,
  tools: Tools,
  options: Pick<LookUpsOptions, 'config' | 'requests' | 'owners' | 'events' | 'counted'> &
    Pick<MissingAccountsOptions, 'accounts'> &
    Pick<Options, 'namespace'>,
): Wired['denied'] => {
  const index = new FoundImages(options.requests, options.namespace)
  const reader = podReader(options.requests, options.config)
  const namespaces = () => kube.namespaces.current()
  const lookUps = new LookUps({
    ...tools,
    ...options,
    index,
    reader,
    namespaces,
    follow: (asked) => followDenied(kube, tools, asked),
  })
  const movedTags = new MovedTags({ ...tools, config: options.config, index, reader })
  const missing = new MissingAccounts({
    ...tools,
    ...options,
    namespaces,
    follow: (asked) => followDenied(kube, tools, asked, OF_ACCOUNTS),
  })
  return {
    run: async (signal) => {
      await Promise.all([lookUps.run(signal), movedTags.run(signal), missing.run(signal)])
    },
  }
}

interface Wired {
  readonly controller: Controller
  readonly watchdog: Watchdog
  readonly denied: { run(signal: AbortSignal): Promise<void> }
  readonly elector: Elector
  readonly telemetry: ControllerTelemetry
  readonly identity: string
}

const wire = (options: Options, config: KeptFile<ClusterConfig>, log: Log): Wired => {
  const now = () => performance.now()
  const tools = { log, now, random: Math.random, sleep }
  const queue = new WorkQueue({ ...tools, most: 50_000, atOnce: 4 })
  const asked = askedBy(queue, () => ({ controller, elector }))
  const kube = connect(tools, asked)
  const requests = requestsBy(kube.send)
  const identity = `${hostname()}_${randomUUID()}`
  const foreign = new Map<string, readonly string[]>()
  const opened = new Map<string, readonly string[]>()
  const counts: Counts = { bare: undefined, denied: undefined }
  const followed = followCluster(kube, tools, asked)
  const telemetry = createControllerTelemetry({
    isLeading: () => elector.isLeading,
    waiting: () => queue.size,
    refused: () => queue.refused,
    foreign: () => foreign.values().toArray().flat().length,
    opened: () => opened.values().toArray().flat().length,
    bare: () => counts.bare,
    other: () => followed.pods.current()?.count((one) => hasOther(one, config.current())) ?? 0,
    held: () => followed.pods.current()?.held ?? 0,
    denied: () => counts.denied,
    followers: () => controller.followers(),
  })
  const wall = { now, wallMs: Date.now, randomName: () => randomUUID() }
  const owners = new Owners(requests)
  const events = new Events({ ...wall, requests, log, identity })
  const keys = { keyPair: createKeyPair, randomBytes, counted: telemetry.keysCounted }
  const hands = { requests, owners, events, accounts: new Accounts({ requests, now, log }) }
  const controller = new Controller({
    ...tools,
    ...telemetry,
    ...hands,
    kube,
    followed,
    replicaKeys: new ReplicaKeys({ ...tools, ...wall, ...keys, requests, events }),
    queue,
    foreign,
    opened,
    leftoverMs: options.leftoverMs,
    config: () => config.current(),
  })
  const beats = beatsOf({
    kube,
    namespace: (name) => kube.namespaces.current()?.get(name),
    config: () => config.current(),
    counts,
  })
  const isReady = (): boolean => controller.isListed
  const watchdog = new Watchdog({ ...tools, beats, isReady, owners, events })
  const { namespace, lease: name } = options
  const asks = { ...hands, counted: telemetry.lookedUp, namespace }
  const denied = deniedBy(kube, tools, { ...asks, config: () => config.current() })
  const store = leaseStore(requests, { namespace, name, wallMs: Date.now })
  const settled = () => requests.settled()
  const elector = new Elector({ ...tools, store, identity, terms: TERMS, schedule, settled })
  return { controller, watchdog, denied, elector, telemetry, identity }
}

const serve = async (
  options: Options,
  config: KeptFile<ClusterConfig>,
  log: Log,
): Promise<void> => {
  const { controller, watchdog, denied, elector, telemetry, identity } = wire(options, config, log)
  const admin = createPlainServer(adminApp(telemetry, () => controller.weakness()))
  const adminPort = await listen(admin, options.adminPort, options.host)
  sayCompanions(config.current(), log)
  config.follow(FILES_CHECK_MS, (outcome) => {
    if (outcome !== 'taken') return
    sayCompanions(config.current(), log)
    controller.lookSoon()
  })
  for (const follower of controller.followers()) void follower.start()
  elector.start(async (signal) => {
    await Promise.all([controller.lead(signal), watchdog.run(signal), denied.run(signal)])
  })
  log.info('serving', { adminPort, identity })
  program.onEnd(async () => {
    log.info('closing')
    await closeAll(controller, elector)
    config.close()
    await drain(admin, CLOSE_DEADLINE_MS)
  }, log)
}

const options = program.options(parseControllerOptions, USAGE)
const log = program.log(options.logLevel)
serve(options, await program.config(options.configFile, log), log).catch((error: unknown) =>
  program.cannotStart(error),
)
