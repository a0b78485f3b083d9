// `outrigger images add` and `outrigger inject` inside the test's process, with files of a directory
// of the test's own and what they print kept.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { readIndexManifest } from '../../cli/images/config-map.ts'
import { images } from '../../cli/images/command.ts'
import { inject } from '../../cli/manifest/command.ts'
import type { Command, Io } from '../../cli/command/command.ts'
import type { ImageIndex } from '../../shared/image-index.ts'

export interface Printed {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface Bench {
  readonly directory: string
  /** Writes a file, and gives its path. */
  write(name: string, content: string): string
  /** Runs `images ARGS`, with the registries that may be asked. */
  add(registries: object, ...args: readonly string[]): Promise<Printed>
  inject(registries: object, ...args: readonly string[]): Promise<Printed>
  close(): void
}

/** The index in what `images add` has printed. */
export const indexIn = ({ stdout, stderr }: Printed): ImageIndex => {
  const index = readIndexManifest(stdout)
  if (!index.ok || stdout === '') throw new Error(stderr)
  return index.value
}

export const createBench = (environment: Readonly<Record<string, string>> = {}): Bench => {
  const directory = mkdtempSync(join(tmpdir(), 'outrigger-images-'))
  const write = (name: string, content: string): string => {
    const path = join(directory, name)
    writeFileSync(path, content)
    return path
  }
  const run = async (command: Command, args: readonly string[]): Promise<Printed> => {
    let [stdout, stderr] = ['', '']
    const io: Io = {
      stdout: (text) => void (stdout += text),
      stderr: (text) => void (stderr += text),
      log: () => {},
      written: () => Promise.resolve(true),
      isTerminal: () => false,
      environment: { DOCKER_CONFIG: directory, PATH: process.env['PATH'] ?? '', ...environment },
      signal: new AbortController().signal,
    }
    return { code: await command.run(args, io), stdout, stderr }
  }
  const configOf = (registries: object): string =>
    write(
      'config.yaml',
      stringify({ sidecar: { image: 'x' }, floor: { allowAnonymous: true }, registries }),
    )
  return {
    directory,
    write,
    add: (registries, ...args) => run(images, ['add', '--config', configOf(registries), ...args]),
    inject: (registries, ...args) => run(inject, ['--config', configOf(registries), ...args]),
    close: () => rmSync(directory, { recursive: true, force: true }),
  }
}
