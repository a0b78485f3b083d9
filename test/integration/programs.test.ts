// The programs of the tests, by the words of CONTRIBUTING and README: what they take, where that is asked or mistaken.

import { expect, test } from '@jest/globals'
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const run = (
  program: string,
  arg: string,
): Promise<{ readonly code: unknown; readonly stdout: string; readonly stderr: string }> =>
  new Promise((resolve) => {
    const file = fileURLToPath(new URL(`../${program}/main.ts`, import.meta.url))
    execFile(process.execPath, [file, arg], (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    )
  })

test.each(['bench', 'soak', 'conformance', 'observability'])(
  '%s says what it takes',
  async (program) => {
    const asked = await run(program, '--help')
    expect(asked).toMatchObject({ code: 0, stderr: '' })
    expect(asked.stdout).toMatch(/^usage: npm run /)
    const mistaken = await run(program, '--halp')
    expect(mistaken).toMatchObject({ code: 2, stdout: '' })
    expect(mistaken.stderr).toContain(asked.stdout)
  },
)
