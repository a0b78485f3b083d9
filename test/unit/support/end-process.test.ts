import { expect, test } from '@jest/globals'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { endProcess } from '../../support/end-process.ts'

test('a process that is there is killed, and one that has ended is told as that', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'])
  const pid = child.pid ?? 0
  const exited = once(child, 'exit')
  expect(endProcess(pid)).toBe(true)
  expect(await exited).toEqual([null, 'SIGKILL'])
  expect(endProcess(pid)).toBe(false)
})

test('whatever else goes wrong is an error', () => {
  expect(() => endProcess(Number.NaN)).toThrow()
})
