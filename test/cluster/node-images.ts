// Puts images onto the node of a cluster of our own, as a test needs them.

import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { OwnTarget } from './describe-cluster.ts'
import { buildOwnImage, buildPrograms, type OwnImage } from './images/dockerfile.ts'
import { packFloodServer } from './images/flood-server.ts'
import { copyPackages, versionOfPackage } from './images/package-closure.ts'
import { RECIPES } from './images/recipes.ts'
import { glibcRoot, muslObstacle, muslRoot } from './images/roots.ts'
import { serverArchive, type ServerKind } from './images/servers.ts'
import { packBinary, packRoot } from './images/single-binary.ts'
import { run, words } from './machine/run.ts'

export const CLIENT_IMAGE = 'outrigger.test/client:1'

/** A node to put images onto, as far as they ask. */
type Node = Pick<OwnTarget, 'own'>

const load = async ({ own }: Node, archive: string): Promise<void> => {
  const socket = join(own.dir, 'containerd.sock')
  await run(['ctr', '--address', socket, ...words('--namespace k8s.io images import'), archive])
}

const CLIENT_PACKAGES = ['@modelcontextprotocol/client', '@modelcontextprotocol/sdk']

/** What clients run, below test/ as here. */
const CLIENT_FILES = [
  'fixtures/pod-client.ts',
  'fixtures/pod-flood.ts',
  'fixtures/pod-sessions.ts',
  'bench/pressure/floods.ts',
  'bench/pressure/clients.ts',
  'support/raw-http.ts',
]

const packClient = (cache: string, archive: string): Promise<void> =>
  packRoot(archive, CLIENT_IMAGE, { user: '1000', workingDir: '/app' }, async (root) => {
    const base = muslObstacle() === undefined ? muslRoot(cache) : glibcRoot(cache)
    cpSync(await base, root, { recursive: true, verbatimSymlinks: true })
    const modules = join(root, 'app/node_modules')
    mkdirSync(modules, { recursive: true })
    copyPackages(CLIENT_PACKAGES, modules)
    writeFileSync(join(root, 'app/package.json'), '{ "type": "module" }')
    for (const file of CLIENT_FILES) {
      cpSync(join(import.meta.dirname, '..', file), join(root, 'app', file), { recursive: true })
    }
  })

const once = async (archive: string, make: () => Promise<void>): Promise<string> => {
  if (!existsSync(archive)) await make()
  return archive
}

/** The image of the clients' pods. */
export const loadClient = async (target: OwnTarget): Promise<void> => {
  const archive = join(target.own.dir, 'images', 'client.tar')
  await load(target, await once(archive, () => packClient(target.own.cache, archive)))
}

/** The image of a server. */
export const loadServer = async (target: OwnTarget, kind: ServerKind): Promise<void> =>
  load(target, await serverArchive(kind, target.own))

/** The image of the server that answers with as much as it is asked for. */
export const loadFloodServer = async (target: OwnTarget): Promise<void> => {
  const archive = join(target.own.dir, 'images', 'flood-server.tar')
  await load(target, await once(archive, () => packFloodServer(archive)))
}

export const EGRESS_IMAGE = 'outrigger.test/egress-server:1'

/** The image of the static server that reaches what it is told to, with nothing else in it. */
export const loadEgressServer = async (target: OwnTarget): Promise<void> => {
  const archive = join(target.own.dir, 'images', 'egress-server.tar')
  const program = { file: target.own.egressServer, as: 'egress-server' }
  await load(
    target,
    await once(archive, () => packBinary(archive, EGRESS_IMAGE, program, { user: '65532' })),
  )
}

/** Where an image of ours lies once it is built. */
export const ownArchive = (target: Node, name: OwnImage): string =>
  join(target.own.dir, 'images', `own-${name}.tar`)

/** Our own images, built from this checkout once a cluster. */
export const loadOurs = async (target: Node): Promise<void> => {
  const archive = (name: OwnImage): string => ownArchive(target, name)
  if (existsSync(archive('sidecar'))) return
  await buildPrograms()
  for (const name of ['webhook', 'sidecar'] as const) {
    await buildOwnImage(name, target.own.cache, archive(name))
    await load(target, archive(name))
  }
}

const EVERYTHING = '@modelcontextprotocol/server-everything'

/** The image that manifests/examples/everything.yaml names, with the server that this checkout has installed. */
export const loadExample = async (target: Node): Promise<void> => {
  const name = `docker.io/library/mcp-server-everything:${versionOfPackage(EVERYTHING)}`
  const archive = join(target.own.dir, 'images', 'example.tar')
  await packRoot(archive, name, { user: '1000' }, async (root) => {
    for (const part of [RECIPES.node, RECIPES.everything]) await part.fill(root, target.own)
  })
  await load(target, archive)
}
