// manifests/examples: what somebody copies has to work as it stands there.

import { readdirSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { injectManifest } from '../../cli/manifest/inject.ts'
import type { ManifestOptions } from '../../cli/manifest/manifest.ts'
import { readClusterConfig } from '../../webhook/cluster/config.ts'
import { read, ROOT } from '../support/shipped-manifests.ts'

describe('examples', () => {
  const files = readdirSync(new URL('examples/', ROOT))
  const optionsFor = (path: string): ManifestOptions => {
    const config = readClusterConfig(read(path))
    if (!config.ok) throw new Error(config.error.join())
    const common = { file: 'example', isDefaultConfig: false, namespace: 'default', namespaces: [] }
    return { ...common, config: config.value }
  }

  test.each(files)(
    '%s is injected by the configuration for trying out, without a warning',
    (file) => {
      const result = injectManifest(
        read(`examples/${file}`),
        optionsFor('overlays/dev/config.yaml'),
      )
      expect(result).toMatchObject({ stderr: '', exitCode: 0 })
      expect(result.stdout).toContain('outrigger-sidecar')
    },
  )

  test.each(files)('%s is refused by the strict base', (file) => {
    const { stderr, exitCode } = injectManifest(
      read(`examples/${file}`),
      optionsFor('base/config.yaml'),
    )
    expect(exitCode).toBe(1)
    expect(stderr).toContain('allowAnonymous')
  })
})
