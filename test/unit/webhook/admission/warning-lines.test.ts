// What kubectl shows of warnings: the API server may cut each at 256 characters, and all of them at 4,096.

import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { boundWarnings } from '../../../../webhook/admission/warning-lines.ts'
import { isObject, objectsAt, stringAt, stringsAt, type Json } from '../../../../shared/json.ts'

const MOST = 256
const CASES = join(import.meta.dirname, '../../../golden/inject')

/** Every warning of the golden cases, and every denial as a workload's author is warned of it. */
const goldenTexts = (): readonly string[] =>
  globSync('*/outcome.json', { cwd: CASES }).flatMap((name) => {
    const outcome: Json = JSON.parse(readFileSync(join(CASES, name), 'utf8'))
    if (!isObject(outcome)) throw new Error(`${name}: its outcome is no object`)
    const denials = objectsAt(outcome, 'violations').map((one) => stringAt(one, 'message') ?? '')
    const pods = `pods of Deployment ${'w'.repeat(50)}`
    return (stringsAt(outcome, 'warnings') ?? []).concat(
      denials.map((message) => `${pods} will be denied: ${message}`),
    )
  })

/** The words of a warning, without what a line has of its own. */
const joined = (lines: readonly string[], head: string): string =>
  lines
    .map((line) => (line.startsWith(`${head}… `) ? line.slice(head.length + 2) : line))
    .map((line) => line.replace(/ …$/, ''))
    .join('')
    .replaceAll(' ', '')

const commandsIn = (text: string): readonly string[] => text.match(/`[^`]+`/g) ?? []

const headOf = (text: string): string => text.slice(0, text.indexOf(': ') + 2)

describe('what is said of pods', () => {
  const texts = goldenTexts()

  test('some of it is longer than a line', () => {
    expect(texts.filter(({ length }) => length > MOST).length).toBeGreaterThan(5)
  })

  test.each(texts.filter(({ length }) => length > MOST))('arrives whole: %s', (text) => {
    const lines = boundWarnings([text])
    expect(lines.filter(({ length }) => length > MOST)).toEqual([])
    expect(joined(lines, headOf(text))).toBe(text.replaceAll(' ', ''))
    const fitting = commandsIn(text).filter(({ length }) => length < MOST / 2)
    expect(fitting.filter((command) => !lines.some((line) => line.includes(command)))).toEqual([])
  })

  test.each(texts.filter(({ length }) => length <= MOST))('is a line: %s', (text) => {
    expect(boundWarnings([text])).toEqual([text])
  })
})

describe('what is longer than a line', () => {
  const what = `container web: ${'a'.repeat(150)}; ${'b'.repeat(60)}`

  test.each([
    [
      'goes on behind a part of a sentence, under the same head',
      `${what}; use \`outrigger images add web\``,
      [`${what}; …`, 'container web: … use `outrigger images add web`'],
    ],
    [
      'goes on before a command',
      `container web: ${'a'.repeat(200)} \`outrigger images add registry.example/web:1\``,
      [
        `container web: ${'a'.repeat(200)} …`,
        'container web: … `outrigger images add registry.example/web:1`',
      ],
    ],
    [
      'without a head, and without a place to break it',
      'x'.repeat(300),
      [`${'x'.repeat(254)} …`, `… ${'x'.repeat(46)}`],
    ],
    [
      'keeps a character of two units whole',
      `${'x'.repeat(253)}😀${'y'.repeat(9)}`,
      [`${'x'.repeat(253)} …`, `… 😀${'y'.repeat(9)}`],
    ],
  ])('%s', (_, text, lines) => {
    expect(boundWarnings([text])).toEqual(lines)
  })

  const [long, other] = ['a'.repeat(200), 'b'.repeat(200)]

  // The API server drops a line that was said before.
  test.each([
    [
      'its end',
      [`container web: ${long}; use ${other}`, `container web: not ${long}; use ${other}`],
      [
        `container web: ${long}; …`,
        `container web: … use ${other}`,
        `container web: not ${long}; …2`,
        `container web: …2 use ${other}`,
      ],
    ],
    [
      'its beginning',
      [`container web: ${long}; use ${other}`, `container web: ${long}; not ${other}`],
      [
        `container web: ${long}; …`,
        `container web: … use ${other}`,
        `container web: ${long}; …2`,
        `container web: …2 not ${other}`,
      ],
    ],
    [
      'its end with a warning of one line',
      [`container web: ${long}; use ${other}`, `container web: … use ${other}`],
      [`container web: ${long}; …`, `container web: … use ${other}`],
    ],
    [
      'a part with itself',
      ['x'.repeat(1000)],
      [`${'x'.repeat(254)} …`, `… ${'x'.repeat(252)} …`, `… ${'x'.repeat(242)}`],
    ],
  ])('has lines of its own where it shares %s', (_, texts, lines) => {
    expect(boundWarnings(texts)).toEqual(lines)
    expect(new Set(lines).size).toBe(lines.length)
  })

  test('ends where it tells nothing more', () => {
    const lines = boundWarnings(['x '.repeat(100_000)])
    expect(lines.join('').length).toBeLessThan(1100)
    expect(lines.at(-1)).toMatch(/…$/)
  })

  test('is left out whole where all of it has no room', () => {
    const many = Array.from({ length: 10 }, (_, i) => `pod: ${i} ${'long '.repeat(120)}end`)
    const lines = boundWarnings(many)
    expect(lines.filter((line) => line.endsWith('end')).length).toBe(6)
    expect(lines.at(-1)).toBe('outrigger: 4 more warnings were left out')
  })
})

describe('all of them', () => {
  test('keep within what the API server passes on', () => {
    const warnings = boundWarnings([
      'a\nb\u0007',
      'x'.repeat(1000),
      ...Array.from({ length: 100 }, (_, i) => `${i} ${'y'.repeat(100)}`),
    ])
    expect(warnings[0]).toBe('a b ')
    expect(warnings.every((warning) => warning.length <= MOST)).toBe(true)
    expect(warnings.join('').length).toBeLessThanOrEqual(4096)
    expect(warnings.at(-1)).toMatch(/^outrigger: \d+ more warnings were left out$/)
  })

  test('hold nothing for which the API server would drop them', () => {
    expect(boundWarnings(['a\nb\u0085c\u009B31m\u001B[2Jd'])).toEqual(['a b c 31m [2Jd'])
  })

  test('are given once', () => {
    expect(boundWarnings(['a', 'a'])).toEqual(['a'])
  })
})
