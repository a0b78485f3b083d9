import { expect, test } from '@jest/globals'
import { choose } from '../../../../cli/command/choice.ts'

const NAMES = ['run', 'dev']
const problem = (text: string) => ({ kind: 'misuse', problem: text })

test.each<[string, readonly string[], object]>([
  ['nothing', [], { kind: 'help' }],
  ['help', ['help'], { kind: 'help' }],
  ['help on help', ['help', 'help'], { kind: 'help' }],
  ['help on help by its flag', ['help', '--help'], { kind: 'help' }],
  ['help on a command', ['help', 'run'], { kind: 'command', name: 'run', args: ['--help'] }],
  [
    'help on nothing known',
    ['help', 'rum'],
    problem('there is no command "rum"; did you mean run?'),
  ],
  ['the version', ['-v'], { kind: 'version' }],
  ['a command', ['dev', '-f', 'x'], { kind: 'command', name: 'dev', args: ['-f', 'x'] }],
  [
    'a flag before the command',
    ['--port', 'run'],
    problem('there is no flag before the command "--port"'),
  ],
])('%s', (_name, words, choice) => {
  expect(choose(words, NAMES)).toEqual(choice)
})
