import { expect, test } from '@jest/globals'
import { parseNamespace } from '../../../../cli/command/namespace.ts'

test.each([['default'], ['a'], ['team-1'], ['9'], ['a'.repeat(63)]])('%s is one', (name) => {
  expect(parseNamespace(name)).toEqual({ ok: true, value: name })
})

test.each([['Bad_Name'], [''], ['-a'], ['a-'], ['a.b'], ['a'.repeat(64)], ['a\nb'], ['\u00e4']])(
  '%j is none, and the rule is told',
  (name) => {
    expect(parseNamespace(name)).toEqual({
      ok: false,
      error: expect.stringMatching(/^-n ".*" is no name of a namespace: use lower-case letters/),
    })
  },
)

test('none named is none', () => {
  expect(parseNamespace(undefined)).toEqual({ ok: true, value: undefined })
})
