// What `policy test` is asked with, before any rule is: arguments as the sidecar takes them, and names of their kind.

import { expect, test } from '@jest/globals'
import { policy } from '../../../../cli/policy/command.ts'

const POLICY = 'manifests/policies/example.yaml'

const said = async (...flags: readonly string[]) => {
  const out = { stdout: '', stderr: '' }
  const code = await policy.run(['test', '-f', POLICY, ...flags], {
    stdout: (text) => (out.stdout += text),
    stderr: (text) => (out.stderr += text),
    log: (line) => (out.stderr += line),
    written: () => Promise.resolve(true),
    isTerminal: () => false,
    environment: {},
    signal: new AbortController().signal,
  })
  return { code, ...out }
}

test.each([
  ['a name that stands twice', '{"a":1,"a":2}', 'the member name "a" stands twice'],
  ['no JSON', 'x', 'it is not a JSON object or array'],
  ['a list', '[1]', 'they are no object'],
])('arguments that no sidecar lets through: %s', async (_what, args, why) => {
  expect(await said('--call', 'echo', '--args', args)).toEqual({
    code: 2,
    stdout: '',
    stderr: `outrigger policy: --args: ${why}\n`,
  })
})

test('arguments in UTF-8', async () => {
  expect(await said('--call', 'get-env', '--args', '{"ä":"ö"}')).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/^denied by no-environment/),
  })
})

test.each([
  ['tools/call', 'tools'],
  ['completion/complete', 'prompts and resources'],
])('the method %s has a kind of its own', async (method, by) => {
  const { code, stderr } = await said('--call', method, '--kind', 'method')
  expect([code, stderr.split('\n')[0]]).toEqual([
    2,
    `outrigger policy: ${method} is decided by ${by}: name one of these, with --kind`,
  ])
})
