// The way out of everything that the CLI prints, through real pipes, files and devices: whole, or an
// exit code and one line that say that it is not.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from '@jest/globals'
import { PUPPET } from '../../support/puppet.ts'

const CLI = fileURLToPath(new URL('../../../cli/main.ts', import.meta.url))
const KIB = 1024
const MIB = 1024 * KIB

const directory = mkdtempSync(join(tmpdir(), 'outrigger-output-'))
afterAll(() => rmSync(directory, { recursive: true }))

const write = (name: string, text: string): string => {
  const path = join(directory, name)
  writeFileSync(path, text)
  return path
}

/**
 * A manifest of about this size that nobody opts in; the names, once each, are most of it. They stand without quotes:
 * of what is quoted each character is read by itself, which makes 50 MB five times as slow.
 */
const manifest = (bytes: number): string => {
  const count = Math.max(1, Math.ceil(bytes / MIB))
  const name = 'n'.repeat(Math.ceil(bytes / count))
  const labels = '{ outrigger.dev/x: "y" }'
  const pod = `{ apiVersion: v1, kind: Pod, metadata: { name: ${name}, labels: ${labels} }, spec: { containers: [] } }`
  return `apiVersion: v1\nkind: List\nitems:\n${`  - ${pod}\n`.repeat(count)}`
}

type Stdio = 'pipe' | 'ignore' | number
const outrigger = (args: readonly string[], stdout: Stdio = 'pipe', stderr: Stdio = 'pipe') =>
  spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', stdout, stderr] })

const errorsOf = async (child: ChildProcess): Promise<string> => {
  let text = ''
  child.stderr?.setEncoding('utf8').on('data', (more: string) => (text += more))
  await once(child, 'close')
  return text
}

// Nothing for a while, a little, and then the rest.
const SLOW = 'sleep 0.5; head -c 10000; sleep 0.2; cat'

/** What a slow reader at the other end of a pipe gets; the exit code is the command's. */
const readSlowly = async (args: readonly string[], copy: string): Promise<number | null> => {
  const script = `set -o pipefail; "$0" "$@" | { ${SLOW}; } > ${copy}`
  const child = spawn('bash', ['-c', script, process.execPath, CLI, ...args], { stdio: 'ignore' })
  await once(child, 'exit')
  return child.exitCode
}

describe.each([['inject'], ['uninject'], ['explain']])('%s', (command) => {
  test.each([
    ['64 KiB', 64 * KIB],
    ['1 MB', MIB],
    ['50 MB', 50 * MIB],
  ])('%s through a slow pipe comes out whole', async (_name, bytes) => {
    const file = write('large.yaml', manifest(bytes))
    const copy = join(directory, 'copy')
    const toFile = outrigger([command, '-f', file], openSync(copy, 'w'), 'ignore')
    expect(await once(toFile, 'exit')).toEqual([0, null])
    const expected = readFileSync(copy)
    expect(expected.length).toBeGreaterThan(bytes)
    expect(await readSlowly([command, '-f', file], `${copy}.slow`)).toBe(0)
    expect(readFileSync(`${copy}.slow`).equals(expected)).toBe(true)
  })
})

const PRINTING: readonly (readonly [command: string, args: readonly string[]])[] = [
  ['help', ['help']],
  ['inject', ['inject', '-f', write('pod.yaml', manifest(MIB))]],
  ['uninject', ['uninject', '-f', join(directory, 'pod.yaml')]],
  ['explain', ['explain', '-f', join(directory, 'pod.yaml')]],
  ['run', ['run', '--help']],
  ['dev', ['dev', '--help']],
  ['start', ['start', '--help']],
]

