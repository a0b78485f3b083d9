// Runs one short command of the machine and gives its output. What fails is told with the
// command line and the last of what it said.

import { spawn } from 'node:child_process'

export interface RunOptions {
  readonly input?: string
  readonly cwd?: string
  /** Where output goes as it comes (a build that takes minutes); it is still kept. */
  readonly onOutput?: (text: string) => void
}

export interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** The words of a line without quoting: a command's fixed part. */
export const words = (line: string): readonly string[] => line.split(' ')

/** Runs to the end, whatever the exit code (127 where there is no such program). */
export const attempt = (argv: readonly string[], options: RunOptions = {}): Promise<Ended> =>
  new Promise((resolve) => {
    const [command = '', ...args] = argv
    const child = spawn(command, args, {
      cwd: options.cwd,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
      options.onOutput?.(text)
    })
    child.stdin.on('error', () => undefined)
    child.stdin.end(options.input ?? '')
    child.on('error', (error) => resolve({ code: 127, stdout, stderr: error.message }))
    child.on('close', (code, signal) =>
      resolve({ code: code ?? 1, stdout, stderr: signal === null ? stderr : `${stderr}${signal}` }),
    )
  })

/** Runs to the end and gives stdout; throws unless the exit code is 0. */
export const run = async (argv: readonly string[], options: RunOptions = {}): Promise<string> => {
  const ended = await attempt(argv, options)
  if (ended.code === 0) return ended.stdout
  const said = `${ended.stderr}${ended.stdout}`.trim().slice(-2000)
  throw new Error(`${argv.join(' ')}: exit code ${ended.code}\n${said}`)
}
