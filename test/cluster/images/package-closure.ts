// Copies an npm package and all that it needs from this checkout's node_modules, so that an image
// has what `npm install` would have put there, without a registry.

import { cpSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

const manifest = z.object({
  version: z.string(),
  dependencies: z.record(z.string(), z.string()).default({}),
})

const MODULES = join(import.meta.dirname, '../../../node_modules')

const read = (folder: string): z.output<typeof manifest> =>
  manifest.parse(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')))

export const versionOfPackage = (name: string): string => read(join(MODULES, name)).version

/** The folder in which Node would find a package required from another: nested first, then flat. */
const resolve = (name: string, from: string): string => {
  const nested = join(from, 'node_modules', name)
  return existsSync(nested) ? nested : join(MODULES, name)
}

/** Fills `into` (a node_modules folder). What a package brings nested comes with it. */
export const copyPackages = (names: readonly string[], into: string): void => {
  const seen = new Set<string>()
  const copy = (name: string, from: string): void => {
    const folder = resolve(name, from)
    if (seen.has(folder)) return
    seen.add(folder)
    if (folder === join(MODULES, name)) {
      cpSync(folder, join(into, name), { recursive: true, verbatimSymlinks: true })
    }
    for (const dependency of Object.keys(read(folder).dependencies)) copy(dependency, folder)
  }
  for (const name of names) copy(name, MODULES)
}
