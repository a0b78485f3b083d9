// Builds our own images from the Dockerfiles as they are: buildah, the base image given as the build
// argument they have for it and made here, since no registry can be reached.

import { mkdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { attempt, run, words } from '../machine/run.ts'
import { buildRoot, glibcRoot } from './roots.ts'

const REPOSITORY = join(import.meta.dirname, '../../..')
const BASE = 'localhost/outrigger-node-base'
/** Compiles the shim: a base with make and musl-gcc. */
const BUILD_BASE = 'localhost/outrigger-build-base'

const buildah = (cache: string): readonly string[] => [
  'buildah',
  `--root=${cache}/buildah/root`,
  `--runroot=${cache}/buildah/run`,
]

/** A root file system as a base image; made once. */
const ensureBase = async (
  cache: string,
  base: string,
  makeRoot: (cache: string) => Promise<string>,
): Promise<void> => {
  const tool = buildah(cache)
  if ((await attempt([...tool, 'inspect', '--type=image', base])).code === 0) return
  const root = await makeRoot(cache)
  const container = (await run([...tool, 'from', 'scratch'])).trim()
  await run([...tool, 'copy', '--quiet', container, root, '/'])
  await run([...tool, 'commit', '--quiet', '--rm', container, base])
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

/** Writes an archive with the image that Dockerfile.NAME makes of this checkout. */
export const buildOwnImage = async (
  name: OwnImage,
  cache: string,
  archive: string,
): Promise<void> => {
  await ensureBase(cache, BASE, glibcRoot)
  if (name === 'sidecar') await ensureBase(cache, BUILD_BASE, buildRoot)
  mkdirSync(dirname(archive), { recursive: true })
  const tool = buildah(cache)
  const tag = `localhost/outrigger-${name}`
  await run(
    [
      ...tool,
      // One time for all that is in it: two builds are the same bytes.
      ...words('bud --quiet --isolation=chroot --pull=false --timestamp=0 --build-arg'),
      `NODE_IMAGE=${BASE}`,
      ...(name === 'sidecar' ? ['--build-arg', `BUILD_IMAGE=${BUILD_BASE}`] : []),
      `--file=${join(REPOSITORY, `Dockerfile.${name}`)}`,
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
