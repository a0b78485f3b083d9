// ClientHellos: what they ask for, in every cut, and what is none.

import { describe, expect, test } from '@jest/globals'
import { readHello } from '../../../../../sidecar/egress/proxy/client-hello.ts'
import { chanceOf } from '../../../../support/chance.ts'
import {
  ENCRYPTED_HELLO,
  extension,
  hello,
  helloMessage,
  records,
  serverNames,
} from '../../../../support/client-hello.ts'

describe('what is asked for', () => {
  test.each([
    ['a name', hello('api.example.com'), 'api.example.com', false],
    ['a name in capitals', hello('API.example.com'), 'API.example.com', false],
    ['nothing', hello(undefined), undefined, false],
    ['nothing, without extensions', records(helloMessage(undefined)), undefined, false],
    ['a name, encrypted', hello('api.example.com', ENCRYPTED_HELLO), 'api.example.com', true],
    ['nothing, encrypted', hello(undefined, ENCRYPTED_HELLO), undefined, true],
    [
      'a name, encrypted as drafts have it',
      hello('a.example', extension(0xfe0a, Buffer.alloc(1))),
      'a.example',
      true,
    ],
    ['a name, as ESNI', hello('a.example', extension(0xffce, Buffer.alloc(9))), 'a.example', true],
    [
      'a name beside much',
      hello('a.example', extension(21, Buffer.alloc(9000))),
      'a.example',
      false,
    ],
  ])('%s', (_name, bytes, serverName, isEncrypted) => {
    expect(readHello(bytes)).toEqual({ serverName, isEncrypted, length: bytes.length })
    const more = Buffer.concat([bytes, Buffer.of(23, 3, 3)])
    expect(readHello(more)).toEqual({ serverName, isEncrypted, length: bytes.length })
  })

  test.each([1, 40, 100])('in records of %i bytes', (size) => {
    const message = helloMessage([serverNames([0, 'a.example'])])
    const bytes = records(message, Math.max(size, Math.ceil(message.length / 16)))
    expect(readHello(bytes)).toEqual({
      serverName: 'a.example',
      isEncrypted: false,
      length: bytes.length,
    })
  })

  test('with each byte more it is the same that is needed, until it is there', () => {
    const bytes = records(helloMessage([serverNames([0, 'a.example'])]), 30)
    for (let length = 0; length < bytes.length; length++) {
      const found = readHello(bytes.subarray(0, length))
      expect(found).toEqual({ needs: expect.any(Number) })
      if (found !== 'none' && 'needs' in found) {
        expect(found.needs).toBeGreaterThan(length)
        expect(found.needs).toBeLessThanOrEqual(bytes.length)
      }
    }
  })
})

const message = helloMessage([serverNames([0, 'a.example'])])
const altered = (at: number, value: number): Buffer => {
  const copy = Buffer.from(message)
  copy[at] = value
  return records(copy)
}

describe('what is none', () => {
  test.each([
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['SSH', Buffer.from('SSH-2.0-x\r\n')],
    ['SSL 2', Buffer.from([0x80, 0x2e, 1, 0, 2, 0, 21])],
    ['an alert', records(Buffer.of(1, 0), 2, 21)],
    ['application data', records(message, 16_384, 23)],
    ['another version of records', Buffer.concat([Buffer.of(22, 2), records(message).subarray(2)])],
    ['an empty record', Buffer.concat([Buffer.of(22, 3, 1, 0, 0), records(message)])],
    ['a server hello', altered(0, 2)],
    ['a length beyond all', altered(1, 1)],
    ['a length that is too short', altered(3, 20)],
    ['two names', records(helloMessage([serverNames([0, 'a.example'], [0, 'b.example'])]))],
    ['a name of another type', records(helloMessage([serverNames([1, 'a.example'])]))],
    [
      'a name of another type before it',
      records(helloMessage([serverNames([1, 'b'], [0, 'a.example'])])),
    ],
    [
      'two extensions of names',
      records(helloMessage([serverNames([0, 'a.example']), serverNames([0, 'b.example'])])),
    ],
    ['an empty name', records(helloMessage([serverNames([0, ''])]))],
    ['no names', records(helloMessage([serverNames()]))],
    ['a name with a zero byte', records(helloMessage([serverNames([0, 'a.example\0b'])]))],
    ['a name with a space', records(helloMessage([serverNames([0, 'a.example '])]))],
    ['high bytes', records(helloMessage([serverNames([0, 'a\xff'])]))],
    ['an empty extension of names', records(helloMessage([extension(0, Buffer.alloc(0))]))],
    [
      'bytes behind the names',
      records(helloMessage([extension(0, Buffer.from([0, 4, 0, 0, 1, 97, 0]))])),
    ],
    ['an extension that is cut', records(helloMessage([Buffer.of(0, 0, 0, 9, 1)]))],
    ['a byte behind the message', records(Buffer.concat([message, Buffer.of(0)]))],
    ['a message behind the message', records(Buffer.concat([message, message]))],
    [
      'a record of another kind between',
      Buffer.concat([
        records(message.subarray(0, 20)),
        records(Buffer.of(1), 1, 20),
        records(message.subarray(20)),
      ]),
    ],
    ['very many records', records(message, 1)],
    ['very many bytes', hello('a.example', extension(21, Buffer.alloc(20_000)))],
  ])('%s', (_name, bytes) => {
    expect(readHello(bytes)).toBe('none')
  })
})

test('200,000 changes of it: nobody else’s name is read, nothing throws, nothing is read beyond its end', () => {
  const random = chanceOf(20_261_129)
  const whole = [hello('a.example'), hello('a.example', ENCRYPTED_HELLO), records(message, 25)]
  let [read, refused, more] = [0, 0, 0]
  for (let round = 0; round < 200_000; round++) {
    const bytes = Buffer.from(whole[random(3)] ?? '')
    for (let change = 0; change <= random(3); change++) bytes[random(bytes.length)] = random(256)
    const found = readHello(bytes.subarray(0, random(4) === 0 ? random(bytes.length) : undefined))
    if (found === 'none') refused++
    else if ('needs' in found) {
      more++
      if (!(found.needs > 0 && found.needs <= 16 * 1024)) throw new Error(`round ${round}`)
    } else {
      read++
      if (found.length > bytes.length) throw new Error(`round ${round}: beyond its end`)
    }
  }
  expect([read, refused, more].every((count) => count > 1000)).toBe(true)
})
