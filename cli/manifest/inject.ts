// `outrigger inject`: the webhook's own render over a manifest, and its Services led to the sidecars. Pure.

import type { ClusterConfig } from '../../webhook/cluster/config.ts'
import type { Namespace } from '../../webhook/cluster/namespace.ts'
import { isToWait } from '../../webhook/inject/gate.ts'
import type { Outcome } from '../../webhook/inject/outcome.ts'
import { ownSidecar } from '../../webhook/inject/pod.ts'
import { admit } from '../../webhook/rules/admit.ts'
import { nameOf } from '../../webhook/workload/kinds.ts'
import { MCP_PORT } from '../../shared/names.ts'
import { stringAt, withAt, type JsonObject } from '../../shared/json.ts'
import {
  runOverManifest,
  type Judges,
  type ManifestOptions,
  type ManifestResult,
  type Verdict,
} from './manifest.ts'
import type { Manifest, Place } from './read-manifest.ts'
import { redirectionIn } from './redirect.ts'
import { leadToSidecar } from './service-status.ts'
import { SKIPPED } from './summary.ts'
import { lend } from './workload.ts'

export const STRICT =
  'the built-in cluster configuration is strict; name another with --config FILE (manifests/overlays/dev/config.yaml is for trying things out)'

/** Whether one of the reasons is that of a configuration which allows nothing unverified. */
export const isForStrictness = (violations: readonly { readonly code: string }[]): boolean =>
  violations.some(({ code }) => code === 'floor' || code === 'not-listed')

interface Around {
  readonly namespace: Namespace
  readonly config: ClusterConfig
}

/** As it came: the node of a pod that a cluster has given out was chosen by the scheduler, and no gate would let it be named. */
const asCreated = (pod: JsonObject, { namespace, config }: Around): JsonObject =>
  stringAt(pod, 'metadata', 'uid') !== undefined && isToWait(pod, namespace, config)
    ? withAt(pod, ['spec', 'nodeName'], undefined)
    : pod

/** What render decides on one pod of a manifest. */
export const decide = (
  { template, namespace }: Place,
  { config }: Pick<ManifestOptions, 'config'>,
): Outcome => {
  const { pod, workload, warnings } = lend(template)
  const { decided } = admit(asCreated(pod, { namespace, config }), namespace, config, workload)
  return { ...decided, warnings: [...warnings, ...decided.warnings] }
}

/** The lines that an outcome is worth: every reason, every warning. */
export const notesOn = (
  outcome: Outcome,
  where: string,
  { isDefaultConfig }: ManifestOptions,
): readonly string[] => {
  const warnings = outcome.warnings.map((warning) => `${where}: warning: ${warning}`)
  if (outcome.kind !== 'deny') return warnings
  const reasons = outcome.violations.map(({ message }) => `${where}: denied: ${message}`)
  const isStrict = isDefaultConfig && isForStrictness(outcome.violations)
  return [...warnings, ...reasons, ...(isStrict ? [`${where}: ${STRICT}`] : [])]
}

const leadService = (
  object: JsonObject,
  ports: ReadonlyMap<number, string>,
  where: string,
): Verdict => {
  const name = nameOf(object)
  const notes = [...ports].map(
    ([port, target]) =>
      `${where}: Service ${name}: warning: its port ${port} leads to the sidecar's ${MCP_PORT} now, in place of ${target}`,
  )
  const after = ports.size === 0 ? undefined : leadToSidecar(object, new Set(ports.keys()))
  return { after, mode: 'keep', isDenied: false, why: 'its ports need no change', notes }
}

/** Why a pod of such an outcome stays as it is, where it does. */
export const whyLeft = (outcome: Outcome): string =>
  outcome.kind === 'skip' ? SKIPPED[outcome.reason] : 'it is injected already'

/** Judges the pods of a manifest, and leads its Services to the sidecars; `told` hears of each outcome. */
export const judgesFor = (
  manifest: Manifest,
  options: ManifestOptions,
  told?: (place: Place, outcome: Outcome) => void,
): Judges => {
  const redirection = redirectionIn(manifest, options, (place) => decide(place, options))
  return {
    done: 'injected',
    pod: (place) => {
      const namespace = redirection.after(place.namespace)
      const outcome = decide({ ...place, namespace }, options)
      told?.(place, outcome)
      return {
        after: outcome.kind === 'inject' ? outcome.pod : undefined,
        // Injected again, what has to go is our own.
        mode: ownSidecar(place.template.pod) ? 'drop' : 'keep',
        isDenied: outcome.kind === 'deny',
        why: whyLeft(outcome),
        notes: notesOn(outcome, place.where, options),
      }
    },
    service: (object, where) => leadService(object, redirection.portsOf(object), where),
  }
}

/** Injects every pod that opts in, and leads Services to them; anything denied means exit code 1 and no output. */
export const injectManifest = (text: string, options: ManifestOptions): ManifestResult =>
  runOverManifest(text, options, (manifest) => judgesFor(manifest, options))
