import { describe, expect, test } from '@jest/globals'
import { annotation, isKey, KEYS, type Key } from '../../../../shared/annotations.ts'
import { parseValue } from '../../../../shared/settings.ts'
import { readClusterConfig } from '../../../../webhook/cluster/config.ts'
import { lessFix, moreFix } from '../../../../webhook/settings/less.ts'
import { resolveSettings } from '../../../../webhook/settings/resolve.ts'
import { readScope } from '../../../../webhook/settings/scopes.ts'

const config = readClusterConfig('sidecar: { image: i }')
if (!config.ok) throw new Error(config.error.join())
const { floor } = config.value

/** Undefined: within. */
type Row = readonly [name: string, key: Key, above: string, below: string, fix: string | undefined]

describe('a limit below a limit', () => {
  test.each<Row>([
    ['the same number', 'concurrency-limit', '4', '4', undefined],
    ['a smaller number', 'concurrency-limit', '10', '9', undefined],
    ['a larger number', 'concurrency-limit', '9', '10', 'use `9` or less'],
    ['more processes', 'max-processes', '2', '32', 'use `2` or less'],
    ['a shorter time in another unit', 'request-timeout', '2m', '90s', undefined],
    ['the same time in another unit', 'idle-timeout', '30m', '1800s', undefined],
    ['a longer time that looks smaller', 'request-timeout', '90s', '2m', 'use `90s` or less'],
    ['a smaller size in another unit', 'max-request-size', '2Mi', '900Ki', undefined],
    ['a larger size', 'max-response-size', '900Ki', '1Mi', 'use `900Ki` or less'],
    ['a slower rate', 'rate-limit', '300/m', '100/m', undefined],
    ['the same rate with fewer at once', 'rate-limit', '300/m', '5/s', undefined],
    [
      'the same rate with more at once',
      'rate-limit',
      '5/s',
      '300/m',
      'use `5/s` or less, as a rate and as how many may come at once',
    ],
    [
      'fewer at once, faster',
      'rate-limit',
      '300/m',
      '6/s',
      'use `300/m` or less, as a rate and as how many may come at once',
    ],
    ['a breaker of fewer failures', 'circuit-breaker', '5/30s', '3/30s', undefined],
    ['a breaker of a longer pause', 'circuit-breaker', '5/30s', '5/1m', undefined],
    [
      'a breaker of a shorter pause',
      'circuit-breaker',
      '5/30s',
      '3/10s',
      'use `5/30s`, fewer failures or a longer pause',
    ],
    [
      'a breaker of more failures',
      'circuit-breaker',
      '5/30s',
      '6/1m',
      'use `5/30s`, fewer failures or a longer pause',
    ],
    ['the same tools in another order', 'tool-limits', 'a=5/m,b=2', 'b=2, a=5/m', undefined],
    ['one tool more', 'tool-limits', 'a=5/m', 'a=5/m,b=2', undefined],
    ['one kind more of a tool', 'tool-limits', 'a=5/m', 'a=5/m,a=2', undefined],
    ['a tool that is left out', 'tool-limits', 'a=5/m,b=2', 'a=5/m', 'add `b=2` or less'],
    ['a kind that is left out', 'tool-limits', 'a=5/m,a=2', 'a=5/m', 'add `a=2` or less'],
    ['less of each kind', 'tool-limits', 'a=60/m,a=3,a=5m', 'a=1/s,a=2,a=60s', undefined],
    ['more at once of a tool', 'tool-limits', 'a=2', 'a=3', 'use `a=2` or less'],
    ['a faster tool', 'tool-limits', 'a=5/m', 'a=6/m', 'use `a=5/m` or less'],
    ['a longer tool', 'tool-limits', 'a=5m', 'a=301s', 'use `a=5m` or less'],
    [
      'several, of which some are told',
      'tool-limits',
      'a=1,b=1,c=1,d=1,e=1',
      'a=2,z=9',
      'use `a=1` or less; add `b=1`, `c=1`, `d=1` and 1 more or less',
    ],
  ])('%s', (_name, key, ...[above, below, fix]) => {
    for (const text of [above, below]) expect(parseValue(key, text)).toMatchObject({ ok: true })
    expect(lessFix(key, above, below)).toBe(fix)
  })

  test('every limit of the table is one, and keeps within itself', () => {
    const limits = KEYS.filter((key) => annotation(key).tighten?.by === 'limit')
    const counted = ['integer', 'duration', 'size', 'rate', 'tool-limits', 'breaker']
    const isLeast = (key: Key): boolean => annotation(key).tighten?.by === 'least'
    const numbers = KEYS.filter((key) => counted.includes(annotation(key).type))
    expect(limits).toEqual(numbers.filter((key) => !isLeast(key)))
    for (const key of limits) {
      const text = annotation(key).default
      if (text !== undefined) expect(lessFix(key, text, text)).toBeUndefined()
    }
  })
})

