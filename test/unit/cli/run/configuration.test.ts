// What `outrigger run` makes of flags that can be used, and what it warns of.

import { expect, test } from '@jest/globals'
import { readGiven } from '../../../../cli/command/flags.ts'
import { readConfiguration } from '../../../../cli/run/configuration.ts'
import { OWN_FLAGS, readRunFlags, SETTING_FLAGS } from '../../../../cli/run/run-flags.ts'

const readBy = (...args: readonly string[]): ReturnType<typeof readConfiguration> => {
  const given = readGiven({ ...OWN_FLAGS, ...SETTING_FLAGS }, [...args, '--', 'true'])
  const flags = given.ok ? readRunFlags(given.value) : given
  if (!flags.ok) throw new Error(JSON.stringify(flags.error))
  return readConfiguration(flags.value)
}

const warningsOf = (...args: readonly string[]): readonly string[] => {
  const read = readBy('--allow-anonymous', ...args)
  if (!read.ok) throw new Error(JSON.stringify(read.error))
  return read.value.warnings
}

const NOT_CHOSEN =
  'what the server reaches is observed, and not held to --egress: nobody has chosen; give --egress-mode enforce, or observe'

test.each<[string, readonly string[], readonly string[]]>([
  [
    'of a list that holds nobody, since no mode was chosen',
    ['--egress', 'a.example:443'],
    [NOT_CHOSEN],
  ],
  [
    'of nothing where it is enforced',
    ['--egress', 'a.example:443', '--egress-mode', 'enforce'],
    [],
  ],
  [
    'of nothing where it is to be observed',
    ['--egress', 'a.example:443', '--egress-mode=observe'],
    [],
  ],
  ['of nothing where nobody speaks of it', [], []],
])('warns %s', (_, args, warnings) => {
  expect(warningsOf(...args)).toEqual(warnings)
})

test('variables of callers need an issuer that is believed in a claim', () => {
  const read = readBy(
    '--oidc-issuers',
    'https://login.example.com',
    '--caller-environment',
    'USER_EMAIL={{claims.email}}',
  )
  expect(read.ok ? [] : read.error).toEqual([
    expect.stringMatching(/^caller-environment: .* --config FILE with issuers/),
  ])
})
