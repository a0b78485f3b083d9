import { describe, expect, test } from '@jest/globals'
import { readFileSync, writeFileSync } from 'node:fs'
import { readLock } from '../../../../shared/lock/lock.ts'
import { lockJsonSchema, MAX_LOCK_LENGTH } from '../../../../shared/lock/schema.ts'
import { placedWords } from '../../../../shared/placed-fault.ts'

const DIGEST = `sha256:${'0'.repeat(64)}`

const faultsOf = (text: string): readonly string[] => {
  const read = readLock(text)
  return read.ok ? [] : read.error.map(placedWords)
}

describe('readLock', () => {
  test('gives definitions by name, of the kinds that are there', () => {
    const read = readLock(
      `version: 1\nmode: report\ninstructions: none\ntools: { echo: { description: '${DIGEST}' } }\nprompts: {}`,
    )
    expect(read).toEqual({
      ok: true,
      value: {
        isReport: true,
        instructions: 'none',
        kinds: new Map([
          ['tools', new Map([['echo', new Map([['description', DIGEST]])]])],
          ['prompts', new Map()],
        ]),
      },
    })
  })

  test('without a mode it is enforced', () => {
    expect(readLock('version: 1')).toMatchObject({ ok: true, value: { isReport: false } })
  })

  test.each<[string, string, readonly string[]]>([
    ['nothing', '', ['line 1, column 1: the document: is missing: it must be a mapping']],
    ['another version', 'version: 2', ['line 1, column 1: version: must be 1']],
    [
      'a misspelt member',
      'version: 1\ntool: {}',
      ['line 2, column 1: tool: there is no such member; did you mean tools?'],
    ],
    [
      'a digest of another kind',
      'version: 1\ntools:\n  echo:\n    description: md5:1',
      ['line 4, column 5: tools.echo.description: must be sha256: and 64 hexadecimal digits'],
    ],
    [
      'a list of names',
      'version: 1\ntools: [echo]',
      ['line 2, column 1: tools: must be a mapping'],
    ],
    [
      'a tool twice',
      'version: 1\ntools:\n  a: {}\n  a: {}',
      ['line 4, column 3: the key stands twice'],
    ],
    [
      'instructions as text',
      'version: 1\ninstructions: Be kind.',
      ['line 2, column 1: instructions: must be sha256: and 64 hexadecimal digits, or none'],
    ],
    [
      'more than it may have',
      ' '.repeat(MAX_LOCK_LENGTH + 1),
      [`line 1, column 1: it has more than ${MAX_LOCK_LENGTH} characters`],
    ],
    [
      'more tools than it may have',
      `version: 1\ntools:\n${Array.from({ length: 2001 }, (_, index) => ` t${index}: {}`).join('\n')}`,
      ['line 2, column 1: tools: must be at most 2000 tools'],
    ],
  ])('%s', (_what, text, faults) => {
    expect(faultsOf(text)).toEqual(faults)
  })

  test('a tool may be called like a member of every object', () => {
    const read = readLock(`version: 1\ntools: { constructor: {}, toString: {} }`)
    expect(read.ok && [...(read.value.kinds.get('tools')?.keys() ?? [])]).toEqual([
      'constructor',
      'toString',
    ])
  })

  test('faults are few, however many there are', () => {
    const wrong = Array.from({ length: 2000 }, (_, index) => ` t${index}: { a: b }`).join('\n')
    expect(faultsOf(`version: 1\ntools:\n${wrong}`)).toHaveLength(50)
  })
})

test('the JSON Schema for editors is that of the reader', () => {
  const file = new URL('../../../../manifests/schemas/tool-lock.schema.json', import.meta.url)
  const schema = lockJsonSchema()
  if (process.env['UPDATE_GOLDEN'] === '1') {
    writeFileSync(file, `${JSON.stringify(schema, null, 2)}\n`)
  }
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(schema)
})
