// Makes the directories that stand for a pod's volumes, and says what the paths of the container are here. What is new
// is its user's alone, and goes when the pod ends.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Mounts } from './volumes.ts'

export interface Directories {
  /** By the path in the container, the path here. */
  readonly moves: ReadonlyMap<string, string>
  readonly close: () => void
}

const fill = (directory: string, files: ReadonlyMap<string, Buffer>): void => {
  mkdirSync(directory, { mode: 0o700 })
  for (const [name, bytes] of files) {
    const path = join(directory, name)
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    writeFileSync(path, bytes, { mode: 0o600 })
  }
}

const NONE: Directories = { moves: new Map(), close: () => undefined }

export const makeDirectories = ({ contents, mounts }: Omit<Mounts, 'notes'>): Directories => {
  if (mounts.length === 0) return NONE
  const root = mkdtempSync(join(tmpdir(), 'outrigger-volumes-'))
  const close = (): void => rmSync(root, { recursive: true, force: true })
  try {
    const places = new Map<string, string>()
    for (const [volume, content] of contents) {
      // By number: a volume's name is its author's.
      const place = content.kind === 'directory' ? content.path : join(root, `${places.size}`)
      if (content.kind === 'files') fill(place, content.files)
      places.set(volume, place)
    }
    const moves = mounts.map(
      ({ path, volume, subPath }) => [path, join(places.get(volume) ?? root, subPath)] as const,
    )
    return { moves: new Map(moves), close }
  } catch (error) {
    close()
    throw error
  }
}
