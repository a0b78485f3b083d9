// `outrigger inject`: the webhook's own render over a manifest. Pure.

import { render } from '../../webhook/inject/render.ts'
import type { Outcome } from '../../webhook/inject/outcome.ts'
import { ownSidecar } from '../../webhook/inject/pod.ts'
import {
  runOverManifest,
  type ManifestOptions,
  type ManifestResult,
  type Verdict,
} from './manifest.ts'
import type { Place } from './read-manifest.ts'
import { lend } from './workload.ts'

const STRICT =
  'the built-in cluster configuration is strict; name another with --config FILE (manifests/overlays/dev/config.yaml is for trying things out)'

/** What render decides on one pod of a manifest. */
export const decide = (
  { template, namespace }: Place,
  { config }: Pick<ManifestOptions, 'config'>,
): Outcome => {
  const { pod, workload, warnings } = lend(template)
  const outcome = render(pod, namespace, config, workload)
  return { ...outcome, warnings: [...warnings, ...outcome.warnings] }
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
  const isStrict = outcome.violations.some(({ code }) => code === 'floor' || code === 'not-built')
  return [...warnings, ...reasons, ...(isDefaultConfig && isStrict ? [`${where}: ${STRICT}`] : [])]
}

/** Injects every pod that opts in; anything denied means exit code 1 and no output. */
export const injectManifest = (text: string, options: ManifestOptions): ManifestResult =>
  runOverManifest(text, options, (place): Verdict => {
    const outcome = decide(place, options)
    return {
      after: outcome.kind === 'inject' ? outcome.pod : undefined,
      // Injected again, what has to go is our own.
      mode: ownSidecar(place.template.pod) ? 'drop' : 'keep',
      isDenied: outcome.kind === 'deny',
      notes: notesOn(outcome, place.where, options),
    }
  })
