import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { z } from 'zod'
import { VERSION } from '../../../shared/names.ts'

test("the version is the package's", () => {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')
  expect(VERSION).toBe(z.object({ version: z.string() }).parse(JSON.parse(text)).version)
})
