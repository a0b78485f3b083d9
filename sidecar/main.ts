// The sidecar as a program, in a pod: configuration from the environment, signals, exit codes. The
// only file of the sidecar that touches the process.

import { fileURLToPath } from 'node:url'
import { podOf } from './life/pod.ts'
import { processOf } from './life/process.ts'
import { copyShim } from './life/shim-copy.ts'
import { startSidecar } from './sidecar.ts'
import { NO_IDENTITY } from '../shared/identity.ts'
import { createLog } from '../shared/log.ts'
import { messageOf, placedMessageOf } from '../shared/message.ts'
import { CONFIG_VARIABLE, POD_IPS_VARIABLE } from '../shared/names.ts'
import { parseSidecarConfig, type SidecarConfig } from '../shared/sidecar-config.ts'

/** As with `outrigger run`; whatever else fails is 1. */
const UNUSABLE_CONFIGURATION = 2

const refuse = (reasons: readonly string[]): never => {
  for (const reason of reasons) process.stderr.write(`outrigger-sidecar: ${reason}\n`)
  process.exit(UNUSABLE_CONFIGURATION)
}

const leaveShim = (dir: string): void => {
  try {
    copyShim(fileURLToPath(new URL('shim', import.meta.url)), dir)
  } catch (error) {
    process.stderr.write(
      `outrigger-sidecar: the shim cannot be left in ${dir}: ${messageOf(error)}\n`,
    )
    process.exit(1)
  }
}

const document = (): unknown => {
  const text = process.env[CONFIG_VARIABLE]
  if (text === undefined) {
    return refuse([
      `${CONFIG_VARIABLE} is not set; the webhook sets it (outrigger run serves a command on this machine)`,
    ])
  }
  try {
    return JSON.parse(text)
  } catch {
    return refuse([`${CONFIG_VARIABLE} is not JSON`])
  }
}

/** In a pod the server of somebody else listens on loopback. */
const isHere = ({ reach }: { readonly reach: string }): boolean => reach === 'loopback'

/** Hosts that are asked who may call. */
const hostsOf = ({
  issuers,
  trustDomains,
}: SidecarConfig): readonly { readonly reach: string }[] => [
  ...issuers.flatMap(({ hosts }) => hosts),
  ...trustDomains.flatMap(({ hosts = [] }) => hosts),
]

const isNobodyKnown = ({ settings, issuers, trustDomains }: SidecarConfig): boolean =>
  settings.auth !== 'none' && issuers.length === 0 && trustDomains.length === 0

const config = parseSidecarConfig(document())
const pod = podOf(process.env)
if (!config.ok) refuse(config.error.map((error) => `${CONFIG_VARIABLE}: ${error}`))
else if (isNobodyKnown(config.value)) {
  refuse([
    `${NO_IDENTITY}: list one in issuers; \`outrigger.dev/auth: none\` serves anybody, where the cluster configuration allows it`,
  ])
} else if (hostsOf(config.value).some(isHere)) {
  refuse([
    `${CONFIG_VARIABLE}: issuers and trustDomains: hosts: reach: loopback is the pod's own server; use private`,
  ])
} else if (config.value.isSupervised && pod.addresses.length === 0) {
  refuse([
    `${POD_IPS_VARIABLE} is not set; the webhook sets it to the pod's addresses (status.podIPs)`,
  ])
} else {
  const { settings, graceSeconds, binDir } = config.value
  const log = createLog({
    level: settings['log-level'],
    write: (line) => process.stderr.write(line),
    now: () => Date.now(),
  })
  if (settings.auth === 'none') log.warn('auth: none: anybody who reaches the port may call')
  if (binDir !== undefined) leaveShim(binDir)
  const starting = startSidecar({
    config: config.value,
    log,
    serverLog: log,
    now: () => performance.now(),
    wallMs: () => Date.now(),
    process: processOf(process, globalThis.gc),
    environment: process.env,
    pod,
  })
  const end = (): void => {
    starting
      .then((sidecar) => sidecar.drain(graceSeconds * 1000))
      .then(
        () => process.exit(0),
        (error: unknown) => {
          log.error('the drain failed', { error: messageOf(error) })
          process.exit(1)
        },
      )
  }
  // Before anything is waited for: the first process of a container gets no signal that it has not asked for.
  process.once('SIGTERM', end)
  process.once('SIGINT', end)
  starting.then(
    ({ port, adminPort }) => log.info('listening', { port, adminPort }),
    (error: unknown) => {
      log.error('it cannot start', { why: placedMessageOf(error) })
      process.exit(1)
    },
  )
}
