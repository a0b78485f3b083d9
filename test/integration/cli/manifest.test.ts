import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from '@jest/globals'
import { parseAllDocuments } from 'yaml'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const EXAMPLE = `${ROOT}manifests/examples/everything.yaml`
const DEV = `${ROOT}manifests/overlays/dev/config.yaml`
const TEST_MS = 60_000

const directory = mkdtempSync(join(tmpdir(), 'outrigger-cli-'))
const write = (name: string, text: string): string => {
  const path = join(directory, name)
  writeFileSync(path, text)
  return path
}

afterAll(() => rmSync(directory, { recursive: true }))

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const outrigger = (args: readonly string[], input = ''): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [`${ROOT}cli/main.ts`, ...args])
    let [stdout, stderr] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
    // A command that never reads its input may be gone before it is written.
    child.stdin.on('error', () => undefined)
    child.stdin.end(input)
  })

const values = (text: string): unknown => parseAllDocuments(text).map((doc): unknown => doc.toJS())

describe('outrigger inject, uninject and explain', () => {
  const text = readFileSync(EXAMPLE, 'utf8')

  test(
    'there and back through pipes',
    async () => {
      const injected = await outrigger(['inject', '-f', '-', '--config', DEV], text)
      expect(injected).toMatchObject({ code: 0, stderr: '' })
      expect(injected.stdout).toContain('outrigger-sidecar')
      const again = await outrigger(['inject', '-f', '-', '--config', DEV], injected.stdout)
      expect(again.stdout).toBe(injected.stdout)
      const back = await outrigger(['uninject', '-f', '-'], injected.stdout)
      expect(back).toMatchObject({ code: 0, stderr: '' })
      expect(values(back.stdout)).toEqual(values(text))
    },
    TEST_MS,
  )

  test(
    'UTF-16 goes out as it came in, what is for people as UTF-8',
    () => {
      const bytes = Buffer.from(`\ufeff${text}`, 'utf16le')
      const run = (command: string, input: Buffer): Buffer =>
        execFileSync(
          process.execPath,
          [`${ROOT}cli/main.ts`, command, '-f', '-', '--config', DEV],
          {
            input,
          },
        )
      const injected = run('inject', bytes)
      expect(injected.toString('utf16le')).toContain('outrigger-sidecar')
      expect(run('uninject', injected)).toEqual(bytes)
      expect(run('explain', bytes).toString()).toContain('Deployment everything')
    },
    TEST_MS,
  )

  test(
    'bytes that are no text are refused with their place, and nothing is printed',
    async () => {
      const file = join(directory, 'latin1.yaml')
      writeFileSync(file, Buffer.from('a: 1\nb: \u00e9\n', 'latin1'))
      const { code, stdout, stderr } = await outrigger(['inject', '-f', file])
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
      expect(stderr).toContain(`${file}: line 2, column 4: the byte 0xe9 is no UTF-8`)
    },
    TEST_MS,
  )

  test(
    'a denial exits with 1 and prints nothing to apply',
    async () => {
      const { code, stdout, stderr } = await outrigger(['inject', '-f', EXAMPLE])
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
      expect(stderr).toContain('Deployment everything: denied: pod: outrigger.dev/auth')
    },
    TEST_MS,
  )

  test(
    'explain prints settings, scopes and changes',
    async () => {
      const { code, stdout } = await outrigger(['explain', '-f', EXAMPLE, '--config', DEV])
      expect(code).toBe(0)
      expect(stdout).toMatch(/auth +none +pod/)
    },
    TEST_MS,
  )

  test(
    'a namespace file counts',
    async () => {
      const namespace = write(
        'namespace.yaml',
        'apiVersion: v1\nkind: Namespace\nmetadata: { name: mcp, labels: { outrigger.dev/injection: enabled } }\n',
      )
      const pod = text.replaceAll(/^ +(annotations:|outrigger\.dev|#).*\n/gm, '')
      const config = ['--config', DEV, '--namespace-file', namespace]
      const { code, stdout } = await outrigger(['inject', '-f', '-', ...config], pod)
      expect(code).toBe(0)
      expect(stdout).toContain('outrigger-sidecar')
    },
    TEST_MS,
  )

  test.each([
    ['no file', ['inject'], 2, '-f FILE'],
    ['a flag that does not exist', ['inject', '-f', '-', '--confg', DEV], 2, '--confg'],
    ['two files', ['inject', '-f', EXAMPLE, '-f', DEV], 2, '-f was given 2 times'],
    ['two files to run', ['dev', '-f', EXAMPLE, '-f', DEV], 2, '-f was given 2 times'],
    ['a folder for a file', ['inject', '-f', directory], 1, `${directory}: this is a directory`],
    ['a file that is missing', ['inject', '-f', '/nowhere.yaml'], 1, '/nowhere.yaml'],
    [
      'a configuration that is missing',
      ['inject', '-f', '-', '--config', '/nowhere'],
      1,
      '/nowhere',
    ],
    ['a configuration that is wrong', ['inject', '-f', '-', '--config', EXAMPLE], 1, '2 documents'],
    [
      'a namespace file without one',
      ['inject', '-f', '-', '--namespace-file', EXAMPLE],
      1,
      'no Namespace',
    ],
  ])(
    '%s is told',
    async (_name, args, code, named) => {
      const ended = await outrigger(args)
      expect(ended).toMatchObject({ code, stdout: '' })
      expect(ended.stderr).toContain(named)
    },
    TEST_MS,
  )
})
