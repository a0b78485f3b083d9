// Holds the imports of every program to test/lint/plan.ts; part of `npm run lint`.

import { globSync, readFileSync } from 'node:fs'
import { emptyFolders, importsOf, wrongImports } from './folders.ts'
import { PLAN } from './plan.ts'

const programs = PLAN.programs.flatMap((line) => line.split(' '))
const files = globSync(programs.map((program) => `${program}/**/*.ts`)).sort()
const imports = files.flatMap((file) => importsOf(file, readFileSync(file, 'utf8')))
const wrong = [...emptyFolders(PLAN, files), ...wrongImports(PLAN, imports)]
for (const sentence of wrong) process.stderr.write(`${sentence}\n`)
process.exitCode = wrong.length > 0 ? 1 : 0
