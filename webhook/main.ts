// Composition root of the webhook: the only place that reads argv, files and signals, and exits.
// `webhook` serves admission; it is ready when it has its certificate, the namespaces and Services,
// and the API server's trust.

import { randomBytes } from 'node:crypto'
import { setTimeout as after } from 'node:timers/promises'
import { createKeyPair } from '../certs/keys.ts'
import {
  createLeaf,
  keepRenewing,
  LEAF_LIFETIME_MS,
  type LeafOptions,
} from '../certs/leaf-source.ts'
import { ensureAuthority } from '../certs/stored-authority.ts'
import { AUTHORITY_LIFETIME_MS, createAuthority, type Authority } from '../certs/x509.ts'
import { EMPTY_INDEX, MAX_INDEX_BYTES, type ImageIndex } from '../shared/image-index.ts'
import { messageOf } from '../shared/message.ts'
import { clusterWords } from './kube/words.ts'
import { createLog, type Log } from '../shared/log.ts'
import type { KeptFile } from '../shared/kept-file.ts'
import { textFile } from '../shared/text-source.ts'
import type { ClusterConfig } from './cluster/config.ts'
import { openConfig } from './cluster/config-file.ts'
import { RecentConfigs } from './cluster/recent.ts'
import { withServices } from './cluster/namespace.ts'
import { keepIndex } from './images/index-file.ts'
import { connectKube, type Kube } from './kube/client.ts'
import { parseOptions, USAGE, type Options } from './options.ts'
import { startServer, type Webhook } from './server.ts'

const CA_BUNDLE_CHECK_MS = 60_000
// A kubelet takes up to a minute to write a changed ConfigMap.
const FILES_CHECK_MS = 2000

const schedule = (callback: () => void, delayMs: number): (() => void) => {
  const timer = setTimeout(callback, delayMs)
  return () => clearTimeout(timer)
}

const exit = (code: number, lines: readonly string[], help = ''): never => {
  process.stderr.write(lines.map((line) => `outrigger webhook: ${line}\n`).join('') + help)
  process.exit(code)
}

const readOptions = (): Options => {
  const options = parseOptions(process.argv.slice(2))
  return options.ok ? options.value : exit(2, options.error, USAGE)
}

/** No ConfigMap holds more. */
const source = (file: string) => textFile(file, MAX_INDEX_BYTES)

const readConfig = async (file: string, log: Log): Promise<KeptFile<ClusterConfig>> => {
  const config = await openConfig({ source: source(file), log })
  if (config.ok) return config.value
  return exit(
    2,
    config.error.map((line) => `${file}: ${line}`),
  )
}

type Images = Pick<KeptFile<ImageIndex>, 'current' | 'follow' | 'close'>

/** The image index as it is now. */
const readImages = async (file: string | undefined, log: Log): Promise<Images> => {
  if (file === undefined) return { current: () => EMPTY_INDEX, follow: () => {}, close: () => {} }
  const index = keepIndex({ source: source(file), log })
  await index.refresh()
  return index
}

const newAuthority = async (): Promise<Authority> =>
  createAuthority({
    keys: await createKeyPair(),
    now: new Date(),
    serial: randomBytes(16),
    lifetimeMs: AUTHORITY_LIFETIME_MS,
  })

/** The shared authority, or the end of the process: a pod that restarts is seen. */
const findAuthority = async (kube: Kube, { namespace, caSecret }: Options): Promise<Authority> => {
  const store = kube.authorityStore(namespace, caSecret)
  const authority = await ensureAuthority(store, newAuthority, new Date())
  return authority.ok
    ? authority.value
    : exit(1, [`Secret ${namespace}/${caSecret}: ${authority.error}`])
}

