import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
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
    ['ab*ba', '*aba', true],
    ['ab*ba', 'aba', false],
    ['a*xy', '*y*zy', false],
    ['a**b', 'a*b', true],
  ])('%j and %j: %s', (a, b, are) => {
    expect([overlaps(a, b), overlaps(b, a)]).toEqual([are, are])
  })
})

test('a template overlaps a pattern where some short name is both', () => {
  const glob = fc.array(fc.constantFrom('a', 'b', '*'), { maxLength: 5 }).map((all) => all.join(''))
  const names = [...Array(2 ** 8).keys()].map((n) =>
    n.toString(2).slice(1).replaceAll('0', 'a').replaceAll('1', 'b'),
  )
  fc.assert(
    fc.property(glob, glob, (a, b) => {
      const [left, right] = [globOf(a), globOf(b)]
      const isFound = names.some((name) => left.matches(name) && right.matches(name))
      // What both match is no longer than their letters together, and the names have seven at most.
      if (isFound) expect(overlaps(a, b)).toBe(true)
      else
        expect(
          a.replaceAll('*', '').length + b.replaceAll('*', '').length > 7 || !overlaps(a, b),
        ).toBe(true)
    }),
  )
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
