// `outrigger dev`: renders a manifest exactly as the webhook would and runs the resulting pods on
// this machine, for trying a manifest without a cluster.

import { fileURLToPath } from 'node:url'
import { oneLine } from '../../shared/one-line.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import type { ClusterConfig } from '../../webhook/cluster/config.ts'
import type { Outcome } from '../../webhook/inject/outcome.ts'
import { defineCommand, type Io } from '../command/command.ts'
import type { FlagTable, Given } from '../command/flags.ts'
import { oneFile } from '../command/file-flag.ts'
import { decide } from '../manifest/inject.ts'
import { placesIn } from '../manifest/read-manifest.ts'
import { parsePort } from '../command/port.ts'
import { readConfig } from '../command/read-config.ts'
import { readText } from '../command/read-text.ts'
import { aborted } from '../command/signal.ts'
import { localPod, type LocalPod } from './local-pod.ts'
import { runPod, type RunningPod } from './run-pod.ts'

const DEV_CONFIG = fileURLToPath(
  new URL('../../manifests/overlays/dev/config.yaml', import.meta.url),
)

interface Flags {
  readonly file: string
  readonly config: string
  readonly port: number
}

const FLAGS = {
  file: { short: 'f', value: 'FILE', doc: 'the manifest, YAML or JSON; - reads standard input' },
  config: {
    value: 'FILE',
    doc: 'the cluster configuration (default: the one of manifests/overlays/dev, which allows callers without a token)',
  },
  port: {
    value: 'N',
    doc: "port of the first pod's MCP endpoint, 0 for any; the others get free ones",
    default: '0',
  },
} as const satisfies FlagTable

const readFlags = ({ text, texts }: Given): Result<Flags, string> => {
  const file = oneFile(texts('file'), 'say which manifest to run: -f FILE')
  if (!file.ok) return file
  const port = parsePort('port', text('port') ?? '')
  if (!port.ok) return port
  return ok({ file: file.value, config: text('config') ?? DEV_CONFIG, port: port.value })
}

interface LocalPlace extends LocalPod {
  readonly where: string
}

interface Named {
  readonly where: string
  readonly outcome: Outcome
}

type Reasons = readonly string[]

/** Every pod of a manifest with what render decides on it. */
const decided = (
  text: string,
  file: string,
  config: ClusterConfig,
): Result<readonly Named[], Reasons> => {
  const places = placesIn(text, { file, namespace: 'default', namespaces: [] })
  if (!places.ok) return places
  return ok(
    places.value.map((place) => ({
      where: `${place.template.kind}/${place.template.name}`,
      outcome: decide(place, { config }),
    })),
  )
}

/** The pod of one outcome, if it is injected, or the reasons why it cannot run. */
const localPlace = (
  { where, outcome }: Named,
  port: number,
): Result<LocalPlace | undefined, Reasons> => {
  if (outcome.kind === 'skip') return ok(undefined)
  if (outcome.kind === 'deny') {
    return fail(outcome.violations.map(({ message }) => `${where}: denied: ${message}`))
  }
  const pod = localPod(outcome.pod, port)
  return pod.ok ? ok({ ...pod.value, where }) : fail(pod.error.map((error) => `${where}: ${error}`))
}

/** The pods that can run here; every reason why one cannot. */
const runnable = (
  named: readonly Named[],
  port: number,
  io: Io,
): Result<readonly LocalPlace[], Reasons> => {
  const errors: string[] = []
  const pods: LocalPlace[] = []
  for (const each of named) {
    const { where, outcome } = each
    for (const warning of outcome.warnings)
      io.stderr(`${oneLine(`${where}: warning: ${warning}`)}\n`)
    if (outcome.kind === 'skip') io.stderr(`${oneLine(where)}: not injected (${outcome.reason})\n`)
    const pod = localPlace(each, pods.length === 0 ? port : 0)
    if (!pod.ok) errors.push(...pod.error)
    else if (pod.value) pods.push(pod.value)
  }
  if (errors.length > 0) return fail(errors)
  return pods.length > 0
    ? ok(pods)
    : fail(['no pod of the manifest is injected, so there is nothing to run'])
}

const serve = async (pods: readonly LocalPlace[], io: Io): Promise<number> => {
  const running: RunningPod[] = []
  try {
    for (const pod of pods) {
      for (const note of pod.notes) io.stderr(`${oneLine(`${pod.where}: ${note}`)}\n`)
      const started = await runPod(pod, 'warn', io)
      if (started === undefined) return 0
      running.push(started)
      io.stdout(`outrigger: ${pod.where} (${pod.server}) on ${started.url}\n`)
      io.stdout(`outrigger: its health and metrics on ${started.metricsUrl}\n`)
    }
    const end = await Promise.race([aborted(io.signal), ...running.map(({ over }) => over)])
    if (end === 'signal') return 0
    io.stderr(`outrigger dev: ${end}\n`)
    return 1
  } finally {
    await Promise.all(running.map(({ close }) => close()))
  }
}

const run = async (flags: Flags, io: Io): Promise<number> => {
  const text = await readText(flags.file)
  const config = await readConfig(flags.config)
  const named = !text.ok
    ? fail([text.error])
    : config.ok
      ? decided(text.value, flags.file, config.value)
      : config
  const pods = named.ok ? runnable(named.value, flags.port, io) : named
  if (pods.ok) return serve(pods.value, io)
  for (const error of pods.error) io.stderr(`outrigger dev: ${oneLine(error)}\n`)
  return 1
}

export const dev = defineCommand({
  name: 'dev',
  synopsis: '-f FILE|- [flags]',
  about:
    "Renders the manifest as the webhook would and runs each injected pod's server and sidecar as processes on this\nmachine. Programs are looked for in node_modules/.bin first.",
  flags: FLAGS,
  cleansUp: true,
  readFlags,
  run,
})
