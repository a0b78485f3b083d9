// What people are told whose command line, manifest or configuration is wrong: each message stands as text in
// test/golden/mistakes.txt (UPDATE_GOLDEN=1 writes it), and is read there: what is wrong, where, and what to do.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { listening } from '../../support/listening.ts'
import { FEATURE_MISTAKES } from '../../support/feature-mistakes.ts'
import { DEV_CONFIG, MISTAKES, type Mistake } from '../../support/mistakes.ts'
import { rawWordsIn } from '../../support/raw-words.ts'
import { VERB_MISTAKES } from '../../support/verb-mistakes.ts'

const inCheckout = (path: string): string =>
  fileURLToPath(new URL(`../../../${path}`, import.meta.url))
const GOLDEN = inCheckout('test/golden/mistakes.txt')
const PROGRAMS = {
  cli: [inCheckout('bin/outrigger')],
  webhook: [process.execPath, inCheckout('webhook/main.ts')],
  sidecar: [process.execPath, inCheckout('sidecar/main.ts')],
} as const satisfies Record<string, readonly [string, ...string[]]>
const ALL = [...MISTAKES, ...FEATURE_MISTAKES, ...VERB_MISTAKES]
const IS_UPDATE = process.env['UPDATE_GOLDEN'] === '1'

const taken = createServer()
let port = 0
let folder: string
beforeAll(async () => {
  port = await listening(taken)
  folder = mkdtempSync(join(tmpdir(), 'outrigger-mistakes-'))
})

const made = (text: string, place: string): string =>
  text.replaceAll(/^DIR(?=\/|$)/g, place).replaceAll(/^PORT$/g, `${port}`)

/** Of a log's line what it says; undefined of one that depends on the machine. */
const logged = (line: string): string | undefined => {
  const { level, message, why }: Record<string, unknown> = JSON.parse(line)
  const told = [message, why ?? []].flat().join(': ')
  return told.startsWith('isolation is only') ? undefined : `(${String(level)}) ${told}`
}

const readable = (text: string, place: string): string =>
  text
    // The list of commands or flags, which follows what is wrong.
    .replace(/\n\noutrigger: MCP servers.*|(?<=\n)usage: .*/s, '\n')
    .replaceAll(/\n{2,}/g, '\n')
    .replaceAll(place, 'DIR')
    .replaceAll(DEV_CONFIG, 'DEV')
    .replaceAll(`${port}`, 'PORT')
    .split('\n')
    .flatMap((line) => (line.startsWith('{"time"') ? (logged(line) ?? []) : line))
    .join('\n')

/** What a mistake leads to, as the golden text has it. */
const told = async ({ name, program = 'cli', args, files = {}, env = {} }: Mistake) => {
  const place = mkdtempSync(join(folder, 'mistake-'))
  for (const [file, text] of Object.entries(files)) {
    if (text === undefined) mkdirSync(join(place, file))
    else writeFileSync(join(place, file), text)
  }
  const words = args.map((arg) => made(arg, place))
  const variables = Object.entries(env).map(([key, value]) => [key, made(value, place)])
  const [command, ...first] = PROGRAMS[program]
  const child = spawn(command, [...first, ...words], {
    cwd: place,
    env: { ...process.env, NO_COLOR: '1', ...Object.fromEntries(variables) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const [code]: (number | null)[] = await once(child, 'close')
  const shown = args.map((arg) => (arg === DEV_CONFIG ? 'DEV' : arg)).join(' ')
  const text = `# ${name}\n$ ${program === 'cli' ? 'outrigger' : program} ${shown}`.trimEnd()
  return { code, stdout, stderr, text: `${text}\n${readable(stderr, place)}exit ${code}\n` }
}

const sections = (text: string): ReadonlyMap<string, string> =>
  new Map(
    text
      .split(/\n(?=# )/)
      .map((section) => [/^# (.*)/.exec(section)?.[1] ?? '', section.trimEnd()]),
  )
const golden = IS_UPDATE ? new Map<string, string>() : sections(readFileSync(GOLDEN, 'utf8'))
const written: string[] = []

afterAll(() => {
  taken.close()
  rmSync(folder, { recursive: true })
  if (IS_UPDATE) writeFileSync(GOLDEN, written.join('\n'))
})

describe('mistakes', () => {
  test('have names of their own, and every one its golden text', () => {
    const names = ALL.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    if (!IS_UPDATE) expect([...golden.keys()]).toEqual(names)
  })

  test.each(ALL)('$name', async (mistake) => {
    const { code, stdout, stderr, text } = await told(mistake)
    written.push(text)
    expect(text.trimEnd()).toBe(IS_UPDATE ? text.trimEnd() : golden.get(mistake.name))
    // Nothing that a pipe could take for a result (but of explain, which says all on one stream), and nobody's words but ours.
    if (code !== 0 && mistake.args[0] !== 'explain') expect(stdout).toBe('')
    expect(stderr).not.toBe('')
    expect(rawWordsIn(stderr)).toEqual([])
    expect(stderr).not.toContain('hush-hush')
  })
})
