// `outrigger run` with a tool policy that cannot be used says everything that is wrong with it, and starts nothing.

import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { CHECKOUT_CLI } from '../../support/outrigger-run.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'outrigger-policy-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

test.each([
  [
    'is wrong in two places',
    'version: 1\nmod: x\nrules: [{ name: a, effect: allow }]\n',
    [
      'line 2, column 1: mod: there is no such member; did you mean mode?',
      'line 3, column 9: rules.0: says nothing that it allows: name tools, prompts, resources, methods',
    ],
  ],
  ['is not there', undefined, ['there is no such file']],
])('one that %s', async (_what, text, faults) => {
  const path = join(folder, 'policy.yaml')
  if (text === undefined) rmSync(path, { force: true })
  else writeFileSync(path, text)
  const args = [CHECKOUT_CLI, 'run', '--allow-anonymous', '--tool-policy', path, '--', 'true']
  const { code, stderr } = await new Promise<{ code: unknown; stderr: string }>((resolve) => {
    execFile(process.execPath, args, (error, _stdout, stderr) =>
      resolve({ code: error?.code, stderr }),
    )
  })
  expect([code, stderr]).toEqual([
    2,
    faults.map((fault) => `outrigger run: --tool-policy ${path}: ${fault}\n`).join(''),
  ])
})
