// The audit record's schema, its file for others' tools, and an example of every event in the README.

import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import * as z from 'zod/mini'
import { sealOf } from '../../../../shared/audit/chain.ts'
import { recordSchema } from '../../../../shared/audit/record.ts'

const file = (name: string): URL => new URL(`../../../../shared/audit/${name}`, import.meta.url)
const README = readFileSync(file('README.md'), 'utf8')
const EXAMPLES = [...README.matchAll(/^(\{"v":1,.*\})$/gm)].map(([, line = '']) => line)
const EVENTS = recordSchema.def.options.map(({ def }) => def.shape.event.def.values[0])

test('the JSON Schema is that of the type', () => {
  const generated = {
    $schema: '',
    $id: 'https://outrigger.dev/schemas/audit-record.v1.json',
    title: 'An audit record of Outrigger, version 1',
    ...z.toJSONSchema(recordSchema),
  }
  if (process.env['UPDATE_GOLDEN'] === '1') {
    writeFileSync(file('record.schema.json'), `${JSON.stringify(generated, null, 2)}\n`)
  }
  expect(JSON.parse(readFileSync(file('record.schema.json'), 'utf8'))).toEqual(generated)
})

test('every kind of event has one example, in the order of the schema', () => {
  expect(EXAMPLES.map((line) => JSON.parse(line).event)).toEqual(EVENTS)
})

test.each(EXAMPLES)('an example is a record, and bears its own hash: %s', (line) => {
  expect(recordSchema.safeParse(JSON.parse(line)).error?.issues ?? []).toEqual([])
  expect(sealOf(line)).toBe(JSON.parse(line).hash)
})
