// What the flags of `outrigger run` say of themselves, and of values that are wrong.

import { describe, expect, test } from '@jest/globals'
import { flagLines, readGiven } from '../../../../cli/command/flags.ts'
import { OWN_FLAGS, readRunFlags, SETTING_FLAGS } from '../../../../cli/run/run-flags.ts'

const errorOf = (args: readonly string[]): string => {
  const given = readGiven({ ...OWN_FLAGS, ...SETTING_FLAGS }, args)
  const flags = given.ok ? readRunFlags(given.value) : given
  return flags.ok ? '' : flags.error
}

describe('a value that is wrong is told by its flag', () => {
  test.each([
    ['one', ['--idle-timeout', 'banana'], /^--idle-timeout: "banana" is not right: use a duration/],
    [
      'all at once',
      ['--idle-timeout', 'banana', '--process-model', 'many'],
      /--process-model: "many".*--idle-timeout: "banana"/,
    ],
    [
      'an item of several lists',
      ['--egress', 'a.example:443', '--egress', '10.1.2.3/8:443'],
      /^--egress: "10\.1\.2\.3\/8:443" has bits behind its prefix: use `10\.0\.0\.0\/8:443`/,
    ],
    [
      'nothing beside others',
      ['--egress', 'a.example:443', '--egress', 'none'],
      /^--egress: "none" stands alone/,
    ],
  ])('%s', (_name, args, says) => {
    expect(errorOf([...args, '--', 'cat'])).toMatch(says)
  })
})

test.each([
  ['no command', [], 'the command is missing: put it after --'],
  [
    'credentials without where to ask',
    ['--introspection-credentials', 'dir', '--', 'cat'],
    '--introspection-url and --introspection-credentials: one is of no use without the other',
  ],
  ...[
    ['--spiffe-ids', 'spiffe://a/b'],
    ['--spiffe-bundle', 'file'],
    ['--spiffe-bundle-url', 'https://a/'],
    ['--spiffe-jwt'],
    ['--spiffe-ids', 'spiffe://a/b', '--spiffe-jwt'],
    ['--spiffe-ids', 'spiffe://a/b', '--spiffe-bundle', 'x', '--spiffe-bundle-url', 'https://a/'],
  ].map((flags): [string, string[], string] => [
    flags.join(' '),
    [...flags, '--', 'cat'],
    '--spiffe-ids needs one of --spiffe-bundle and --spiffe-bundle-url, and neither they nor --spiffe-jwt are of use without it',
  ]),
  [
    'authorities of a bundle that is a file',
    [
      '--spiffe-ids',
      'spiffe://a/b',
      '--spiffe-bundle',
      'x',
      '--spiffe-bundle-ca',
      'y',
      '--',
      'cat',
    ],
    '--spiffe-bundle-ca: of no use without --spiffe-bundle-url URL',
  ],
  ...[
    ['--spiffe-endpoint-id', 'spiffe://a/spire'],
    [
      '--spiffe-ids',
      'spiffe://a/b',
      '--spiffe-bundle',
      'x',
      '--spiffe-endpoint-id',
      'spiffe://a/spire',
    ],
    [
      '--spiffe-ids',
      'spiffe://a/b',
      '--spiffe-bundle-url',
      'https://a/',
      '--spiffe-endpoint-id',
      'spiffe://a/spire',
    ],
  ].map((flags): [string, string[], string] => [
    flags.join(' '),
    [...flags, '--', 'cat'],
    '--spiffe-endpoint-id: of no use without --spiffe-bundle-url URL, and --spiffe-bundle FILE by which it is believed at first',
  ]),
  [
    'a command without --',
    ['--allow-anonymous', 'npx', '-y', 'server'],
    '"npx" stands without a flag; the server\'s command goes behind --: -- npx',
  ],
  [
    'the value of a flag that there is not',
    ['--prot', '1', '--', 'cat'],
    'there is no flag --prot; did you mean --port?',
  ],
])('%s', (_name, args, says) => {
  expect(errorOf(args)).toBe(says)
})

test.each([
  [
    'lists add up',
    ['--egress', 'a.example:443', '--egress=b.example:443,c.example:443'],
    { egress: 'a.example:443,b.example:443,c.example:443' },
  ],
  [
    'of other values the last counts',
    ['--idle-timeout', '1m', '--idle-timeout', '2m'],
    { 'idle-timeout': '2m' },
  ],
])('given several times, %s', (_name, args, settings) => {
  const given = readGiven({ ...OWN_FLAGS, ...SETTING_FLAGS }, [...args, '--', 'cat'])
  const flags = given.ok ? readRunFlags(given.value) : given
  expect(flags).toMatchObject({ ok: true, value: { settings } })
})

test('the help tells the defaults that hold here', () => {
  const help = flagLines(SETTING_FLAGS).replaceAll(/\s+/g, ' ')
  expect(help).toMatch(/--log-level VALUE The sidecar's own log\. .*default warn\)/)
  expect(help).toMatch(/--request-timeout VALUE [^-]*default 60s\)/)
  expect(help).toMatch(/--egress VALUE What the server may reach/)
})
