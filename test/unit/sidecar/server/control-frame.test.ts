// The shim's frames: what we write, byte by byte, and what we take, whatever comes.

import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import {
  confineFrame,
  endFrame,
  exitFrame,
  FrameReader,
  helloFrame,
  openedFrame,
  spawnFrame,
  startFrame,
  type ShimEvent,
} from '../../../../sidecar/server/control-frame.ts'

const NAME = '0123456789abcdef'.repeat(2)

describe('what we write', () => {
  test.each([
    ['HELLO', helloFrame(), '00000003 01 0003'],
    [
      'SPAWN',
      spawnFrame(7, NAME),
      `00000027 02 00000007 ${Buffer.from(NAME).toString('hex')} 00 00`,
    ],
    [
      'SPAWN of a confined child',
      spawnFrame(7, NAME, {
        mode: 'enforce',
        forwards: [
          { local: 5432, port: 40_001 },
          { local: 6379, port: 65_535 },
        ],
        environment: { A: 'é', B: '' },
      }),
      `00000037 02 00000007 ${Buffer.from(NAME).toString('hex')} 02 02 1538 9c41 18eb ffff 413dc3a900 423d00`,
    ],
    [
      'CONFINE',
      confineFrame({ mode: 'observe', forwards: [], environment: { A: 'b' } }),
      '00000007 07 01 00 413d6200',
    ],
    ['OPENED', openedFrame(0xffffffff), '00000005 03 ffffffff'],
    ['END', endFrame(7, 2000, 3000), '0000000d 04 00000007 000007d0 00000bb8'],
    ['EXIT', exitFrame(255), '00000002 05 ff'],
    ['START', startFrame(), '00000001 06'],
  ])('%s', (_name, frame, hex) => {
    expect(frame.toString('hex')).toBe(hex.replaceAll(' ', ''))
  })
})

const frame = (type: number, hex: string): Buffer => {
  const payload = Buffer.from(hex.replaceAll(' ', ''), 'hex')
  const head = Buffer.alloc(5)
  head.writeUInt32BE(payload.length + 1)
  head.writeUInt8(type, 4)
  return Buffer.concat([head, payload])
}
const text = (words: string): string => Buffer.from(words).toString('hex')
const SECRET = text('5e'.repeat(16))
const SHOWN = { secret: 'a1'.repeat(16), mark: 'b2'.repeat(16), found: '0'.repeat(32) }
const SHOWN_BYTES = text(`${SHOWN.secret}${SHOWN.mark}${SHOWN.found}`)
const SUPERVISED = {
  kind: 'supervision',
  isHeld: false,
  wantsConfinement: false,
  isConfined: false,
  secret: '5e'.repeat(16),
  why: '',
} as const

const EVENTS: readonly (readonly [string, Buffer, ShimEvent])[] = [
  [
    'HELLO',
    frame(0x81, `0003 000003e8 06 01 ${SHOWN_BYTES}`),
    {
      kind: 'hello',
      version: 3,
      uid: 1000,
      landlockAbi: 6,
      hasOneCommand: false,
      canConfine: false,
      hasNetworkRules: false,
      shown: SHOWN,
    },
  ],
  [
    'HELLO of an older version, which shows nothing',
    frame(0x81, '0002 000003e8 06 01'),
    {
      kind: 'hello',
      version: 2,
      uid: 1000,
      landlockAbi: 6,
      hasOneCommand: false,
      canConfine: false,
      hasNetworkRules: false,
      shown: { secret: '', mark: '', found: '' },
    },
  ],
  [
    'HELLO of the largest uid',
    frame(0x81, `0004 fffffffe 00 08 ${SHOWN_BYTES}`),
    {
      kind: 'hello',
      version: 4,
      uid: 4294967294,
      landlockAbi: 0,
      hasOneCommand: false,
      canConfine: true,
      hasNetworkRules: false,
      shown: SHOWN,
    },
  ],
  [
    'HELLO of one command',
    frame(0x81, `0003 000003e8 06 1d ${SHOWN_BYTES}`),
    {
      kind: 'hello',
      version: 3,
      uid: 1000,
      landlockAbi: 6,
      hasOneCommand: true,
      canConfine: true,
      hasNetworkRules: true,
      shown: SHOWN,
    },
  ],
  ['LED', frame(0x8b, '00000007 9c41 1538'), { kind: 'led', child: 7, from: 40_001, port: 5432 }],
  ['PIPES', frame(0x82, '00000007'), { kind: 'pipes', child: 7 }],
  ['SPAWNED', frame(0x83, '00000007 0000ffff'), { kind: 'spawned', child: 7, pid: 65535 }],
  [
    'REFUSED with words',
    frame(0x84, `00000007 06 ${text('no such file: é')}`),
    { kind: 'refused', child: 7, reason: 'no such file: é', isBusy: false },
  ],
  [
    'REFUSED without words',
    frame(0x84, '00000007 01'),
    { kind: 'refused', child: 7, reason: 'too many processes', isBusy: true },
  ],
  [
    'REFUSED for a reason of the future',
    frame(0x84, '00000007 63'),
    { kind: 'refused', child: 7, reason: 'unknown', isBusy: false },
  ],
  [
    'STDERR',
    frame(0x85, `00000007 00000002 ${text('oh')}`),
    { kind: 'stderr', child: 7, dropped: 2, bytes: Buffer.from('oh') },
  ],
  [
    'STDERR without bytes',
    frame(0x85, '00000007 00000002'),
    { kind: 'stderr', child: 7, dropped: 2, bytes: Buffer.alloc(0) },
  ],
  [
    'EXITED with a code',
    frame(0x86, '00000007 00 03'),
    { kind: 'exited', child: 7, code: 3, signal: undefined, isOutOfMemory: false },
  ],
  [
    'EXITED by a signal',
    frame(0x86, '00000007 01 09'),
    { kind: 'exited', child: 7, code: undefined, signal: 9, isOutOfMemory: false },
  ],
  [
    'EXITED by a signal for want of memory',
    frame(0x86, '00000007 02 09'),
    { kind: 'exited', child: 7, code: undefined, signal: 9, isOutOfMemory: true },
  ],
  ['GONE', frame(0x87, '00000007'), { kind: 'gone', child: 7 }],
  ['TERMINATING', frame(0x88, '00007530'), { kind: 'terminating', leftMs: 30000 }],
  [
    'SUPERVISION that stands',
    frame(0x89, `03 03 ${SECRET}`),
    { ...SUPERVISED, isHeld: true, wantsConfinement: true, isConfined: true },
  ],
  [
    'SUPERVISION that does not, and why',
    frame(0x89, `01 00 ${SECRET} ${text('no kernel é')}`),
    { ...SUPERVISED, why: 'no kernel é' },
  ],
  [
    'SUPERVISION of other calls alone',
    frame(0x89, `03 02 ${SECRET}`),
    { ...SUPERVISED, wantsConfinement: true, isConfined: true },
  ],
  [
    'EGRESS over IPv4',
    frame(0x8a, '00000007 02 01 04 a9fea9fe 000000000000000000000000 0050 00000003'),
    {
      kind: 'egress',
      child: 7,
      verdict: 'refused',
      how: 'tcp',
      address: '169.254.169.254',
      port: 80,
      dropped: 3,
    },
  ],
  [
    'EGRESS over IPv6',
    frame(0x8a, '00000000 01 02 06 20010db8000000000000000000000001 0035 00000000'),
    {
      kind: 'egress',
      child: 0,
      verdict: 'observed',
      how: 'udp',
      address: '2001:db8::1',
      port: 53,
      dropped: 0,
    },
  ],
  [
    'EGRESS of a kind of socket',
    frame(0x8a, `00000007 02 04 00 0002 0003 0001 ${'00'.repeat(10)} 0000 00000000`),
    {
      kind: 'egress',
      child: 7,
      verdict: 'refused',
      how: 'other',
      address: undefined,
      port: 0,
      socket: { domain: 2, type: 3, protocol: 1 },
      dropped: 0,
    },
  ],
  [
    'EGRESS of the future',
    frame(0x8a, `00000007 63 63 09 ${'00'.repeat(16)} 0000 00000000`),
    {
      kind: 'egress',
      child: 7,
      verdict: 'refused',
      how: 'other',
      address: undefined,
      port: 0,
      dropped: 0,
    },
  ],
]

