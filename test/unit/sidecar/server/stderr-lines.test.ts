// Bytes of stderr as lines: whole characters, bounded, and with what was dropped.

import { describe, expect, test } from '@jest/globals'
import { StderrLines } from '../../../../sidecar/server/stderr-lines.ts'

const linesOf = (...pieces: readonly (string | Buffer | number)[]): readonly string[] => {
  const lines: string[] = []
  const reader = new StderrLines((line) => void lines.push(line))
  let dropped = 0
  for (const piece of pieces) {
    if (typeof piece === 'number') dropped = piece
    else {
      reader.push(Buffer.from(piece), dropped)
      dropped = 0
    }
  }
  reader.end()
  return lines
}

const EURO = Buffer.from('€')

describe('lines', () => {
  test.each<[string, pieces: readonly (string | Buffer | number)[], lines: readonly string[]]>([
    ['are cut at line ends', ['a\nb\r\nc'], ['a', 'b', 'c']],
    ['are put together', ['a', 'b\n'], ['ab']],
    ['that are empty are none', ['\n\n \na\n'], ['a']],
    ['keep what they begin with', ['    at f (x.js:1)\n'], ['    at f (x.js:1)']],
    [
      'have whole characters',
      [EURO.subarray(0, 1), Buffer.concat([EURO.subarray(1), Buffer.from('\n')])],
      ['€'],
    ],
    ['without an end are cut', ['x'.repeat(5000)], ['x'.repeat(4096), 'x'.repeat(904)]],
    [
      'say where something is missing',
      ['a', 9, 'b\n'],
      ['a', '(9 bytes were dropped here: it wrote faster than 64 KiB a second)', 'b'],
    ],
  ])('%s', (_name, pieces, lines) => {
    expect(linesOf(...pieces)).toEqual(lines)
  })
})
