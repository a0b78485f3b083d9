// The images of real MCP servers that the tests run: an npm server in a glibc and in a musl root,
// and one static program alone. Packed once a version and kept in the cache.

import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { copyPackages, versionOfPackage } from './package-closure.ts'
import { glibcRoot, muslRoot } from './roots.ts'
import { packBinary, packRoot } from './single-binary.ts'

/** The kinds of image in which a server comes. */
export const SERVER_KINDS = ['glibc', 'musl', 'static'] as const
export type ServerKind = (typeof SERVER_KINDS)[number]

const PACKAGES = [
  '@modelcontextprotocol/server-everything',
  '@modelcontextprotocol/server-filesystem',
  '@modelcontextprotocol/server-memory',
]

/** The image's name in the cluster. */
export const serverImage = (kind: ServerKind): string => `outrigger.test/server-${kind}:1`

/** What a user would write as the container's command. */
export const serverCommand = (kind: ServerKind): readonly string[] =>
  kind === 'static'
    ? ['/mcp-server']
    : ['node', `/app/node_modules/${PACKAGES[0]}/dist/index.js`, 'stdio']

const packNodeImage = async (kind: ServerKind, base: string, archive: string): Promise<void> => {
  const config = { user: '1000', workingDir: '/app', cmd: [...serverCommand(kind)] }
  await packRoot(archive, serverImage(kind), config, async (root) => {
    cpSync(base, root, { recursive: true, verbatimSymlinks: true })
    const modules = join(root, 'app/node_modules')
    mkdirSync(modules, { recursive: true })
    copyPackages(PACKAGES, modules)
  })
}

const digest = (parts: readonly string[]): string =>
  createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 12)

export interface ServerImageOptions {
  readonly cache: string
  /** The static server, built from go/mcp-server. */
  readonly staticServer: string
}

const basesOf = (cache: string) => ({ glibc: () => glibcRoot(cache), musl: () => muslRoot(cache) })

/** The archive of a server's image; makes it unless it is there. */
export const serverArchive = async (
  kind: ServerKind,
  { cache, staticServer }: ServerImageOptions,
): Promise<string> => {
  if (kind === 'static') {
    const archive = `${staticServer}.tar`
    if (!existsSync(archive)) {
      const program = { file: staticServer, as: 'mcp-server' }
      await packBinary(archive, serverImage(kind), program, { user: '65532' })
    }
    return archive
  }
  const root = await basesOf(cache)[kind]()
  const versions = PACKAGES.map((name) => `${name} ${versionOfPackage(name)}`)
  const archive = join(cache, 'images', `server-${kind}-${digest([root, ...versions])}.tar`)
  if (!existsSync(archive)) await packNodeImage(kind, root, archive)
  return archive
}
