// What our images have of their base: Node, the libraries that it loads, and how names are looked up. No shell and no
// package manager come with that. The Dockerfiles run it in the base, by the base's own Node:
//   node image.ts BILL ROOT [LIBC]
// It fills ROOT, and puts BILL there with what of the base is in it, and whose C library is linked into the shim, as LIBC says.

import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { objectsAt, stringAt, type JsonObject } from './shared/json.ts'

const [, , bill = '', root = '', libc] = process.argv

const put = (from: string, to: string): void => {
  mkdirSync(dirname(join(root, to)), { recursive: true })
  copyFileSync(from, join(root, to))
  chmodSync(join(root, to), 0o755)
}

const write = (to: string, text: string): void => {
  mkdirSync(dirname(join(root, to)), { recursive: true })
  writeFileSync(join(root, to), text)
  chmodSync(join(root, to), 0o444)
}

/** What a program says, or nothing: not every base has one. */
const said = (program: string, ...args: readonly string[]): string =>
  spawnSync(program, args, { encoding: 'utf8' }).stdout ?? ''

/** By the paths at which they are looked for, the loader among them. */
const loadedWith = (file: string): readonly string[] =>
  execFileSync('ldd', [file], { encoding: 'utf8' }).match(/\/[^\s()]+/g) ?? []

/** By what glibc looks names up: itself from 2.34 on. Before, it loads these when it is asked for one, and nothing tells of them. */
const NAME_SERVICES = ['libnss_dns.so.2', 'libnss_files.so.2']
const OWN_SINCE = 34

/** Empty where nothing says it. */
const glibcVersion = (): string => /^ldd .* (2\.\d+)$/m.exec(said('ldd', '--version'))?.[1] ?? ''

const nameServices = (loaded: readonly string[]): readonly string[] => {
  const libc = loaded.find((library) => library.endsWith('/libc.so.6'))
  const version = glibcVersion()
  if (libc === undefined || Number(version.slice(2)) >= OWN_SINCE) return []
  const libraries = NAME_SERVICES.map((name) => join(dirname(libc), name))
  const lacking = libraries.filter((library) => !existsSync(library))
  if (lacking.length > 0) {
    process.stderr.write(
      `image.ts: this base's glibc (${version || 'of no known version'}) looks names up by ${lacking.join(' and ')}, which it lacks: no host would be found. Take another base as NODE_IMAGE, such as node:24-slim\n`,
    )
    process.exit(1)
  }
  return libraries
}

const libraries = (): readonly string[] => {
  const loaded = loadedWith(process.execPath)
  const late = nameServices(loaded)
  return [...new Set([...loaded, ...late, ...late.flatMap(loadedWith)])].sort()
}

const osRelease = (): string => {
  try {
    return readFileSync('/etc/os-release', 'utf8')
  } catch {
    return ''
  }
}

const SYSTEM = /^ID="?([\w.-]+)/m.exec(osRelease())?.[1] ?? 'unknown'

const fileOf = (library: string): JsonObject => ({
  type: 'file',
  name: library,
  hashes: [
    { alg: 'SHA-256', content: createHash('sha256').update(readFileSync(library)).digest('hex') },
  ],
})

/** The package that a library is of; the file itself where no dpkg knows it. */
const componentOf = (library: string): JsonObject => {
  // The same file where /lib is a link to /usr/lib, which dpkg does not know.
  const names = [library, join('/usr', library), realpathSync(library)]
  const [, owner] = /^([^\s:]+(?::\w+)?): \//m.exec(said('dpkg-query', '-S', ...names)) ?? []
  if (owner === undefined) return fileOf(library)
  const format = '${Package}\t${Version}\t${Architecture}'
  const [name, version, arch] = said('dpkg-query', '-W', '-f', format, owner).split('\t')
  if (name === undefined || version === undefined || arch === undefined) return fileOf(library)
  const path = [name, version].map((word) => encodeURIComponent(word)).join('@')
  const purl = `pkg:deb/${SYSTEM}/${path}?arch=${arch}`
  return { type: 'library', 'bom-ref': purl, name, version, purl }
}

const node = (): JsonObject => {
  const { node: version } = process.versions
  return {
    type: 'application',
    'bom-ref': `node@${version}`,
    name: 'node',
    version,
    cpe: `cpe:2.3:a:nodejs:node.js:${version}:*:*:*:*:*:*:*`,
    purl: `pkg:generic/node@${version}`,
  }
}

const APK = ['alpine', 'chainguard', 'wolfi']

/** By a line of a system, a version and an architecture; where there is but the first, nobody knows which it is. */
const linked = (line: string): JsonObject => {
  const [system = '', version, arch] = line.trim().split(/\s+/)
  const musl = { type: 'library', 'bom-ref': 'musl', name: 'musl' }
  if (version === undefined || arch === undefined) return musl
  const [upstream = ''] = version.split('-')
  return {
    ...musl,
    version,
    cpe: `cpe:2.3:a:musl-libc:musl:${upstream}:*:*:*:*:*:*:*`,
    purl: `pkg:${APK.includes(system) ? 'apk' : 'deb'}/${system}/musl-dev@${encodeURIComponent(version)}?arch=${arch}`,
  }
}

const found = libraries()
put(process.execPath, 'usr/local/bin/node')
for (const library of found) put(library, library)
// What glibc falls back to where nothing says it differs from version to version.
write('etc/nsswitch.conf', 'hosts: files dns\n')

const text: unknown = JSON.parse(readFileSync(bill, 'utf8'))
const ours = Object(text)
const ofBase = new Map(
  found.map(componentOf).map((one) => [stringAt(one, 'purl') ?? stringAt(one, 'name'), one]),
)
const ofShim = libc === undefined ? [] : [linked(readFileSync(libc, 'utf8'))]
const components = [...objectsAt(ours, 'components'), node(), ...ofBase.values(), ...ofShim]
write('app/sbom.cdx.json', `${JSON.stringify({ ...ours, components }, null, 2)}\n`)
