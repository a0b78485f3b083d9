// What tests start as programs ends as it should, or the test that started it fails, and says what it said.

import { expect, test } from '@jest/globals'
import { isAlive } from '../support/proc.ts'
import { startProgram, type Running } from '../support/running.ts'
import { until } from '../support/waiting.ts'

const LAST_WORDS = 'x'.repeat(5000)

const started = (script: string, stopMs?: number): Promise<Running> =>
  startProgram({
    command: process.execPath,
    args: ['-e', `${script}; console.log('ready at ' + 1)`],
    ready: /^ready at (\d)$/m,
    ...(stopMs !== undefined && { stopMs }),
  })

const LASTING = 'setInterval(() => {}, 1000)'

test('one that ends of SIGTERM is heard to its end', async () => {
  const script = `process.on('SIGTERM', () => process.stderr.write('x'.repeat(5000), () => process.exit()))`
  const running = await started(`${LASTING}; ${script}`)
  expect(running.ready).toBe('1')
  await running.stop()
  expect(running.stderr()).toBe(LAST_WORDS)
})

test('one that does not end of SIGTERM is killed, and is a fault with its last words', async () => {
  const script =
    "process.on('SIGTERM', () => process.stderr.write('not I')); console.log('on stdout')"
  const running = await started(`${LASTING}; ${script}`, 1)
  await expect(running.stop()).rejects.toThrow(
    /: did not end within 1 ms of SIGTERM; its stdout: on stdout\nready at 1; its stderr: /,
  )
  expect(isAlive(running.pid)).toBe(false)
})

test('one that leaves another behind is a fault that names it', async () => {
  const running = await started(
    `${LASTING}; process.stderr.write(\`\${require('node:child_process').spawn('sleep', ['1d'], { detached: true, stdio: 'ignore' }).pid}\\n\`)`,
    1,
  )
  const left = await until(() => /\d+(?=\n)/.exec(running.stderr())?.[0], 'it has started another')
  await expect(running.stop()).rejects.toThrow(`left behind after its end: sleep (${left})`)
  await until(() => !isAlive(Number(left)), 'it has been killed')
})

test('one that ends before it is ready is a fault with its last words', async () => {
  await expect(started(`process.stderr.write('x'.repeat(5000)); process.exit(1)`)).rejects.toThrow(
    `ended before it was ready; its stdout: ; its stderr: ${LAST_WORDS}`,
  )
})

test('one that cannot be started is a fault', async () => {
  const program = { command: '/nonexistent/program', args: [], ready: /./ }
  await expect(startProgram(program)).rejects.toThrow('ENOENT')
})
