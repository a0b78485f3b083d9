// Composition root of the webhook: the only place that reads argv, files and signals, and exits.
// `webhook` serves admission; it is ready when it has its certificate, the namespaces and Services,
// and the API server's trust.

import { setTimeout as after } from 'node:timers/promises'
import { EMPTY_INDEX, type ImageIndex } from '../shared/image-index.ts'
import { clusterWords } from './kube/words.ts'
import type { Log } from '../shared/log.ts'
import type { KeptFile } from '../shared/kept-file.ts'
import { mountedCertificate, shareAuthority, type Certificates } from './certificates.ts'
import type { ClusterConfig } from './cluster/config.ts'
import { RecentConfigs } from './cluster/recent.ts'
import { withAccounts, withServices, type Namespaces } from './cluster/namespace.ts'
import { keepIndex } from './images/index-file.ts'
import { asksOwnAccounts } from './inject/own-account.ts'
import { connectKube, type Kube } from './kube/client.ts'
import { parseOptions, USAGE, type Options } from './options.ts'
import { startServer, type Webhook } from './server.ts'
import { FILES_CHECK_MS, mountedText, Program } from './start.ts'
import { GuardedLooks } from './validation/guarded.ts'

const program = new Program('webhook', process)

type Images = Pick<KeptFile<ImageIndex>, 'current' | 'follow' | 'close'>

/** The image index as it is now. */
const readImages = async (file: string | undefined, log: Log): Promise<Images> => {
  if (file === undefined) return { current: () => EMPTY_INDEX, follow: () => {}, close: () => {} }
  const index = keepIndex({ source: mountedText(file), log })
  await index.refresh()
  return index
}

/** What it serves by, or the end of the process: a pod that restarts is seen. */
const openCertificates = async (kube: Kube, options: Options, log: Log): Promise<Certificates> => {
  const opened = await (options.certDir === undefined
    ? shareAuthority(kube, options, log)
    : mountedCertificate(options.certDir, log))
  return opened.ok ? opened.value : program.exit(1, [opened.error])
}

/** Services find a port by its name on a native sidecar from this minor version on. */
const FINDS_SIDECAR_PORTS = 32

/** What the cluster itself says, besides the configuration. */
const clusterFacts = async (
  kube: Kube,
  log: Log,
): Promise<Pick<ClusterConfig, 'findsSidecarPorts'>> => {
  try {
    const minor = await kube.minorVersion()
    log.info('the API server', { minorVersion: minor })
    return { findsSidecarPorts: minor >= FINDS_SIDECAR_PORTS }
  } catch (error) {
    log.warn('the API server does not say its version', { error: clusterWords(error) })
    return {}
  }
}

// A cluster that never lets us list its Services is served all the same: only warnings need them.
const LIST_WAIT_MS = 10_000

type Followers = readonly (
  Kube['services'] | Kube['accounts']['follower'] | Kube['namespaces']['follower']
)[]

/** Accounts where somebody asks for those of servers, by a right that comes with theirs. */
const followedBy = (
  { namespaces, services, accounts }: Kube,
  { floor }: Pick<ClusterConfig, 'floor'>,
): Followers => [
  namespaces.follower,
  services,
  ...(floor.ownServiceAccounts.length > 0 ? [accounts.follower] : []),
]

/** Waits until all that is followed has been listed, but not for ever: what is not known then is said. */
const listAll = async (followers: Followers, log: Log): Promise<void> => {
  const listed = Promise.all(followers.map((follower) => follower.start()))
  await Promise.race([listed, after(LIST_WAIT_MS, undefined, { ref: false })])
  for (const { resource } of followers.filter((each) => each.current() === undefined)) {
    log.warn(`serving before the ${resource} could be listed`, { waitedMs: LIST_WAIT_MS })
  }
}

/** Namespaces with what is followed of each. */
const surroundingsOf = (
  { namespaces, services, accounts }: Kube,
  config: () => ClusterConfig,
): Namespaces =>
  withAccounts(
    withServices(namespaces, (name) => services.current()?.of(name)),
    (name) => (asksOwnAccounts({ name }, config()) ? accounts.defaultOf(name) : undefined),
  )

/** Each change of the configuration is shown, and what a change of it or of the images takes the place of is kept for a while. */
const followFiles = (
  { config, images }: { readonly config: KeptFile<ClusterConfig>; readonly images: Images },
  onTaken: () => void,
  server: Pick<Webhook, 'reconfigured'>,
): void => {
  config.follow(FILES_CHECK_MS, (outcome) => {
    server.reconfigured(outcome === 'taken' ? config.current() : undefined)
    if (outcome === 'taken') onTaken()
  })
  images.follow(FILES_CHECK_MS, (outcome) => {
    if (outcome === 'taken') onTaken()
  })
}

/** What was in force a moment ago, of the whole that rendering goes by. */
const keepRecent = (whole: () => ClusterConfig) => {
  const recent = new RecentConfigs(whole(), () => performance.now())
  return { earlier: () => recent.all(), onTaken: () => recent.taken(whole()) }
}

const serve = async (
  options: Options,
  config: KeptFile<ClusterConfig>,
  log: Log,
): Promise<void> => {
  const kube = connectKube({ log, now: () => performance.now(), random: Math.random })
  const followers = [...followedBy(kube, config.current())]
  const lists = listAll(followers, log)
  const certificates = await openCertificates(kube, options, log)
  const images = await readImages(options.imagesFile, log)
  await lists
  const { host, port, adminPort, drainDelayMs } = options
  const facts = await clusterFacts(kube, log)
  const recent = keepRecent(() => ({ ...config.current(), ...facts, images: images.current() }))
  const server = await startServer({
    config: () => ({ ...config.current(), ...facts }),
    earlier: recent.earlier,
    images: () => images.current(),
    namespaces: surroundingsOf(kube, () => config.current()),
    pods: kube.pods,
    guarded: new GuardedLooks(kube.guarded),
    sleep: (ms) => after(ms, undefined, { ref: false }),
    followers,
    certificate: certificates.current(),
    isCertificateValid: () => certificates.isValid(),
    log,
    host,
    port,
    adminPort,
    drainDelayMs,
    now: () => performance.now(),
    memoryLimitBytes: process.constrainedMemory(),
  })
  const onTaken = (): void => {
    recent.onTaken()
    const more = followedBy(kube, config.current()).filter((each) => !followers.includes(each))
    // Metrics show them from then on.
    followers.push(...more)
    for (const follower of more) void follower.start()
  }
  followFiles({ config, images }, onTaken, server)
  certificates.follow(server)
  log.info('serving', { port: server.port, adminPort: server.adminPort })
  const stop = async (): Promise<void> => {
    log.info('draining')
    await server.close()
    certificates.close()
    images.close()
    config.close()
    for (const follower of followers) follower.close()
  }
  program.onEnd(stop, log)
}

const options = program.options(parseOptions, USAGE)
const log = program.log(options.logLevel)
serve(options, await program.config(options.configFile, log), log).catch((error: unknown) =>
  program.cannotStart(error),
)
