// A package index as plain files, for npm and for pip: of the packages that npm has put into this
// checkout's node_modules, and of wheels. Any server of files can be the registry then.

import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { run } from '../machine/run.ts'
import { closureOf, type InstalledPackage } from './package-closure.ts'

/** The host by which pods reach it: npm wants whole addresses of archives. */
export const PACKAGE_HOST = 'http://packages'

const packageManifest = (text: string): Readonly<Record<string, unknown>> => JSON.parse(text)

const packed = async (index: string, { folder, name, version }: InstalledPackage) => {
  const path = `archives/${name}-${version}.tgz`
  const file = join(index, path)
  mkdirSync(dirname(file), { recursive: true })
  const flags = ['--exclude=./node_modules', '--transform=s,^\\.,package,', '--mtime=@0']
  await run(['tar', '-C', folder, ...flags, '-czf', file, '.'])
  const integrity = createHash('sha512').update(readFileSync(file)).digest('base64')
  return { tarball: `${PACKAGE_HOST}/${path}`, integrity: `sha512-${integrity}` }
}

/** Fills npm's part: a document a package, with every version that is there. */
const fillNpm = async (index: string, names: readonly string[]): Promise<void> => {
  const documents = new Map<string, Record<string, unknown>>()
  let latest = new Map<string, string>()
  for (const one of closureOf(names)) {
    const { folder, name, version } = one
    const manifest = packageManifest(readFileSync(join(folder, 'package.json'), 'utf8'))
    const versions = documents.get(name) ?? {}
    versions[version] = { ...manifest, dist: await packed(index, one) }
    documents.set(name, versions)
    if (!latest.has(name)) latest = new Map([...latest, [name, version]])
  }
  for (const [name, versions] of documents) {
    const file = join(index, 'npm', name)
    mkdirSync(dirname(file), { recursive: true })
    const tags = { latest: latest.get(name) }
    writeFileSync(file, JSON.stringify({ name, 'dist-tags': tags, versions }))
  }
}

/** Fills pip's part: PEP 503. */
const fillSimple = (index: string, wheels: string): void => {
  cpSync(wheels, join(index, 'wheels'), { recursive: true })
  for (const wheel of readdirSync(wheels)) {
    const name = (wheel.split('-')[0] ?? '').toLowerCase().replaceAll(/[-_.]+/g, '-')
    const digest = createHash('sha256')
      .update(readFileSync(join(wheels, wheel)))
      .digest('hex')
    mkdirSync(join(index, 'simple', name), { recursive: true })
    const page = `<!DOCTYPE html><html><body><a href="/wheels/${wheel}#sha256=${digest}">${wheel}</a></body></html>`
    writeFileSync(join(index, 'simple', name, 'index.html'), page)
  }
}

/** Fills a folder with the npm packages, all that they need, and the wheels. */
export const fillPackageIndex = async (
  index: string,
  npmPackages: readonly string[],
  wheels: string,
): Promise<void> => {
  await fillNpm(index, npmPackages)
  fillSimple(index, wheels)
}
