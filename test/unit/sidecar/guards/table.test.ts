// The bounded table: whose entry goes, and who has one with others.

import { expect, test } from '@jest/globals'
import { Table } from '../../../../sidecar/guards/table.ts'

type Entry = { name: string; isUsed: boolean }

const aTable = (most: number) =>
  new Table<Entry>({
    most,
    create: () => ({ name: '', isUsed: false }),
    isUsed: ({ isUsed }) => isUsed,
  })

const named = (table: Table<Entry>, name: string): Entry => {
  const entry = table.of(name)
  entry.name = name
  return entry
}
const names = (table: Table<Entry>): string => [...table.all()].map(({ name }) => name).join('')

test('keeps what it has', () => {
  const table = aTable(2)
  expect(named(table, 'a')).toBe(named(table, 'a'))
})

test('the longest unused makes room', () => {
  const table = aTable(3)
  for (const name of ['a', 'b', 'c', 'a', 'd']) named(table, name)
  expect(names(table)).toBe('cad')
})

test('who has asked of late stays, however few others have asked since', () => {
  const table = aTable(64)
  const all = Array.from({ length: 64 }, (_, index) => `${index}`)
  for (const name of all) named(table, name)
  // The foremost asks at every turn, and is not moved at each of them.
  for (let newcomer = 0; newcomer < 200; newcomer++) {
    expect(named(table, '0')).toBe(table.of('0'))
    named(table, `new-${newcomer}`)
  }
  expect([...table.all()].map(({ name }) => name)).toContain('0')
  expect([...table.all()]).toHaveLength(64)
})

test('what is in use stays', () => {
  const table = aTable(3)
  for (const name of ['a', 'b', 'c']) named(table, name)
  table.of('a').isUsed = true
  for (const name of ['d', 'e', 'f', 'g']) named(table, name)
  expect(names(table)).toContain('a')
  expect([...table.all()]).toHaveLength(3)
})

test('where all are in use, newcomers have one together, and those who are there keep theirs', () => {
  const table = aTable(2)
  for (const name of ['a', 'b']) named(table, name).isUsed = true
  expect(table.of('c')).toBe(table.of('d'))
  expect([...table.all()].map(({ name }) => name).sort()).toEqual(['a', 'b'])
  table.of('a').isUsed = false
  expect(table.of('c')).not.toBe(table.of('b'))
})

test('a newcomer costs no more than a look at a few, however many are in use', () => {
  let looks = 0
  const table = new Table<{ isUsed: boolean }>({
    most: 4096,
    create: () => ({ isUsed: true }),
    isUsed: ({ isUsed }) => {
      looks++
      return isUsed
    },
  })
  for (let key = 0; key < 5000; key++) table.of(`${key}`)
  expect(looks).toBeLessThanOrEqual(904 * 32)
  expect([...table.all()]).toHaveLength(4096)
})
