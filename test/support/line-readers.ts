// What other people's readers make of a stream of messages: a plain line reader, Python's text mode and Go's
// encoding/json. Python and Go must be there; who lacks them is told, not skipped.

import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'

const FIXTURES = fileURLToPath(new URL('../fixtures/readers/', import.meta.url))
const BUILD_MS = 120_000

/** Method, `params.name`, and the id's text, of one message. */
export type Seen = readonly [method: string, name: string, id: string]

export type Reading = {
  readonly seen: readonly Seen[]
  /** How many messages there are, by the reader's own way of telling them apart. */
  readonly count: number
}

const row = z.tuple([z.string(), z.string(), z.string()])

const parse = (output: string): Reading => {
  const lines = output.trim().split('\n')
  const count = Number(lines.pop())
  return { seen: lines.map((line) => row.parse(JSON.parse(line))), count }
}

const must = (program: string): void => {
  const { error } = spawnSync(program, ['version'], { stdio: 'ignore' })
  if (error) throw new Error(`these tests need ${program} on the PATH: ${error.message}`)
}

const text = z.string().catch('')
const message = z.object({
  method: text,
  params: z.object({ name: text }).catch({ name: '' }),
})

export const byLines = (bytes: Buffer): Reading => {
  const lines = bytes.toString().split('\n').slice(0, -1)
  return {
    seen: lines.map((line) => {
      const { method, params } = message.parse(JSON.parse(line))
      return [method, params.name, /"id":(\d+)/.exec(line)?.[1] ?? '']
    }),
    count: lines.length,
  }
}

export const byPython = (bytes: Buffer): Reading => {
  must('python3')
  return parse(execFileSync('python3', [join(FIXTURES, 'lines.py')], { input: bytes }).toString())
}

/** Builds the Go reader once; `close` removes it. */
export const goReader = (): {
  readonly read: (bytes: Buffer) => Reading
  readonly close: () => void
} => {
  must('go')
  const folder = mkdtempSync(join(tmpdir(), 'outrigger-go-'))
  copyFileSync(join(FIXTURES, 'lines.go'), join(folder, 'lines.go'))
  writeFileSync(join(folder, 'go.mod'), 'module lines\n\ngo 1.21\n')
  const program = join(folder, 'lines')
  execFileSync('go', ['build', '-o', program, '.'], {
    cwd: folder,
    env: { ...process.env, GOFLAGS: '-mod=mod', CGO_ENABLED: '0' },
    timeout: BUILD_MS,
  })
  return {
    read: (bytes) => parse(execFileSync(program, { input: bytes }).toString()),
    close: () => rmSync(folder, { recursive: true, force: true }),
  }
}
