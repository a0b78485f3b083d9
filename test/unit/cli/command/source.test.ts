import { describe, expect, test } from '@jest/globals'
import { decodeSource, encodeSource } from '../../../../cli/command/source.ts'

const utf16 = (text: string): Buffer => Buffer.from(text, 'utf16le')

describe('bytes become text and are the same bytes again', () => {
  test.each<[string, Buffer, string]>([
    ['nothing', Buffer.from(''), ''],
    ['UTF-8', Buffer.from('a: é😀\r\n'), 'a: é😀\r\n'],
    ['UTF-8 with a mark', Buffer.from('\ufeffa: é'), 'a: é'],
    ['a mark that is not the first character', Buffer.from('a\ufeff'), 'a\ufeff'],
    ['UTF-16, little end first', utf16('\ufeffa: é😀\r\n'), 'a: é😀\r\n'],
    ['UTF-16, big end first', utf16('\ufeffa: é😀\r\n').swap16(), 'a: é😀\r\n'],
  ])('%s', (_name, bytes, text) => {
    const source = decodeSource(bytes)
    if (!source.ok) throw new Error(source.error)
    expect(source.value.text).toBe(text)
    expect(encodeSource(text, source.value)).toEqual(bytes)
  })
})

describe('bytes that are no text have their place named', () => {
  test.each<[string, Buffer, string]>([
    [
      'Latin-1',
      Buffer.from('a: 1\nb: é\n', 'latin1'),
      'line 2, column 4: the byte 0xe9 is no UTF-8',
    ],
    [
      'a character cut short at the end',
      Buffer.from([0x61, 0xc3]),
      'line 1, column 2: the byte 0xc3 is no UTF-8',
    ],
    [
      'an overlong form',
      Buffer.from([0x61, 0xc0, 0x80]),
      'line 1, column 2: the byte 0xc0 is no UTF-8',
    ],
    [
      'half a pair of UTF-16',
      utf16('\ufeffa\ud83d\nb'),
      'line 1, column 2: the byte 0x3d is no UTF-16LE',
    ],
    [
      'an odd number of bytes',
      utf16('\ufeffab').subarray(0, 5),
      'line 1, column 2: the byte 0x62 is no UTF-16LE',
    ],
  ])('%s', (_name, bytes, place) => {
    expect(decodeSource(bytes)).toEqual({ ok: false, error: `${place}; save it as UTF-8` })
  })
})
