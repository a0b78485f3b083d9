// Copies an npm package and all that it needs from this checkout's node_modules, so that an image
// has what `npm install` would have put there, without a registry.

import { cpSync, existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'

const manifest = z.object({
  version: z.string(),
  dependencies: z.record(z.string(), z.string()).default({}),
})

const REPOSITORY = join(import.meta.dirname, '../../..')
const MODULES = join(REPOSITORY, 'node_modules')

const read = (folder: string): z.output<typeof manifest> =>
  manifest.parse(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')))

export const versionOfPackage = (name: string): string => read(join(MODULES, name)).version

/** The folder in which Node would find a package required from another: nested first, then further up. */
const resolve = (name: string, from: string): string => {
  const folder = join(from, 'node_modules', name)
  return existsSync(folder) || from === REPOSITORY ? folder : resolve(name, dirname(from))
}

export interface InstalledPackage {
  readonly folder: string
  readonly name: string
  readonly version: string
}

/** Packages and all that they need, each installed folder once, the nearest first. */
export const closureOf = (names: readonly string[]): readonly InstalledPackage[] => {
  const found = new Map<string, InstalledPackage>()
  const visit = (name: string, from: string): void => {
    const folder = resolve(name, from)
    if (found.has(folder)) return
    const { version, dependencies } = read(folder)
    found.set(folder, { folder, name, version })
    for (const dependency of Object.keys(dependencies)) visit(dependency, folder)
  }
  for (const name of names) visit(name, REPOSITORY)
  return [...found.values()]
}

/** Fills `into` (a node_modules folder). What a package brings nested comes with it. */
export const copyPackages = (names: readonly string[], into: string): void => {
  for (const { folder, name } of closureOf(names)) {
    if (folder === join(MODULES, name)) {
      cpSync(folder, join(into, name), { recursive: true, verbatimSymlinks: true })
    }
  }
}
