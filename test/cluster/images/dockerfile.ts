// Builds our own images from the Dockerfiles as they are: buildah, the base image given as the build
// argument they have for it and made here, since no registry can be reached.

import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { attempt, run, words } from '../machine/run.ts'
import { glibcRoot } from './roots.ts'

const REPOSITORY = join(import.meta.dirname, '../../..')
const BASE = 'localhost/outrigger-node-base'

const buildah = (cache: string): readonly string[] => [
  'buildah',
  `--root=${cache}/buildah/root`,
  `--runroot=${cache}/buildah/run`,
]

/** Debian with the pinned Node as a base image; made once. */
const ensureBase = async (cache: string): Promise<void> => {
  const tool = buildah(cache)
  if ((await attempt([...tool, 'inspect', '--type=image', BASE])).code === 0) return
  const root = await glibcRoot(cache)
  const container = (await run([...tool, 'from', 'scratch'])).trim()
  await run([...tool, 'copy', '--quiet', container, root, '/'])
  await run([...tool, 'commit', '--quiet', '--rm', container, BASE])
}

/** Our own programs: the Dockerfile's ending, and the image as manifests/ name it. */
export const OWN_IMAGES = {
  sidecar: 'docker.io/library/outrigger-sidecar:0.1.0',
  webhook: 'docker.io/library/outrigger-webhook:0.1.0',
} as const
export type OwnImage = keyof typeof OWN_IMAGES

/** Builds what the Dockerfiles copy. */
export const buildPrograms = (): Promise<string> =>
  run([process.execPath, 'build.ts'], { cwd: REPOSITORY })

/** Until the repository has a Dockerfile for the sidecar, a stand-in of the tests' own. */
const dockerfileOf = (name: OwnImage): string =>
  [REPOSITORY, import.meta.dirname]
    .map((folder) => join(folder, `Dockerfile.${name}`))
    .find((file) => existsSync(file)) ?? `Dockerfile.${name}`

/** Writes an archive with the image that Dockerfile.NAME makes of this checkout. */
export const buildOwnImage = async (
  name: OwnImage,
  cache: string,
  archive: string,
): Promise<void> => {
  await ensureBase(cache)
  mkdirSync(dirname(archive), { recursive: true })
  const tool = buildah(cache)
  const tag = `localhost/outrigger-${name}`
  await run(
    [
      ...tool,
      ...words('bud --quiet --isolation=chroot --pull=false --build-arg'),
      `NODE_IMAGE=${BASE}`,
      `--file=${dockerfileOf(name)}`,
      `--tag=${tag}`,
      '.',
    ],
    { cwd: REPOSITORY },
  )
  const aside = `${archive}.new`
  rmSync(aside, { force: true })
  await run([...tool, 'push', '--quiet', tag, `docker-archive:${aside}:${OWN_IMAGES[name]}`])
  renameSync(aside, archive)
}
