import { describe, expect, test } from '@jest/globals'
import { covers, globOf, overlaps } from '../../../../shared/policy/glob.ts'

describe('globOf', () => {
  test.each([
    ['read_file', 'read_file', true],
    ['read_file', 'read_files', false],
    ['read_*', 'read_', true],
    ['read_*', 'read', false],
    ['*', '', true],
    ['*_file', 'read_file', true],
    ['*_file', 'read_file_', false],
    ['a*b*c', 'a-b-c', true],
    ['a*b*c', 'a-c-b', false],
    ['a*a', 'a', false],
    ['ab*ba', 'aba', false],
    ['a**b', 'ab', true],
    ['a.c', 'abc', false],
    ['[a-z]*', 'abc', false],
    ['read_*', 'READ_file', false],
    ['read_*', 'rеad_file', false],
    ['*', 'a\nb', true],
  ])('%j and %j: %s', (pattern, name, is) => {
    expect(globOf(pattern).matches(name)).toBe(is)
  })

  test('looks at a long name once, whatever the pattern', () => {
    const pattern = globOf('*a'.repeat(200) + '*b')
    const startMs = performance.now()
    expect(pattern.matches('a'.repeat(4 * 1024 * 1024))).toBe(false)
    // Backtracking would take longer than anybody lives.
    expect(performance.now() - startMs).toBeLessThan(60_000)
  })
})

describe('overlaps', () => {
  test.each([
    ['a*', '*b', true],
    ['a*', 'b*', false],
    ['a', 'a', true],
    ['a', 'b', false],
    ['', '', true],
    ['*', '', true],
    ['a*c', 'ab*', true],
    ['a*c', 'a*d', false],
    ['x*y*z', '*y*', true],
    ['file:///public/*', 'file:///*', true],
    ['file:///public/*', 'file:///private/*', false],
    ['*a*', 'b*b', true],
    ['ab', 'a*b*c', false],
  ])('%j and %j: %s', (a, b, are) => {
    expect([overlaps(a, b), overlaps(b, a)]).toEqual([are, are])
  })
})

describe('covers', () => {
  test.each([
    ['*', 'a*b', true],
    ['a*', 'a*b', true],
    ['a*', '*', false],
    ['ab*', 'a*', false],
    ['a*b', 'a*b', true],
    ['a', 'a', true],
    ['a', 'a*', false],
  ])('%j covers %j: %s', (wide, narrow, does) => {
    expect(covers(globOf(wide), narrow)).toBe(does)
  })
})
