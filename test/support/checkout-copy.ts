// A checkout of one's own, to run commands in that write to it: the files as they are here, and what `npm ci` has
// installed here. Programs that a test stands in for are found before the real ones, and what they were asked is kept.

import { execFileSync, spawn } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { endProcess } from './end-process.ts'
import { processTree, stillRunning } from './process-tree.ts'
import { until } from './waiting.ts'

const CHECKOUT = fileURLToPath(new URL('../../', import.meta.url))

export interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** What a stand-in was asked for. */
export interface Asked {
  readonly words: readonly string[]
  readonly stdin: string
}

export interface CheckoutCopy {
  readonly path: string
  /** Runs a script to its end. */
  run(script: string): Promise<Outcome>
  /** Runs a script until it has said what is looked for, has that used, and ends it as Ctrl-C does. */
  serve(script: string, says: RegExp, use: (found: string) => Promise<void>): Promise<Outcome>
  /** What a program was asked since the last time. */
  asked(program: string): readonly Asked[]
  close(): void
}

const MARK = '\0'

/** Writes down its words and, where the last one is `-`, its standard input; `passes`: what goes on to the real one. */
const standIn = (log: string, passes: string): string => `#!/bin/sh
case "$*" in ${passes}) PATH=\${PATH#*:} exec "\${0##*/}" "$@" ;; esac
for last; do :; done
{
  printf '%s\\0' "$@"
  [ "$last" = - ] && cat
  printf '\\0\\0'
} >> '${log}'
`

const fill = (path: string): void => {
  const files = execFileSync('git', ['ls-files', '-z', '-co', '--exclude-standard'], {
    cwd: CHECKOUT,
    encoding: 'utf8',
  })
  for (const file of files.split(MARK).filter((name) => name !== '')) {
    mkdirSync(dirname(join(path, file)), { recursive: true })
    cpSync(join(CHECKOUT, file), join(path, file))
  }
  const modules = join(CHECKOUT, 'node_modules')
  mkdirSync(join(path, 'node_modules'))
  for (const name of readdirSync(modules).filter((entry) => entry !== '.bin')) {
    symlinkSync(join(modules, name), join(path, 'node_modules', name))
  }
  // Its links lead to what is beside them: `outrigger` to the copy's own.
  cpSync(join(modules, '.bin'), join(path, 'node_modules/.bin'), {
    recursive: true,
    verbatimSymlinks: true,
  })
}

/** `standIns`: programs that are not to run, each with a shell pattern of the words with which it does. */
export const copyCheckout = (standIns: Readonly<Record<string, string>>): CheckoutCopy => {
  const path = mkdtempSync(join(tmpdir(), 'outrigger-checkout-'))
  const [bin, logs] = [join(path, '.stand-ins'), join(path, '.asked')]
  fill(path)
  for (const folder of [bin, logs]) mkdirSync(folder)
  for (const [name, passes] of Object.entries(standIns)) {
    writeFileSync(join(bin, name), standIn(join(logs, name), passes))
    chmodSync(join(bin, name), 0o755)
    writeFileSync(join(logs, name), '')
  }
  const env = {
    HOME: process.env['HOME'],
    NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
    PATH: [bin, dirname(process.execPath), process.env['PATH']].join(delimiter),
    npm_config_cache: join(path, '.npm'),
    npm_config_offline: 'true',
    npm_config_update_notifier: 'false',
  }
  const start = (script: string) => {
    const child = spawn('sh', ['-ec', script], { cwd: path, env, detached: true })
    const said = { stdout: '', stderr: '' }
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8').on('data', (text: string) => (said[stream] += text))
    }
    child.stdin.end()
    const ended = new Promise<Outcome>((resolve, reject) => {
      child.on('error', reject).on('close', (code) => resolve({ code, ...said }))
    })
    return { child, said, ended }
  }
  return {
    path,
    run: (script) => start(script).ended,
    serve: async (script, says, use) => {
      const { child, said, ended } = start(script)
      const { pid = 0 } = child
      let left: ReturnType<typeof processTree> = []
      try {
        const found = await until(() => {
          if (child.exitCode !== null) throw new Error(`it has ended: ${said.stderr}${said.stdout}`)
          return says.exec(said.stdout)?.[1]
        }, `${script} says ${says}`)
        await use(found)
        left = processTree(pid)
        process.kill(-pid, 'SIGINT')
        const outcome = await ended
        await until(() => stillRunning(left).length === 0, `everything of ${script} has ended`)
        return outcome
      } finally {
        for (const each of stillRunning([...left, ...processTree(pid)])) endProcess(each.pid)
      }
    },
    asked: (program) => {
      const log = join(logs, program)
      const entries = readFileSync(log, 'utf8').split(`${MARK}${MARK}`).slice(0, -1)
      writeFileSync(log, '')
      return entries.map((entry) => {
        const parts = entry.replace(/^\0/, '').split(MARK)
        const isRead = parts.includes('-')
        return {
          words: isRead ? parts.slice(0, -1) : parts,
          stdin: isRead ? (parts.at(-1) ?? '') : '',
        }
      })
    },
    close: () => rmSync(path, { recursive: true, force: true }),
  }
}