/** What is said of the input, whatever becomes of the output: warnings, and how many documents were left as they are. */
const IN_ORDER = /warning|: 1 document: 1 left as it is \(/

describe.each(PRINTING)('%s', (command, args) => {
  test('into a full disk: exit code 1 and one line', async () => {
    const child = outrigger(args, openSync('/dev/full', 'w'))
    const errors = await errorsOf(child)
    expect(child.exitCode).toBe(1)
    const said = errors.split('\n').filter((line) => !IN_ORDER.test(line))
    expect(said).toEqual([
      `outrigger ${command}: standard output is not whole: the disk is full`,
      '',
    ])
  })

  test('to a reader that has left: the code of a closed pipe and one line', async () => {
    const child = outrigger(args)
    child.stdout?.destroy()
    const errors = await errorsOf(child)
    expect(child.exitCode).toBe(141)
    const said = errors.split('\n').filter((line) => !IN_ORDER.test(line))
    expect(said).toEqual([
      `outrigger ${command}: standard output is not whole: whoever read it has left`,
      '',
    ])
  })
})

describe('standard error', () => {
  test.each([
    ['is full', 'full', ['explain', '-f', join(directory, 'pod.yaml')], 1],
    ['has lost its reader', 'gone', ['explain', '-f', join(directory, 'pod.yaml')], 141],
    ['is full, and the command has failed', 'full', ['no-such'], 2],
    ['has lost its reader, and the command has failed', 'gone', ['no-such'], 2],
  ])('that %s is an exit code', async (_name, how, args, code) => {
    const child = outrigger(args, 'ignore', how === 'full' ? openSync('/dev/full', 'w') : 'pipe')
    child.stderr?.destroy()
    expect(await once(child, 'exit')).toEqual([code, null])
  })
})

const RUN = ['run', '--allow-anonymous', '--port', '0', '--log-level', 'debug', '--', ...PUPPET]
const urlIn = async (child: ChildProcess): Promise<string> => {
  let text = ''
  for await (const chunk of child.stdout ?? []) {
    text += String(chunk)
    const [, url] = /listening on (\S+)\n/.exec(text) ?? []
    if (url !== undefined) return url
  }
  throw new Error(`it does not listen: ${text}`)
}
const status = async (url: string): Promise<number> => (await fetch(url)).status

describe('a command that serves', () => {
  test('goes on when the readers of its output and its log have left', async () => {
    const child = outrigger(RUN)
    child.stderr?.destroy()
    // Leaving the loop closes the pipe, as `| head -1` would.
    const url = await urlIn(child)
    for (let call = 0; call < 50; call += 1) expect(await status(url)).toBe(400)
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([143, null])
  })

  test('ends at a signal though nobody reads its log', async () => {
    const child = outrigger(RUN)
    const url = await urlIn(child)
    expect(await status(url)).toBe(400)
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([143, null])
  })
})

test.each([
  ['run', RUN],
  ['start', ['start', '--once']],
])('%s without a place for its run directory says which is meant', async (name, args) => {
  const command = ['TMPDIR=/no/such', process.execPath, CLI, ...args]
  const child = spawn('env', command, { stdio: ['ignore', 'ignore', 'pipe'] })
  expect(await errorsOf(child)).toBe(
    `outrigger ${name}: /no/such: there is no such directory; TMPDIR names another place\n`,
  )
  expect(child.exitCode).toBe(1)
})

describe('a command that reads', () => {
  test('ends at a signal, whatever it waits for', async () => {
    const fifo = join(directory, 'fifo')
    await once(spawn('mkfifo', [fifo]), 'exit')
    const child = outrigger(['inject', '-f', fifo])
    await new Promise((resolve) => setTimeout(resolve, 1500))
    child.kill('SIGINT')
    expect(await once(child, 'exit')).toEqual([null, 'SIGINT'])
  })

  test('ends at a second signal, where the first is to leave time for cleaning up', async () => {
    const fifo = join(directory, 'fifo-of-dev')
    await once(spawn('mkfifo', [fifo]), 'exit')
    const child = outrigger(['dev', '-f', fifo])
    const again = setInterval(() => child.kill('SIGINT'), 1500)
    try {
      expect(await once(child, 'exit')).toEqual([null, 'SIGINT'])
    } finally {
      clearInterval(again)
    }
  })

  test.each([
    ['inject', 'a directory', directory, 'this is a directory, and a file is wanted'],
    ['dev', 'a directory', directory, 'this is a directory, and a file is wanted'],
    ['inject', 'an endless file', '/dev/zero', 'exceeds 67108864 bytes'],
    ['dev', 'a file that is not there', '/no/such', 'there is no such file'],
  ])('%s -f of %s is told by its name', async (command, _name, file, why) => {
    const child = outrigger([command, '-f', file])
    expect(await errorsOf(child)).toMatch(
      new RegExp(`^outrigger ${command}: ${file}: .*${why}.*\n$`),
    )
    expect(child.exitCode).toBe(1)
  })

  test.each([
    ['a directory', directory, 'this is a directory, and a file is wanted'],
    ['a file that is not there', '/no/such', 'there is no such file'],
  ])('dev --config of %s is told by its name', async (_name, config, why) => {
    const child = outrigger(['dev', '-f', '/dev/null', '--config', config])
    expect(await errorsOf(child)).toMatch(new RegExp(`^outrigger dev: ${config}: .*${why}.*\n$`))
    expect(child.exitCode).toBe(1)
  })
})
