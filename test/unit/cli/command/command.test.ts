// What every subcommand does with its words before it does anything else.

import { expect, test } from '@jest/globals'
import { defineCommand } from '../../../../cli/command/command.ts'
import { ok } from '../../../../shared/result.ts'

const command = defineCommand({
  name: 'tell',
  synopsis: '[flags]',
  about: 'Tells a port.',
  flags: { port: { value: 'N', doc: 'the port' } },
  takesWords: true,
  cleansUp: false,
  readFlags: ({ text }) => ok({ port: text('port') }),
  run: ({ port }, io) => {
    io.stdout(`port ${port}\n`)
    return Promise.resolve(0)
  },
})

const say = async (args: readonly string[]) => {
  const said = { stdout: '', stderr: '' }
  const code = await command.run(args, {
    stdout: (text) => (said.stdout += text),
    stderr: (text) => (said.stderr += text),
    log: () => undefined,
    written: () => Promise.resolve(true),
    isTerminal: () => false,
    environment: {},
    signal: new AbortController().signal,
  })
  return { code, ...said }
}

const HELP = {
  code: 0,
  stdout: 'usage: outrigger tell [flags]\n\nTells a port.\n\n  --port N  the port\n',
  stderr: '',
}

test.each([
  ['alone', ['--help']],
  ['in short', ['-h']],
  ['behind other flags', ['--port', '0', '--help']],
  ['beside a wrong flag', ['--prot', '0', '--help']],
])('help is given: %s', async (_name, args) => {
  expect(await say(args)).toEqual(HELP)
})

test('help of the command that is run is its own', async () => {
  const args = ['--port', '1', '--', 'server', '--help']
  expect(await say(args)).toEqual({ code: 0, stdout: 'port 1\n', stderr: '' })
})

test('help that is misspelt is meant', async () => {
  const { code, stderr } = await say(['--hepl'])
  expect([code, stderr]).toEqual([
    2,
    'outrigger tell: there is no flag --hepl; did you mean --help?\nSee: outrigger tell --help\n',
  ])
})

test('wrong usage is one line of what, one of where the help is, and exit code 2', async () => {
  const { code, stdout, stderr } = await say(['--prot', '1'])
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toMatch(
    /^outrigger tell: .*--prot; did you mean --port\?\nSee: outrigger tell --help\n$/,
  )
})

test('wrong usage neither ends its line nor steers the terminal', async () => {
  const { stderr } = await say(['--pr\u001b[31mot\u202E\nSee'])
  expect(stderr).toMatch(/^outrigger tell: [^\n]*--pr \[31mot See\nSee: outrigger tell --help\n$/)
})