/** Puts the authority into our webhook configuration now, and again whenever somebody drops it. */
const keepCaBundle = async (
  kube: Kube,
  configuration: string,
  pem: string,
  log: Log,
): Promise<{ close(): void }> => {
  const check = async (): Promise<void> => {
    if (await kube.setCaBundle(configuration, pem)) log.info('caBundle written', { configuration })
  }
  await check()
  const timer = setInterval(() => {
    check().catch((error: unknown) =>
      log.warn('caBundle cannot be checked', { error: clusterWords(error) }),
    )
  }, CA_BUNDLE_CHECK_MS)
  return { close: () => clearInterval(timer) }
}

const leafOptions = (authority: Authority, { service, namespace }: Options): LeafOptions => ({
  authority,
  names: [`${service}.${namespace}.svc`, `${service}.${namespace}`, service],
  lifetimeMs: LEAF_LIFETIME_MS,
  now: () => new Date(),
  randomBytes,
})

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

type Followers = readonly (Kube['services'] | Kube['namespaces']['follower'])[]

/** Waits until all that is followed has been listed, but not for ever: what is not known then is said. */
const listAll = async (followers: Followers, log: Log): Promise<void> => {
  const listed = Promise.all(followers.map((follower) => follower.start()))
  await Promise.race([listed, after(LIST_WAIT_MS, undefined, { ref: false })])
  for (const { resource } of followers.filter((each) => each.current() === undefined)) {
    log.warn(`serving before the ${resource} could be listed`, { waitedMs: LIST_WAIT_MS })
  }
}

/** Ends in order when it is asked to. */
const onEnd = (stop: () => Promise<void>, log: Log): void => {
  const stopAndExit = (): void => {
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error('the drain failed', { error: messageOf(error) })
        process.exit(1)
      },
    )
  }
  process.once('SIGTERM', stopAndExit)
  process.once('SIGINT', stopAndExit)
}

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
  const followers = [kube.namespaces.follower, kube.services]
  const lists = listAll(followers, log)
  const authority = await findAuthority(kube, options)
  const create = () => createLeaf(leafOptions(authority, options))
  const leaf = await create()
  const caBundle = await keepCaBundle(kube, options.configuration, authority.certificatePem, log)
  const images = await readImages(options.imagesFile, log)
  await lists
  const { host, port, adminPort, drainDelayMs } = options
  const facts = await clusterFacts(kube, log)
  const recent = keepRecent(() => ({ ...config.current(), ...facts, images: images.current() }))
  const server = await startServer({
    config: () => ({ ...config.current(), ...facts }),
    earlier: recent.earlier,
    images: () => images.current(),
    namespaces: withServices(kube.namespaces, (name) => kube.services.current()?.of(name)),
    pods: kube.pods,
    sleep: (ms) => after(ms, undefined, { ref: false }),
    followers,
    certificate: leaf,
    log,
    host,
    port,
    adminPort,
    drainDelayMs,
    now: () => performance.now(),
    memoryLimitBytes: process.constrainedMemory(),
  })
  followFiles({ config, images }, recent.onTaken, server)
  const renewal = keepRenewing({
    leaf,
    create,
    onLeaf: (next) => {
      server.renew(next)
      log.info('certificate renewed', { until: next.notAfter.toISOString() })
    },
    onError: (error) => log.error('certificate cannot be renewed', { error: messageOf(error) }),
    now: () => new Date(),
    random: Math.random,
    schedule,
  })
  log.info('serving', { port: server.port, adminPort: server.adminPort })
  const stop = async (): Promise<void> => {
    log.info('draining')
    await server.close()
    renewal.close()
    caBundle.close()
    images.close()
    config.close()
    for (const follower of followers) follower.close()
  }
  onEnd(stop, log)
}

const options = readOptions()
const log = createLog({
  level: options.logLevel,
  write: (line) => process.stdout.write(line),
  now: Date.now,
})
serve(options, await readConfig(options.configFile, log), log).catch((error: unknown) => {
  exit(1, [`cannot start: ${clusterWords(error)}`])
})
