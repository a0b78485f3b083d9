import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from '@jest/globals'
import { parseAllDocuments } from 'yaml'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const EXAMPLE = `${ROOT}manifests/examples/everything.yaml`
const DEV = `${ROOT}manifests/overlays/dev/config.yaml`

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

  test('there and back through pipes', async () => {
    const injected = await outrigger(['inject', '-f', '-', '--config', DEV], text)
    expect(injected).toMatchObject({
      code: 0,
      stderr: '-: 2 documents: 1 injected, 1 left as it is (its ports need no change)\n',
    })
    expect(injected.stdout).toContain('outrigger-sidecar')
    const again = await outrigger(['inject', '-f', '-', '--config', DEV], injected.stdout)
    expect(again.stdout).toBe(injected.stdout)
    const back = await outrigger(['uninject', '-f', '-'], injected.stdout)
    expect(back).toMatchObject({
      code: 0,
      stderr: '-: 2 documents: 1 given back, 1 left as it is (it bears nothing of ours)\n',
    })
    expect(values(back.stdout)).toEqual(values(text))
  })

  test('a report counts the pods of files and directories, for people and for programs', async () => {
    const many = join(directory, 'many')
    mkdirSync(join(many, 'below', '.hidden'), { recursive: true })
    const denied = text.replace('outrigger.dev/auth: none', 'outrigger.dev/auth: nobody')
    expect(denied).not.toBe(text)
    writeFileSync(join(many, 'a.yaml'), text)
    writeFileSync(join(many, 'below', 'b.yml'), denied)
    writeFileSync(join(many, 'below', 'c.json'), '{ "kind": ')
    writeFileSync(join(many, 'below', '.hidden', 'd.yaml'), text)
    writeFileSync(join(many, 'notes.txt'), 'no manifest')
    const report = (...more: readonly string[]): Promise<Ended> =>
      outrigger(['inject', '--report', '-f', many, '--config', DEV, ...more])
    const people = await report('-f', EXAMPLE)
    expect(people).toMatchObject({ code: 1, stderr: '' })
    expect(people.stdout).toMatch(
      /^3 pods in 4 files\n {5}2 {2}injected\n {5}0 {2}left alone\n {5}1 {2}denied\n/,
    )
    expect(people.stdout).toMatch(/each denial\n {2}\S+b\.yml: document 1: Deployment everything: /)
    expect(people.stdout).toMatch(/not read\n {2}\S+c\.json: /)
    const programs = JSON.parse((await report('-o', 'json')).stdout)
    expect(programs).toMatchObject({ files: 3, pods: 2, injected: 1, denied: 1 })
    expect(programs.violations).toEqual({ 'bad-value': 1 })
  })

  test.each([
    [['--report'], 'say which manifest to read'],
    [['-f', '-', '-o', 'json'], '-o goes with --report'],
    [['--report', '-f', '-', '-o', 'xml'], '-o "xml": use text or json'],
    [['-f', 'a', '-f', 'b'], '-f was given 2 times'],
  ])('inject %j is wrong usage', async (args, says) => {
    const ended = await outrigger(['inject', ...args])
    expect(ended).toMatchObject({ code: 2, stdout: '' })
    expect(ended.stderr).toContain(says)
  })

  test('UTF-16 goes out as it came in, what is for people as UTF-8', () => {
    const bytes = Buffer.from(`\ufeff${text}`, 'utf16le')
    const run = (command: string, input: Buffer): Buffer =>
      execFileSync(process.execPath, [`${ROOT}cli/main.ts`, command, '-f', '-', '--config', DEV], {
        input,
      })
    const injected = run('inject', bytes)
    expect(injected.toString('utf16le')).toContain('outrigger-sidecar')
    expect(run('uninject', injected)).toEqual(bytes)
    expect(run('explain', bytes).toString()).toContain('Deployment everything')
  })

  test('bytes that are no text are refused with their place, and nothing is printed', async () => {
    const file = join(directory, 'latin1.yaml')
    writeFileSync(file, Buffer.from('a: 1\nb: \u00e9\n', 'latin1'))
    const { code, stdout, stderr } = await outrigger(['inject', '-f', file])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain(`${file}: line 2, column 4: the byte 0xe9 is no UTF-8`)
  })

  test('a denial exits with 1 and prints nothing to apply', async () => {
    const { code, stdout, stderr } = await outrigger(['inject', '-f', EXAMPLE])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain('Deployment everything: denied: pod: outrigger.dev/auth')
  })

  test('explain prints settings, scopes and changes', async () => {
    const { code, stdout } = await outrigger(['explain', '-f', EXAMPLE, '--config', DEV])
    expect(code).toBe(0)
    expect(stdout).toMatch(/auth +none +pod/)
  })

  test('a namespace file counts', async () => {
    const namespace = write(
      'namespace.yaml',
      'apiVersion: v1\nkind: Namespace\nmetadata: { name: mcp, labels: { outrigger.dev/injection: enabled } }\n',
    )
    const pod = text.replaceAll(/^ +(annotations:|outrigger\.dev|#).*\n/gm, '')
    const config = ['--config', DEV, '--namespace-file', namespace]
    const { code, stdout } = await outrigger(['inject', '-f', '-', ...config], pod)
    expect(code).toBe(0)
    expect(stdout).toContain('outrigger-sidecar')
  })

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
    [
      'a configuration that is wrong',
      ['inject', '-f', '-', '--config', EXAMPLE],
      1,
      'it holds several documents',
    ],
    [
      'a namespace file without one',
      ['inject', '-f', '-', '--namespace-file', EXAMPLE],
      1,
      'no Namespace',
    ],
  ])('%s is told', async (_name, args, code, named) => {
    const ended = await outrigger(args)
    expect(ended).toMatchObject({ code, stdout: '' })
    expect(ended.stderr).toContain(named)
  })
})
