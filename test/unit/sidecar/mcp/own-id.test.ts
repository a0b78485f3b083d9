// Which texts are a number of ours, and which ids are the same.

import { describe, expect, test } from '@jest/globals'
import {
  idKey,
  ownNumber,
  ownNumberInAnySpelling,
  tokenLike,
} from '../../../../sidecar/mcp/own-id.ts'

describe('a number of ours', () => {
  test.each([
    ['101', 101, 101],
    ['9007199254740991', 9_007_199_254_740_991, 9_007_199_254_740_991],
    ['"101"', undefined, 101],
    ['101.0', undefined, 101],
    ['101.000', undefined, 101],
    ['1.01e2', undefined, 101],
    ['1010E-1', undefined, 101],
    ['1e3', undefined, 1000],
    ['"101.0"', undefined, 101],
    ['"1e3"', undefined, 1000],
    ['"\\u0031"', undefined, 1],
    ['0', undefined, undefined],
    ['-0', undefined, undefined],
    ['-101', undefined, undefined],
    ['101.5', undefined, undefined],
    ['1e-3', undefined, undefined],
    ['1e16', undefined, undefined],
    ['1e999999999999999999', undefined, undefined],
    ['9'.repeat(200), undefined, undefined],
    ['""', undefined, undefined],
    ['"0101"', undefined, undefined],
    ['" 101"', undefined, undefined],
    ['"+101"', undefined, undefined],
    ['"0x65"', undefined, undefined],
    ['"NaN"', undefined, undefined],
    ['null', undefined, undefined],
    ['true', undefined, undefined],
    ['{}', undefined, undefined],
    ['[101]', undefined, undefined],
  ])('%s: as we write it %s, in any spelling %s', (text, exact, loose) => {
    expect([ownNumber(text), ownNumberInAnySpelling(text)]).toEqual([exact, loose])
  })
})

test.each([
  ['"t"', '"7"'],
  ['"1"', '"7"'],
  ['1', '7'],
  ['1.0', '7'],
])('our token for a client that writes %s is %s', (theirs, ours) => {
  expect(tokenLike(theirs, 7)).toBe(ours)
})

describe('idKey', () => {
  test.each([
    ['1', '1.0', true],
    ['1', '1e0', true],
    ['100', '1E+2', true],
    ['100', '1.00e2', true],
    ['0.5', '5e-1', true],
    ['0', '-0', true],
    ['0', '0.0e5', true],
    ['"a"', '"\\u0061"', true],
    ['1', '"1"', false],
    ['1', '-1', false],
    ['9007199254740992', '9007199254740993', false],
    ['9007199254740993', '9007199254740993.0', true],
    ['1e999', '2e999', false],
    ['"\\ud800"', '"\\ud801"', false],
    ['"\\ud800"', '"undefined"', false],
    ['"s"', '"ss"', false],
  ])('%s and %s: %s', (a, b, isSame) => {
    expect(idKey(a) === idKey(b)).toBe(isSame)
  })
})
