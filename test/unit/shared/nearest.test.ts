import { describe, expect, test } from '@jest/globals'
import { KEYS } from '../../../shared/annotations.ts'
import { nearest } from '../../../shared/nearest.ts'

describe('nearest', () => {
  test.each([
    ['injct', 'inject'],
    ['Inject', 'inject'],
    ['inejct', 'inject'],
    ['idel-timeout', 'idle-timeout'],
    ['processmodel', 'process-model'],
    ['oidc-issuer', 'oidc-issuers'],
    ['auht', 'auth'],
    ['port', 'port'],
  ])('%s means %s', (word, meant) => {
    expect(nearest(word, KEYS)).toBe(meant)
  })

  test.each(['xyzzy', '', 'x'.repeat(65), 'replicas'])('%j means nothing of ours', (word) => {
    expect(nearest(word, KEYS)).toBeUndefined()
  })
})
