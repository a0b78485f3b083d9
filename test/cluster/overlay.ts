// A kustomization of a test's own over what manifests/ has: another configuration, and whatever else it says.

import { writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { Json } from './api.ts'

const MANIFESTS = join(import.meta.dirname, '../../manifests')

export interface Overlay {
  /** Below manifests/. */
  readonly on: 'base' | 'overlays/dev'
  /** The cluster configuration, in YAML. */
  readonly config: string
  /** Further members. */
  readonly more?: Json
}

/** Writes it into a folder; gives that. */
export const writeOverlay = (folder: string, { on, config, more = {} }: Overlay): string => {
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    namespace: 'outrigger-system',
    resources: [relative(folder, join(MANIFESTS, on))],
    configMapGenerator: [
      {
        name: 'outrigger-config',
        behavior: 'replace',
        files: ['config.yaml'],
        options: { disableNameSuffixHash: true },
      },
    ],
    ...more,
  }
  writeFileSync(join(folder, 'config.yaml'), config)
  writeFileSync(join(folder, 'kustomization.yaml'), JSON.stringify(kustomization))
  return folder
}
