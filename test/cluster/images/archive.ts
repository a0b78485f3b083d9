// Packs a directory as a container image of one layer, in the archive form that `docker save`
// writes and containerd imports. No registry, no daemon.

import { createHash } from 'node:crypto'
import {
  createReadStream,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { run } from '../machine/run.ts'

export interface ImageConfig {
  readonly entrypoint?: readonly string[]
  readonly cmd?: readonly string[]
  readonly env?: readonly string[]
  readonly user?: string
  readonly workingDir?: string
}

/** A file's digest as images write it. */
export const digestOfFile = async (file: string): Promise<string> => {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return `sha256:${hash.digest('hex')}`
}

const PLAIN = '--numeric-owner --sort=name --mtime=@0 --exclude=./dev/*'.split(' ')

/** Writes a layer: what lies under `root`, the same bytes for the same files. */
export const packLayer = (root: string, file: string): Promise<string> =>
  run(['tar', '-C', root, ...PLAIN, '-cf', file, '.'])

/** The configuration of an image with these layers, the lowest first. */
export const imageConfiguration = (config: ImageConfig, layers: readonly string[]): string =>
  JSON.stringify({
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    created: '1970-01-01T00:00:00Z',
    config: {
      Entrypoint: config.entrypoint,
      Cmd: config.cmd,
      Env: config.env ?? ['PATH=/usr/local/bin:/usr/bin:/bin'],
      User: config.user,
      WorkingDir: config.workingDir,
    },
    rootfs: { type: 'layers', diff_ids: layers },
    history: layers.map(() => ({
      created: '1970-01-01T00:00:00Z',
      created_by: 'outrigger test images',
    })),
  })

/** Writes `archive` (in one step) with the image `name` made of what lies under `root`. */
export const packImage = async (
  archive: string,
  name: string,
  root: string,
  config: ImageConfig,
): Promise<void> => {
  mkdirSync(dirname(archive), { recursive: true })
  const aside = mkdtempSync(`${archive}.`)
  try {
    const layer = join(aside, 'layer.tar')
    await packLayer(root, layer)
    writeFileSync(
      join(aside, 'config.json'),
      imageConfiguration(config, [await digestOfFile(layer)]),
    )
    writeFileSync(
      join(aside, 'manifest.json'),
      JSON.stringify([{ Config: 'config.json', RepoTags: [name], Layers: ['layer.tar'] }]),
    )
    const packed = join(aside, 'image.tar')
    await run(['tar', '-C', aside, '-cf', packed, 'manifest.json', 'config.json', 'layer.tar'])
    renameSync(packed, archive)
  } finally {
    rmSync(aside, { recursive: true, force: true })
  }
}
