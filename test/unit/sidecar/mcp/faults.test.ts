// The table of faults and the README's say the same, both ways; an answer is one JSON text on one line.

import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { FAULTS, fault, faultText } from '../../../../sidecar/mcp/faults.ts'

const README = new URL('../../../../sidecar/README.md', import.meta.url)
const ROW = /^\| `([a-z-]+)` +\| (\d{3}) +\| (-\d+) +\| \S/gm

describe('the README', () => {
  const [, rest = ''] = readFileSync(README, 'utf8').split('<!-- faults:begin -->')
  const [table = ''] = rest.split('<!-- faults:end -->')

  test('lists each fault with its HTTP status and JSON-RPC code, and no other', () => {
    const listed = [...table.matchAll(ROW)].map(([, code, status, rpc]) => [
      code,
      { status: Number(status), rpc: Number(rpc) },
    ])
    expect(Object.fromEntries(listed)).toEqual(FAULTS)
    expect(listed).toHaveLength(Object.keys(FAULTS).length)
  })
})

describe('faultText', () => {
  test.each([
    ['without an id', undefined, 'null'],
    ['with an integer', '7', '7'],
    ['with a float', '1.0', '1.0'],
    ['with an escaped string', '"\\u0061"', '"\\u0061"'],
  ])('%s', (_name, id, expected) => {
    expect(faultText(fault('internal', 'x'), id)).toContain(`"id":${expected},`)
  })

  test('is UTF-8 on one line, with the code among its data', () => {
    const text = faultText(fault('server-exited', 'é\r\n\u2028', { data: { exitCode: 3 } }), '1')
    expect(text).not.toMatch(/[\r\n]/)
    expect(JSON.parse(Buffer.from(text, 'latin1').toString())).toEqual({
      jsonrpc: '2.0',
      id: 1,
      error: { code: -32000, message: 'é\r\n\u2028', data: { code: 'server-exited', exitCode: 3 } },
    })
  })
})
