import { describe, expect, test } from '@jest/globals'
import { isStopGap, plainWords, scriptOf } from '../../../webhook/inject/shell.ts'

describe('a command that only keeps its container alive', () => {
  test.each<[string, readonly string[], boolean]>([
    ['a sleep', ['sleep', 'infinity'], true],
    ['tail -f', ['tail', '-f', '/dev/null'], true],
    ['a loop', ['/bin/sh', '-c', 'while true; do sleep 3600; done'], true],
    ['a loop behind a cd', ['sh', '-c', 'cd /app && while :; do sleep 60; done'], true],
    ['a loop over lines', ['sh', '-c', 'until false\ndo\n  sleep 60\ndone\n'], true],
    [
      'an installation, then a loop',
      ['sh', '-ec', 'npm i x\n# wait\nwhile true; do sleep 9; done'],
      true,
    ],
    ['a sleep by exec', ['sh', '-c', 'exec sleep infinity'], true],
    ['a sleep that signals end', ['bash', '-lc', 'trap : TERM INT; sleep infinity & wait'], true],
    ['standard input held open by tail', ['sh', '-c', 'tail -f /dev/null | server'], true],
    ['standard input held open by a fifo', ['sh', '-c', 'mkfifo /tmp/in; server </tmp/in'], true],
    ['a server', ['server'], false],
    ['a server after a pause', ['sh', '-c', 'sleep 5; exec server'], false],
    ['a server after a wait', ['sh', '-c', 'while ! nc -z db 1; do sleep 1; done; server'], false],
    ['a word of a server', ['server', 'sleep'], false],
    ['nothing', [], false],
  ])('%s', (_name, words, expected) => {
    expect(isStopGap(words)).toBe(expected)
  })
})

test('the script of a shell is found behind its flags', () => {
  expect(scriptOf(['/bin/bash', '-l', '-ec', 'a b'])).toBe('a b')
  expect(scriptOf(['bash', '-euo', 'pipefail', '-c', 'a b'])).toBe('a b')
  expect(scriptOf(['busybox', 'sh', '-c', 'a b'])).toBe('a b')
})

describe('what is no script of a shell', () => {
  test.each<[string, readonly string[]]>([
    ['an option of another program', ['node', '-c', 'a b']],
    ['an option of a script file', ['sh', 'start.sh', '-c', 'a b']],
    ['an option of a script file that is named like a shell', ['sh', 'bash', '-c', 'a b']],
    ['an option of another applet', ['busybox', 'wget', '-c', 'a b']],
    ['none behind its flag', ['sh', '-c']],
    ['a shell without words', ['sh']],
  ])('%s', (_name, words) => {
    expect(scriptOf(words)).toBeUndefined()
  })
})

describe('the words of a line', () => {
  test.each<[string, readonly string[] | undefined]>([
    ['npx -y server /tmp', ['npx', '-y', 'server', '/tmp']],
    [`a 'b c' "d e"f ''`, ['a', 'b c', 'd ef', '']],
    ['  a\t b ', ['a', 'b']],
    ['\na b \n\n', ['a', 'b']],
    ['', []],
    ['a $B', undefined],
    ['a && b', undefined],
    ['a | b', undefined],
    ['a "$B"', undefined],
    ['a `b`', undefined],
    ['a *', undefined],
    ["a 'b", undefined],
    ['a\\ b', undefined],
    ['a\nb', undefined],
    ['exec a b', ['a', 'b']],
    ['exec -a x b', undefined],
    ['exec', undefined],
    ['A=1 a', undefined],
    ["A='1 2' a", undefined],
    ['A+=1 a', undefined],
    ['exec A=1', undefined],
    ['cd /app', undefined],
    ['. ./env', undefined],
    ['a B=1', ['a', 'B=1']],
    ["'' a", undefined],
    ['\u00A0a', undefined],
  ])('%j', (line, expected) => {
    expect(plainWords(line)).toEqual(expected)
  })
})
