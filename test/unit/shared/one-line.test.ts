import { describe, expect, test } from '@jest/globals'
import { oneLine } from '../../../shared/one-line.ts'

describe('another’s text in a line of ours', () => {
  test.each<[string, string, string]>([
    ['plain text stays', 'a «b» – ü 😀', 'a «b» – ü 😀'],
    ['it cannot end the line', 'a\r\n\u2028b\u0085c', 'a b c'],
    ['it cannot steer a terminal', 'a\u001B[2Jb\u009B31mc\u007F', 'a [2Jb 31mc '],
    ['it cannot turn the text around', 'a\u202Eb\u2066c', 'a b c'],
    ['it cannot mark a direction', 'a\u200Eb\u200Fc\u061Cd', 'a b c d'],
    ['what joins letters stays', 'a\u200Db\u200Cc', 'a\u200Db\u200Cc'],
  ])('%s', (_name, text, expected) => {
    expect(oneLine(text)).toBe(expected)
  })
})
