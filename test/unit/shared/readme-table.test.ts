import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { renderAnnotationTable, TABLE_BEGIN, TABLE_END } from '../../support/annotation-table.ts'

test("the README's annotation table is the table in shared/", () => {
  const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8')
  const [, rest] = readme.split(TABLE_BEGIN)
  const [table] = rest?.split(TABLE_END) ?? []
  expect(table?.trim()).toBe(renderAnnotationTable())
})
