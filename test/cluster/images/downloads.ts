// What images are made of that comes from a registry of packages: npm itself, and Python wheels, by
// their digests. Kept in the cache; inside a cluster there is no way to them.

import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { run, words } from '../machine/run.ts'
import { once } from './once.ts'

/** The npm of the images that have one: what `npm install` here runs is the machine's own. */
export const NPM = {
  name: 'npm@11.6.2',
  integrity:
    'sha512-7iKzNfy8lWYs3zq4oFPa8EXZz5xt9gQNKJZau3B1ErLBb6bF7sBJ00x09485DOvRT2l5Gerbl3VlZNT57MxJVA==',
}

const integrityOf = (file: string): string =>
  `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}`

/** A folder with npm's package as it would be installed. */
export const npmPackage = (cache: string): Promise<string> =>
  once(join(cache, 'downloads', NPM.name), async (folder) => {
    await run([...words('npm pack --silent'), NPM.name, '--pack-destination', folder])
    const [archive = ''] = readdirSync(folder)
    const path = join(folder, archive)
    if (integrityOf(path) !== NPM.integrity) throw new Error(`${NPM.name} is not the pinned one`)
    await run(['tar', '-C', folder, '-xzf', path])
  })

const WHEELS = join(import.meta.dirname, 'wheels.txt')

/** Changes with what wheels.txt says. */
export const wheelsDigest = (): string =>
  createHash('sha256').update(readFileSync(WHEELS)).digest('hex').slice(0, 12)

/** A folder with the wheels of wheels.txt. */
export const wheels = (cache: string): Promise<string> =>
  once(join(cache, 'downloads', `wheels-${wheelsDigest()}`), async (folder) => {
    await run([
      ...words('python3 -m pip download --quiet --no-deps --only-binary=:all: --require-hashes'),
      ...words('--python-version 3.11 --platform manylinux_2_28_x86_64'),
      ...words('--platform manylinux2014_x86_64 --dest'),
      folder,
      '--requirement',
      WHEELS,
    ])
  })
