// How long one message may be in a sidecar of so much memory.

import { describe, expect, test } from '@jest/globals'
import { budgetOf, sizeErrors } from '../../../shared/memory-budget.ts'
import { parseSettings } from '../../../shared/settings.ts'

const MIB = 1024 * 1024

type Sizes = readonly [request: string, response: string, limitMib: number]

const errors = ([request, response, limitMib]: Sizes): readonly string[] => {
  const settings = parseSettings({ 'max-request-size': request, 'max-response-size': response })
  if (!settings.ok) throw new Error(settings.error.join())
  return sizeErrors(settings.value, limitMib * MIB)
}

describe('sizeErrors', () => {
  test.each<readonly [string, Sizes, readonly string[]]>([
    ['the defaults, in the usual sidecar', ['4Mi', '16Mi', 256], []],
    ['the defaults, in a small sidecar', ['4Mi', '16Mi', 64], []],
    ['less', ['64Ki', '1Mi', 64], []],
    ['a sixteenth', ['32Mi', '32Mi', 512], []],
    [
      'more than a sixteenth',
      ['17Mi', '16Mi', 256],
      ['max-request-size: `17Mi`.*256Mi.*at most 16Mi'],
    ],
    [
      'both',
      ['64Mi', '64Mi', 512],
      ['max-request-size', 'max-response-size: `64Mi`.*at most 32Mi'],
    ],
    [
      'more than any sidecar takes',
      ['4Mi', '33Mi', 65_536],
      ['max-response-size.*never more than 32Mi.$'],
    ],
    ['more than the default, in a small sidecar', ['5Mi', '16Mi', 64], ['`5Mi`.*at most 4Mi']],
  ])('%s', (_name, sizes, expected) => {
    expect(errors(sizes)).toEqual(expected.map((part) => expect.stringMatching(new RegExp(part))))
  })

  test('the budget is a quarter of the memory, and has an end', () => {
    expect([budgetOf(256 * MIB), budgetOf(64 * 1024 * MIB)]).toEqual([64 * MIB, 128 * MIB])
  })
})
