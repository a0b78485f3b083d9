// `outrigger uninject`: gives back the manifest's original meaning. Pure.

import { ownSidecar } from '../../webhook/inject/pod.ts'
import { readStatus } from '../../webhook/inject/status.ts'
import {
  runOverManifest,
  type ManifestOptions,
  type ManifestResult,
  type Verdict,
} from './manifest.ts'
import type { Place } from './read-manifest.ts'
import { restorePod } from './restore.ts'
import { leadBack } from './service-status.ts'

const restore = ({ template, where }: Place): Verdict => {
  const after = restorePod(template.pod)
  const isBlind = ownSidecar(template.pod) !== undefined && !readStatus(template.pod)
  const note = `${where}: warning: its outrigger.dev/status is missing or not ours: fields that injection filled in stay`
  return {
    after,
    mode: 'restore',
    isDenied: false,
    why: 'it bears nothing of ours',
    notes: isBlind ? [note] : [],
  }
}

/** Takes injection off every pod that bears it, and leads Services back. */
export const uninjectManifest = (text: string, options: ManifestOptions): ManifestResult =>
  runOverManifest(text, options, () => ({
    done: 'given back',
    pod: restore,
    service: (object) => ({
      after: leadBack(object),
      mode: 'restore',
      isDenied: false,
      why: 'it bears nothing of ours',
      notes: [],
    }),
  }))
