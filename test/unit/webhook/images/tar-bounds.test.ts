// Tars block by block, as no build tool would write them.

import { describe, expect, test } from '@jest/globals'
import { readLayer } from '../../../../webhook/images/layer.ts'
import { BY_HAND } from '../../../../webhook/images/read-limits.ts'

const BLOCK = 512
const BLANK = Buffer.alloc(2 * BLOCK)

const octal = (size: number): string => `${size.toString(8).padStart(11, '0')} `

const header = (type: string, size: string | Buffer, name: string): Buffer => {
  const block = Buffer.alloc(BLOCK)
  block.write(name, 0)
  block.write('0000644 ', 100)
  block.set(typeof size === 'string' ? Buffer.from(size, 'latin1') : size, 124)
  block.write(type, 156, 'latin1')
  block.write('ustar\u000000', 257, 'latin1')
  block.write(' '.repeat(8), 148)
  const sum = block.reduce((all, byte) => all + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return block
}

const padded = (content: string | Buffer): Buffer => {
  const bytes = Buffer.from(content)
  return Buffer.concat([bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)])
}

interface Odd {
  readonly type?: string
  readonly name?: string
  /** As the header has it, where that is not the length. */
  readonly size?: string | Buffer
}

const entry = (content: string | Buffer, { type = '0', name = 'opt/x', size }: Odd = {}): Buffer =>
  Buffer.concat([header(type, size ?? octal(content.length), name), padded(content)])

const attribute = (name: string, value: string): string => {
  const rest = ` ${name}=${value}\n`
  const length = rest.length + String(rest.length).length
  return `${rest.length + String(length).length}${rest}`
}
const attributes = (text: string): Buffer => entry(text, { type: 'x' })
const many = (count: number): string =>
  Array.from({ length: count }, (_, n) => attribute(`user.${n}`, 'x')).join('')

const PASSWD = entry('app:x:1:1', { name: 'etc/passwd' })

const passwdIn = async (parts: readonly Buffer[], piece = 777): Promise<string | undefined> => {
  const tar = Buffer.concat([...parts, PASSWD, BLANK])
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < tar.length; at += piece) yield tar.subarray(at, at + piece)
  }
  const wanted = new Set(['etc', 'etc/passwd'])
  const { entries } = await readLayer(pieces(), { wanted, limits: BY_HAND })
  const found = entries.get('etc/passwd')
  return found?.type === 'file' ? Buffer.from(found.content).toString() : found?.type
}

/** What would be refused, were it not the content of a file. */
const HIDDEN = header('x', octal(1_000_000), 'x')

describe('a tar', () => {
  test.each<readonly [string, readonly Buffer[]]>([
    ['a file that holds headers', [entry(HIDDEN)]],
    [
      'one whose attributes say its size',
      [attributes(attribute('size', '512')), entry(HIDDEN, { size: octal(0) })],
    ],
    [
      'one whose size all attributes say',
      [
        entry(attribute('size', '512'), { type: 'g' }),
        attributes(attribute('path', 'p')),
        entry(HIDDEN, { size: octal(7) }),
      ],
    ],
    [
      'two, of which attributes say one’s size',
      [attributes(attribute('size', '512')), entry(HIDDEN, { size: octal(0) }), entry(HIDDEN)],
    ],
    [
      'one whose size is binary',
      [entry(HIDDEN, { size: Buffer.from('800000000000000000000200', 'hex') })],
    ],
    ['one whose size has blanks around it', [entry(HIDDEN, { size: '   1000 \0\0\0\0' })]],
    ['a directory with a size', [header('5', octal(512), 'opt')]],
    ['a file that is called as one', [entry(HIDDEN, { name: 'opt/' })]],
    ['a long path', [entry(`opt/${'d'.repeat(300)}`, { type: 'L' }), entry(HIDDEN)]],
    [
      'a path of more directories than could be held',
      [entry(`${'d/'.repeat(60_000)}f`, { type: 'L' }), entry('x')],
    ],
    ['a thousand attributes', [attributes(many(1000)), entry(HIDDEN)]],
    ['nothing of a size', [entry('', { size: '\0'.repeat(12) })]],
  ])('is read behind %s', async (_name, parts) => {
    for (const piece of [13, 777, 100_000]) {
      expect(await passwdIn(parts, piece)).toBe('app:x:1:1')
    }
  })

  test.each<readonly [string, readonly Buffer[], string]>([
    [
      'more words than are held',
      [attributes(attribute('user.x', 'x'.repeat(131_072)))],
      'a layer has words of 131087 bytes before an entry, and 131072 is the most',
    ],
    ['a path as long', [entry('d'.repeat(131_073), { type: 'L' })], 'words of 131073 bytes'],
    ['more attributes than are held', [attributes(many(1001))], 'more attributes before an entry'],
    [
      'as many of all entries',
      [entry(many(1001), { type: 'g' })],
      'more attributes before an entry',
    ],
    [
      'words that are none',
      [header('x', octal(0), 'x'), entry(HIDDEN)],
      'words before an entry are none',
    ],
    ['an attribute that is cut', [attributes('99 path=x\n')], 'an attribute of an entry is cut'],
    ['an attribute without a value', [attributes('7 path\n')], 'an attribute of an entry is cut'],
    ['attributes that nobody counts', [attributes('path=x\n')], 'an attribute of an entry is cut'],
    [
      'a size in words',
      [attributes(attribute('size', '-1')), entry('x')],
      'the size of an entry is no number',
    ],
    ...['81', 'ff', '80ff'].map((hex): readonly [string, readonly Buffer[], string] => [
      `a size that begins ${hex}`,
      [entry('x', { size: Buffer.from(hex.padEnd(24, '0'), 'hex') }), entry(HIDDEN)],
      'the size of an entry is no number',
    ]),
    [
      'a size beyond eight',
      [entry('x', { size: '9'.repeat(11) })],
      'the size of an entry is no number',
    ],
  ])('is refused with %s', async (_name, parts, says) => {
    for (const piece of [777, 200_000]) await expect(passwdIn(parts, piece)).rejects.toThrow(says)
  })
})
