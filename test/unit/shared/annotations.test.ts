import { describe, expect, test } from '@jest/globals'
import { annotation, isKey, KEYS, SCOPES, type Key } from '../../../shared/annotations.ts'
import { parseSettings, parseValue } from '../../../shared/settings.ts'

/** What whoever writes a pod has no say in. */
const PLATFORM: readonly Key[] = ['audit-redact', 'audit-digest-secret', 'audit-signing-secret']

describe('the annotation table', () => {
  test.each(KEYS)('%s is whole', (key) => {
    const row = annotation(key)
    expect(row.doc).toMatch(/\.$/)
    expect(row.scopes).toEqual(SCOPES.filter((scope) => row.scopes.includes(scope)))
    expect(row.scopes.includes('pod')).toBe(!PLATFORM.includes(key))
    if (row.default !== undefined) expect(parseValue(key, row.default).ok).toBe(true)
    if (row.type === 'enum') expect(row.values?.length).toBeGreaterThan(1)
    if (row.tighten?.by === 'order') {
      const values = row.values ?? ['true', 'false']
      expect([...row.tighten.order].sort()).toEqual([...values].sort())
    }
  })

  test('the defaults alone are settings', () => {
    expect(parseSettings({})).toMatchObject({
      ok: true,
      value: { transport: 'auto', 'idle-timeout': 1_800_000, 'needs-kube-api': false },
    })
  })

  test.each(['', 'constructor', '__proto__', 'Inject', 'outrigger.dev/inject'])(
    '%j is no key',
    (word) => {
      expect(isKey(word)).toBe(false)
    },
  )
})
