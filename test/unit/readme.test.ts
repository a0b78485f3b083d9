// README.md has the commands that test/integration/readme.test.ts runs, and no others.

import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { BLOCKS, rowOf, ROWS } from '../support/readme-places.ts'
import { commandRows, shellBlocks, spokenCommands } from '../support/readme.ts'

const README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')

test('every shell block has its place, under its heading', () => {
  expect(shellBlocks(README).map(({ heading }) => heading)).toEqual(
    BLOCKS.map(([heading]) => heading),
  )
})

test('every command of the table has its place', () => {
  const rows = commandRows(README)
  expect(rows.map(({ command }) => rowOf(command) ?? command)).toEqual(ROWS)
})

test('a README without its blocks, its table or its words is none', () => {
  const without = '# Outrigger\n\n```yaml\na: 1\n```\n\nNothing to run.\n'
  expect(() => shellBlocks(without)).toThrow('no shell block')
  expect(() => commandRows(without)).toThrow('no table of commands')
  expect(() => spokenCommands(without, /^npm start/)).toThrow('speaks of no')
})
