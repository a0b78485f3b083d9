import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { renderWays, WAYS, WAYS_BEGIN, WAYS_END } from '../support/bypasses/table.ts'

const SECURITY = new URL('../../SECURITY.md', import.meta.url)
const text = (): string => readFileSync(SECURITY, 'utf8')

describe('SECURITY.md', () => {
  test('lists every way past the rules that was tried, and what becomes of it', () => {
    const [before = '', rest] = text().split(WAYS_BEGIN)
    const [table, after] = rest?.split(WAYS_END) ?? []
    if (process.env['UPDATE_GOLDEN'] === '1' && after !== undefined) {
      const written = `${WAYS_BEGIN}\n\n${renderWays()}\n\n${WAYS_END}`
      writeFileSync(SECURITY, `${before}${written}${after}`)
      return
    }
    expect(table?.trim()).toBe(renderWays())
    const names = WAYS.map(({ who, name, where }) => `${who}: ${name} ${where ?? ''}`)
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
  })

  const closed = WAYS.flatMap(({ name, becomes }) =>
    'cluster' in becomes ? [[name, becomes.cluster] as const] : [],
  )
  test.each(closed)('names as the cluster’s to close: %s', (_name, words) => {
    const [, section = ''] = text().split("What is the cluster's to close:")
    expect(section.split('\n## ')[0]).toContain(words)
  })
})
