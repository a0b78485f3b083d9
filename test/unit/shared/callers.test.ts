import { describe, expect, test } from '@jest/globals'
import { callerOf, type Caller } from '../../../shared/callers.ts'

const RIGHT: readonly (readonly [string, Caller])[] = [
  ['*', { kind: 'everybody' }],
  ['team-a', { kind: 'namespace', namespace: 'team-a' }],
  ['10', { kind: 'namespace', namespace: '10' }],
  ['a/app=x', { kind: 'namespace', namespace: 'a', label: ['app', 'x'] }],
  [
    'a/app.kubernetes.io/name=x_1.2',
    { kind: 'namespace', namespace: 'a', label: ['app.kubernetes.io/name', 'x_1.2'] },
  ],
  ['app=x', { kind: 'neighbours', label: ['app', 'x'] }],
  ['app.kubernetes.io/name=x', { kind: 'neighbours', label: ['app.kubernetes.io/name', 'x'] }],
  ['10.0.0.0/8', { kind: 'range', cidr: '10.0.0.0/8' }],
  ['10.1.2.3', { kind: 'range', cidr: '10.1.2.3/32' }],
  ['fd00::/8', { kind: 'range', cidr: 'fd00::/8' }],
  ['0.0.0.0/0', { kind: 'range', cidr: '0.0.0.0/0' }],
  ['::ffff:10.0.0.0/104', { kind: 'range', cidr: '10.0.0.0/8' }],
]

const WRONG = [
  '',
  ' ',
  '**',
  'a*',
  'A',
  'a.b',
  '-a',
  'a-',
  'a/',
  '/app=x',
  'a/b',
  'a/b/c/d=x',
  'a/app',
  'a/app=',
  'a/=x',
  '=x',
  'app=x=y',
  'app==x',
  'app!=x',
  'a/app=x,b',
  'a.b/c/d=e',
  '10.0.0.1/8',
  '10.0.0.0/33',
  '10.0.0.0/08',
  'fe80::1%eth0',
  '[fd00::]/8',
  'a'.repeat(64),
  `a/${'b'.repeat(64)}=x`,
  `a/b=${'x'.repeat(64)}`,
  `${'a.'.repeat(200)}a/b=x`,
  'a\n',
]

describe('callerOf', () => {
  test.each(RIGHT)('%s', (text, caller) => {
    expect(callerOf(text)).toEqual(caller)
  })
  test.each(WRONG)('%j is nobody', (text) => {
    expect(callerOf(text)).toBeUndefined()
  })
  test('a long text is looked at no longer than a short one', () => {
    const before = process.cpuUsage()
    for (const part of ['a', 'a.', '-', 'a/', 'a=', '1', '1.', ':']) callerOf(part.repeat(500_000))
    // The machine's other work is not counted.
    const { user, system } = process.cpuUsage(before)
    expect((user + system) / 1000).toBeLessThan(100)
  })
})