describe('what there may only be more of', () => {
  test.each([
    ['the same', '64Mi', '64Mi', undefined],
    ['more in another unit', '8Mi', '9000Ki', undefined],
    ['less', '64Mi', '32Mi', 'use `64Mi` or more'],
  ])('%s', (_name, above, below, fix) => {
    expect(moreFix('audit-size', above, below)).toBe(fix)
  })
})

describe('through the scopes', () => {
  const said = (scope: 'cluster' | 'namespace' | 'workload' | 'pod', texts: object) =>
    readScope(
      scope,
      scope,
      Object.fromEntries(
        Object.entries(texts).map(([key, text]) => [`outrigger.dev/${key}`, text]),
      ),
    )
  const resolve = (...scopes: readonly ReturnType<typeof said>[]) => {
    const { placed, violations } = resolveSettings(scopes, floor)
    const told = violations.filter(({ key = '' }) => isKey(key) && annotation(key).tighten)
    return { placed, told: told.map(({ code, message }) => `${code}: ${message}`) }
  }

  test('the nearest higher word that holds is the bound, and what goes beyond it does not count', () => {
    const { placed, told } = resolve(
      said('cluster', { 'rate-limit': '300/m' }),
      said('namespace', { 'rate-limit': '60/m' }),
      said('workload', { 'rate-limit': '100/m' }),
      said('pod', { 'rate-limit': '1/s' }),
    )
    expect(told).toEqual([
      'loosened: workload: outrigger.dev/rate-limit: `100/m` loosens `60/m`, which namespace fixes; use `60/m` or less, as a rate and as how many may come at once',
    ])
    expect(placed.get('rate-limit')).toMatchObject({
      text: '1/s',
      where: 'pod',
      within: { text: '60/m', where: 'namespace', within: { text: '300/m', where: 'cluster' } },
    })
  })

  test("a default is nobody's bound", () => {
    expect(resolve(said('pod', { 'request-timeout': '1h', 'tool-limits': 'a=2h' })).told).toEqual(
      [],
    )
  })

  const SLOW =
    'loosened: pod: outrigger.dev/tool-limits: `a=2m,b=30s` loosens `60s` of request-timeout, which namespace fixes; use `a=60s` or less'
  test.each([
    ['a tool that would take longer than the namespace lets any', {}, 'a=2m,b=30s', [SLOW]],
    ['a tool that the namespace lets', { 'tool-limits': 'a=5m' }, 'a=2m,b=30s', []],
    ['a tool that takes less', {}, 'a=1m,b=30s', []],
  ])('%s', (_name, more, texts, messages) => {
    const above = said('namespace', { 'request-timeout': '60s', ...more })
    expect(resolve(above, said('pod', { 'tool-limits': texts })).told).toEqual(messages)
  })

  test('what stands beside it in the same scope binds no tool', () => {
    const pod = said('pod', { 'tool-limits': 'a=2m', 'request-timeout': '60s' })
    expect(resolve(pod).told).toEqual([])
  })
})
