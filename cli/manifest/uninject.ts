// `outrigger uninject`: gives back the manifest's original meaning. Pure.

import { ownSidecar } from '../../webhook/inject/pod.ts'
import { readStatus } from '../../webhook/inject/status.ts'
import { runOverManifest, type ManifestOptions, type ManifestResult } from './manifest.ts'
import { restorePod } from './restore.ts'

/** Takes injection off every pod that bears it. */
export const uninjectManifest = (text: string, options: ManifestOptions): ManifestResult =>
  runOverManifest(text, options, ({ template, where }) => {
    const after = restorePod(template.pod)
    const isBlind = ownSidecar(template.pod) !== undefined && !readStatus(template.pod)
    const note = `${where}: warning: its outrigger.dev/status is missing or not ours: fields that injection filled in stay`
    return { after, mode: 'restore', isDenied: false, notes: isBlind ? [note] : [] }
  })
