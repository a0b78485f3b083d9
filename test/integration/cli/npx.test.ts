// `npx outrigger run`, as a supervisor or a script starts it: what it has started ends with it.

import { afterEach, expect, test } from '@jest/globals'
import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { endProcess } from '../../support/end-process.ts'
import { processTree, stillRunning } from '../../support/process-tree.ts'
import { openLegacy, PUPPET } from '../../support/puppet.ts'
import { until } from '../../support/waiting.ts'

const CHECKOUT = fileURLToPath(new URL('../../..', import.meta.url))

let left: ReturnType<typeof processTree> = []

afterEach(() => {
  for (const { pid } of stillRunning(left)) endProcess(pid)
})

/** Starts a command line, and waits until the bridge that it runs listens. */
const start = async (program: string, ...args: readonly string[]) => {
  const child: ChildProcess = spawn(program, [...args], {
    cwd: CHECKOUT,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  child.stdout?.on('data', (text: Buffer) => (said += text.toString()))
  const url = await until(() => /listening on (\S+)/.exec(said)?.[1], 'it listens')
  return { child, url, pid: child.pid ?? 0 }
}

const RUN = ['outrigger', 'run', '--allow-anonymous', '--port', '0', '--', ...PUPPET]

test('SIGTERM to npx ends the bridge, the shim and the servers', async () => {
  const { child, url, pid } = await start('npx', ...RUN)
  expect(await (await openLegacy(url)).call('echo', { text: 'in' })).toBe('in')
  left = processTree(pid)
  expect(left.map(({ command }) => command)).toContain('shim')
  child.kill('SIGTERM')
  await until(() => stillRunning(left).length === 0, 'everything that npx started has ended')
})
