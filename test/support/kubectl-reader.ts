// What kubectl reads in a manifest: its own decoder, in a Go program that is built once and asked for many manifests at
// a time. Go must be there; who lacks it is told, not skipped.

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { isObject, type Json } from '../../shared/json.ts'

const MODULE = fileURLToPath(new URL('../fixtures/kubectl-reader/', import.meta.url))
const MAX_ANSWER_BYTES = 512 * 1024 * 1024

export interface Reading {
  /** What was read before any error. */
  readonly objects: readonly Json[]
  readonly error: string | undefined
}

const answer = z.object({ objects: z.array(z.custom<Json>()), error: z.string().optional() })

export interface KubectlReader {
  /** Reads manifests, each by itself. */
  readonly read: (manifests: readonly (string | Buffer)[]) => readonly Reading[]
  readonly close: () => void
}

export const kubectlReader = (): KubectlReader => {
  const { error } = spawnSync('go', ['version'], { stdio: 'ignore' })
  if (error) throw new Error(`these tests need go on the PATH: ${error.message}`)
  const folder = mkdtempSync(join(tmpdir(), 'outrigger-kubectl-'))
  const program = join(folder, 'reader')
  execFileSync('go', ['build', '-o', program, '.'], {
    cwd: MODULE,
    env: { ...process.env, GOFLAGS: '-mod=readonly', CGO_ENABLED: '0' },
  })
  return {
    read: (manifests) => {
      const lines = manifests.map((manifest) =>
        JSON.stringify(Buffer.from(manifest).toString('base64')),
      )
      const output = execFileSync(program, { input: lines.join('\n'), maxBuffer: MAX_ANSWER_BYTES })
      const answers = output.toString().trimEnd().split('\n')
      return answers.map((line) => {
        const { objects, error } = answer.parse(JSON.parse(line))
        return { objects, error }
      })
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** Numbers as JSON's readers in JavaScript have them, and members in the order of their names. */
export const canonical = (value: Json): string =>
  JSON.stringify(value, (_key, item: Json) =>
    isObject(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  )
