// What `npm run lint` refuses among folders: whatever goes up, sideways, or where the plan names nothing.

import { describe, expect, test } from '@jest/globals'
import { emptyFolders, importsOf, wrongImports } from '../../lint/folders.ts'
import { PLAN } from '../../lint/plan.ts'

const plan = {
  programs: ['top', 'left right', 'base'],
  floors: { left: ['.', 'upper also-upper', 'lower', 'lower/room'] },
}

describe('an import', () => {
  const down = [
    ['within a folder', 'left/lower/a.ts', 'left/lower/b.ts'],
    ['of a lower folder', 'left/upper/a.ts', 'left/lower/b.ts'],
    ['of a room of the folder', 'left/lower/a.ts', 'left/lower/room/b.ts'],
    ["from the program's own files", 'left/main.ts', 'left/upper/b.ts'],
    ['of a lower program', 'left/upper/a.ts', 'base/b.ts'],
    ['of a program two lines below', 'top/a.ts', 'base/b.ts'],
    ['of any folder of a lower program', 'top/a.ts', 'left/lower/b.ts'],
  ] as const
  test.each(down)('%s is right', (_name, from, to) => {
    expect(wrongImports(plan, [{ from, to }])).toEqual([])
  })

  test.each([
    ...down
      .filter(([name]) => name !== 'within a folder')
      .map(([name, from, to]) => [`the reverse: ${name}`, to, from] as const),
    ['of a folder beside', 'left/upper/a.ts', 'left/also-upper/b.ts'],
    ['of a program beside', 'left/upper/a.ts', 'right/b.ts'],
  ])('%s is wrong', (_name, from, to) => {
    expect(wrongImports(plan, [{ from, to }])).toEqual([
      expect.stringContaining(`${from} imports ${to}: `),
    ])
  })

  test.each([
    ['from a folder that the plan lacks', 'left/other/a.ts', 'base/b.ts'],
    ['of a folder that the plan lacks', 'left/upper/a.ts', 'base/other/b.ts'],
    ['of a program that the plan lacks', 'left/upper/a.ts', 'test/support/b.ts'],
    ['that is computed', 'left/upper/a.ts', 'what a computed import() names'],
  ])('%s is wrong', (_name, from, to) => {
    expect(wrongImports(plan, [{ from, to }])).toEqual([
      expect.stringContaining('stands in no line'),
    ])
  })
})

describe('the imports of a file', () => {
  test.each([
    ['a value', "import { a } from '../b.ts'"],
    ['a type', "import type { A } from '../b.ts'"],
    ['a type among values', "import { a, type A } from '../b.ts'"],
    ['all of it', "import * as b from '../b.ts'"],
    ['on several lines', "import {\n  a,\n  type A,\n} from '../b.ts'"],
    ['for its effects', "import '../b.ts'"],
    ['handed on', "export { a } from '../b.ts'"],
    ['all of it handed on', "export * from '../b.ts'"],
    ['dynamic', "const { a } = await import('../b.ts')"],
    ['dynamic, on several lines', "const { a } = await import(\n  '../b.ts'\n)"],
    ['as a type in place', "let a: import('../b.ts').A"],
  ])('%s', (_name, source) => {
    expect(importsOf('left/upper/a.ts', source)).toEqual([
      { from: 'left/upper/a.ts', to: 'left/b.ts' },
    ])
  })

  test.each([
    ['of a package', "import { a } from 'package'\nimport { readFileSync } from 'node:fs'"],
    ['none', "const from = '../b.ts'"],
  ])('%s are left out', (_name, source) => {
    expect(importsOf('left/upper/a.ts', source)).toEqual([])
  })

  test('one that is computed is wrong', () => {
    const imports = importsOf('left/upper/a.ts', 'await import(path)')
    expect(wrongImports(plan, imports)).toHaveLength(1)
  })
})

test('a folder of the plan in which nothing stands is told', () => {
  const files = ['top/a.ts', 'left/a.ts', 'left/upper/a.ts', 'left/lower/a.ts', 'base/a.ts']
  expect(emptyFolders(plan, files)).toEqual(
    ['left/also-upper', 'left/lower/room', 'right'].map(
      (folder) => `test/lint/plan.ts names ${folder}, where no file stands`,
    ),
  )
})

test.each([
  ['the eras know each other', 'sidecar/legacy/legacy.ts', 'sidecar/modern/modern.ts'],
  ['HTTP knows the pipeline', 'sidecar/http/listener.ts', 'sidecar/pipeline/stage.ts'],
  ['a message knows telemetry', 'sidecar/mcp/message.ts', 'sidecar/telemetry/trace.ts'],
  ['what the eras share knows one', 'sidecar/conversation/channel.ts', 'sidecar/legacy/session.ts'],
  ['webhook knows sidecar', 'webhook/main.ts', 'sidecar/sidecar.ts'],
  ['settings know injection', 'webhook/settings/floor.ts', 'webhook/inject/outcome.ts'],
  ['shared knows a program', 'shared/log.ts', 'cli/command/port.ts'],
])('in this repository it is wrong that %s', (_name, from, to) => {
  expect(wrongImports(PLAN, [{ from, to }])).toHaveLength(1)
})