describe('what we take', () => {
  test.each(EVENTS)('%s', (_name, bytes, expected) => {
    expect(new FrameReader().push(bytes)).toEqual({ ok: true, value: [expected] })
  })

  test('all of them in a row, cut at every byte', () => {
    const bytes = Buffer.concat(EVENTS.map(([, one]) => one))
    for (let cut = 0; cut <= bytes.length; cut++) {
      const reader = new FrameReader()
      const parts = [bytes.subarray(0, cut), bytes.subarray(cut)].map((part) => reader.push(part))
      expect(parts.flatMap((part) => (part.ok ? part.value : []))).toEqual(
        EVENTS.map(([, , event]) => event),
      )
    }
  })

  test('all of them in a row, byte by byte', () => {
    const bytes = Buffer.concat(EVENTS.map(([, one]) => one))
    const reader = new FrameReader()
    const parts = [...bytes].map((byte) => reader.push(Buffer.of(byte)))
    expect(parts.flatMap((part) => (part.ok ? part.value : []))).toEqual(
      EVENTS.map(([, , event]) => event),
    )
  })

  test.each([
    ['of no length', Buffer.alloc(5), 'a frame of 0 bytes'],
    ['longer than the protocol allows', Buffer.from('0001000181', 'hex'), 'a frame of 65537 bytes'],
    ['of 4 GiB', Buffer.from('ffffffff81', 'hex'), 'a frame of 4294967295 bytes'],
    ['of a type that is ours to send', frame(0x01, '0001'), 'unknown frame type 1'],
    ['of a type of the future', frame(0x99, ''), 'unknown frame type 153'],
    ...EVENTS.map(([name, bytes]): [string, Buffer, string] => {
      const left = 3
      const cut = frame(bytes[4] ?? 0, bytes.subarray(5, 5 + left).toString('hex'))
      return [`${name}, its payload cut to ${left} bytes`, cut, `is too short (${left} bytes)`]
    }),
  ])('a frame %s ends the connection', (_name, bytes, part) => {
    const result = new FrameReader().push(bytes)
    expect(result.ok ? '' : result.error).toContain(part)
  })

  test('takes the longest frame that is allowed', () => {
    const bytes = frame(0x85, '00000007 00000000' + '61'.repeat(65_536 - 9))
    expect(new FrameReader().push(bytes)).toMatchObject({ ok: true, value: [{ kind: 'stderr' }] })
  })

  test('whatever comes, it answers and never throws', () => {
    const anything = fc.uint8Array({ maxLength: 64 })
    const almost = fc
      .tuple(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0x80, max: 0x8b }), anything)
      .map(([length, type, rest]) => Buffer.from([0, 0, 0, length, type, ...rest]))
    fc.assert(
      fc.property(fc.array(fc.oneof(anything, almost)), (parts) => {
        const reader = new FrameReader()
        for (const part of parts) {
          const result = reader.push(Buffer.from(part))
          if (!result.ok) {
            expect(result.error).toMatch(/frame/)
            return
          }
        }
      }),
      { numRuns: 2000 },
    )
  })
})
