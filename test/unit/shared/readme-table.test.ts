import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { renderAnnotationTable, TABLE_BEGIN, TABLE_END } from '../../support/annotation-table.ts'

const README = new URL('../../../README.md', import.meta.url)

test("the README's annotation table is the table in shared/", () => {
  const readme = readFileSync(README, 'utf8')
  const [before = '', rest] = readme.split(TABLE_BEGIN)
  const [table, after] = rest?.split(TABLE_END) ?? []
  if (process.env['UPDATE_GOLDEN'] === '1' && after !== undefined) {
    const written = `${TABLE_BEGIN}\n\n${renderAnnotationTable()}\n\n${TABLE_END}`
    writeFileSync(README, `${before}${written}${after}`)
    return
  }
  expect(table?.trim()).toBe(renderAnnotationTable())
})
