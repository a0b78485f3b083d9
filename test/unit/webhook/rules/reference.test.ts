import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { renderRuleTable, RULES_BEGIN, RULES_END } from '../../../support/rule-table.ts'

const README = new URL('../../../../webhook/rules/README.md', import.meta.url)

test('the reference page is the table of rules', () => {
  const readme = readFileSync(README, 'utf8')
  const [before = '', rest] = readme.split(RULES_BEGIN)
  const [table, after] = rest?.split(RULES_END) ?? []
  if (process.env['UPDATE_GOLDEN'] === '1' && after !== undefined) {
    const written = `${RULES_BEGIN}\n\n${renderRuleTable()}\n\n${RULES_END}`
    writeFileSync(README, `${before}${written}${after}`)
    return
  }
  expect(table?.trim()).toBe(renderRuleTable())
})
