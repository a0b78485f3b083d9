// `outrigger dev`: renders a manifest exactly as the webhook would and runs the resulting pods on
// this machine, for trying a manifest without a cluster.

import { objectsAt, stringAt } from '../../shared/json.ts'
import { oneLine } from '../../shared/one-line.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import type { ClusterConfig } from '../../webhook/cluster/config.ts'
import type { Outcome } from '../../webhook/inject/outcome.ts'
import { defineCommand, tell, type Io } from '../command/command.ts'
import { decide } from '../manifest/inject.ts'
import { placesOf, readManifest, type Place } from '../manifest/read-manifest.ts'
import { readConfig } from '../command/read-config.ts'
import { readText } from '../command/read-text.ts'
import { aborted } from '../command/signal.ts'
import { DEV_FLAGS, readDevFlags, type DevFlags } from './dev-flags.ts'
import { localPod, type LocalPod, type Surroundings } from './local-pod.ts'
import { runPod, type RunningPod } from './run-pod.ts'
import { suppliesIn } from './supplies.ts'
import { readTold, type Told } from './told.ts'

interface LocalPlace extends LocalPod {
  readonly where: string
}

interface Named {
  readonly where: string
  readonly around: Surroundings
  readonly outcome: Outcome
}

type Reasons = readonly string[]

const NAMESPACE = 'default'

/** The volumes that flags name and no pod has. */
const volumesLost = ({ directories }: Told, places: readonly Place[]): readonly string[] => {
  const names = new Set(
    places.flatMap(({ template }) =>
      objectsAt(template.pod, 'spec', 'volumes').map((volume) => stringAt(volume, 'name') ?? ''),
    ),
  )
  return [...directories.keys()]
    .filter((name) => !names.has(name))
    .map((name) => {
      const has =
        names.size === 0 ? 'they have none' : `they have ${[...names].slice(0, 20).join(', ')}`
      return `--volume ${name}: no pod of the manifest has such a volume; ${has}`
    })
}

/** Every pod of a manifest with what render decides on it, and what it finds around it. */
const decided = (
  text: string,
  file: string,
  config: ClusterConfig,
  told: Told,
): Result<readonly Named[], Reasons> => {
  const options = { file, namespace: NAMESPACE, namespaces: [] }
  const manifest = readManifest(text, options)
  if (!manifest.ok) return manifest
  const { documents } = manifest.value
  const supplies = suppliesIn(documents, NAMESPACE)
  if (!supplies.ok) return supplies
  const places = documents.flatMap((document) => placesOf(document, manifest.value, options))
  const lost = volumesLost(told, places)
  if (lost.length > 0) return fail(lost)
  return ok(
    places.map((place) => ({
      where: `${place.template.kind}/${place.template.name}`,
      around: {
        name: place.template.name,
        namespace: place.namespace.name,
        supplies: supplies.value,
        ...told,
      },
      outcome: decide(place, { config }),
    })),
  )
}

/** The pod of one outcome, if it is injected, or the reasons why it cannot run. */
const localPlace = (
  { where, outcome, around }: Named,
  port: number,
): Result<LocalPlace | undefined, Reasons> => {
  if (outcome.kind === 'skip') return ok(undefined)
  if (outcome.kind === 'deny') {
    return fail(outcome.violations.map(({ message }) => `${where}: denied: ${message}`))
  }
  const pod = localPod(outcome.pod, port, around)
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

/** What is asked for, or everything that stands in its way. */
const readAll = async (flags: DevFlags, io: Io): Promise<Result<readonly Named[], Reasons>> => {
  const text = await readText(flags.file)
  const config = await readConfig(flags.config)
  const told = await readTold(flags, io)
  if (text.ok && config.ok && told.ok)
    return decided(text.value, flags.file, config.value, told.value)
  return fail([
    ...(text.ok ? [] : [text.error]),
    ...(config.ok ? [] : config.error),
    ...(told.ok ? [] : told.error),
  ])
}

const run = async (flags: DevFlags, io: Io): Promise<number> => {
  const named = await readAll(flags, io)
  const pods = named.ok ? runnable(named.value, flags.port, io) : named
  if (pods.ok) return serve(pods.value, io)
  for (const error of pods.error) tell(io, 'dev', error)
  return 1
}

export const dev = defineCommand({
  name: 'dev',
  synopsis: '-f FILE|- [flags]',
  about:
    "Renders the manifest as the webhook would and runs each injected pod's server and sidecar as processes on this\nmachine. Programs are looked for in node_modules/.bin first. Secrets and ConfigMaps of the manifest serve\nvariables and volumes; what only a cluster has is named, with the flag that gives it.",
  flags: DEV_FLAGS,
  cleansUp: true,
  readFlags: readDevFlags,
  run,
})
