import { describe, expect, test } from '@jest/globals'
import { admit } from '../../../webhook/rules/admit.ts'
import { expectGolden, goldenCases } from '../../support/golden.ts'

const cases = goldenCases()

describe('render, by golden files', () => {
  test('there are at least forty', () => {
    expect(cases.length).toBeGreaterThanOrEqual(40)
  })

  test.each(cases)('$name', ({ name, pod, namespace, config }) => {
    const before = structuredClone(pod)
    const { decided: outcome } = admit(pod, namespace, config)
    expectGolden(name, outcome)
    expect(pod).toEqual(before)
    // The API server may cut a warning there, and with it what to do.
    const long = outcome.warnings.filter((line) => line.length > 256)
    expect(outcome.kind === 'inject' ? long : []).toEqual([])
    if (outcome.kind === 'inject') {
      const { decided } = admit(outcome.pod, namespace, config)
      expect(decided).toMatchObject({ kind: 'inject', patch: [], pod: outcome.pod })
    }
  })
})
