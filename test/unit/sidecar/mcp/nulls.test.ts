// Nulls that count as absent, and those that mean something: what is read, and what goes on in its place.

import { describe, expect, test } from '@jest/globals'
import { readJson } from '../../../../sidecar/json/text.ts'
import { readWithoutNulls } from '../../../../sidecar/mcp/nulls.ts'
import type { Tolerance } from '../../../../sidecar/mcp/tolerance.ts'
import { keptRemarks } from '../../../support/kept-remarks.ts'

type Outcome = { readonly goesOn: string; readonly told: readonly Tolerance[] }

const outcome = (body: string): Outcome => {
  const remarks = keptRemarks()
  const json = readJson(Buffer.from(body))
  if (!json.ok || json.value.scanned.kind === 'array') throw new Error(`${body} is no object`)
  const { text, scanned } = json.value
  const message = readWithoutNulls(text, scanned.object, remarks)
  return { goesOn: message.ok ? message.value.text : message.error, told: remarks.tolerances }
}

const RPC = '"jsonrpc":"2.0"'
const MODERN = 'io.modelcontextprotocol/protocolVersion'

describe('counts as absent', () => {
  test.each([
    ['params', `{${RPC},"id":1,"method":"a","params":null}`, `{${RPC},"id":1,"method":"a"}`],
    ['params, first', `{"params":null,${RPC},"id":1,"method":"a"}`, `{${RPC},"id":1,"method":"a"}`],
    [
      'all that a struct has beside a request',
      `{"error":null,"result":null,${RPC},"id":1,"method":"a","params":null}`,
      `{${RPC},"id":1,"method":"a"}`,
    ],
    [
      'all that it has beside a result',
      `{${RPC},"id":1,"method":null,"params":null,"result":{},"error":null}`,
      `{${RPC},"id":1,"result":{}}`,
    ],
    [
      'all that it has beside an error',
      `{${RPC},"id":1,"method":null,"result":null,"error":{"code":1,"message":""}}`,
      `{${RPC},"id":1,"error":{"code":1,"message":""}}`,
    ],
    [
      'the error beside a result that is null',
      `{${RPC},"id":1,"result":null,"error":null}`,
      `{${RPC},"id":1,"result":null}`,
    ],
    [
      'the id of a notification',
      `{${RPC},"id":null,"method":"notifications/a"}`,
      `{${RPC},"method":"notifications/a"}`,
    ],
    [
      '_meta',
      `{${RPC},"id":1,"method":"a","params":{"_meta":null}}`,
      `{${RPC},"id":1,"method":"a","params":{}}`,
    ],
    [
      'what is read of _meta',
      `{${RPC},"id":1,"method":"a","params":{"x":1,"_meta":{"progressToken":null,"${MODERN}":null,"y":2}}}`,
      `{${RPC},"id":1,"method":"a","params":{"x":1,"_meta":{"y":2}}}`,
    ],
    [
      'a name in escapes, among white space',
      `{${RPC}, "id":1 ,"method":"a" ,\t"par\\u0061ms" :\tnull }`,
      `{${RPC}, "id":1,"method":"a"}`,
    ],
    [
      'nulls at two depths',
      `{${RPC},"error":null,"id":1,"method":"a","params":{"_meta":null,"x":[null,{"y":null}]}}`,
      `{${RPC},"id":1,"method":"a","params":{"x":[null,{"y":null}]}}`,
    ],
  ])('%s', (_name, body, goesOn) => {
    expect(outcome(body)).toEqual({ goesOn, told: ['null-member'] })
  })
})

describe('stays', () => {
  test.each([
    ['a result', `{${RPC},"id":1,"result":null}`],
    [
      "a member of the method's own",
      `{${RPC},"id":1,"method":"a","params":{"cursor":null,"arguments":null}}`,
    ],
    ["a stranger's in _meta", `{${RPC},"id":1,"method":"a","params":{"_meta":{"own/key":null}}}`],
    ['the id of an error about nobody', `{${RPC},"id":null,"error":{"code":1,"message":""}}`],
    ['a member that nobody knows', `{${RPC},"id":1,"method":"a","extra":null}`],
  ])('%s', (_name, body) => {
    expect(outcome(body)).toEqual({ goesOn: body, told: [] })
  })
})

describe('is refused', () => {
  test.each([
    ['the id of a request', `{${RPC},"id":null,"method":"a"}`, '"id" is neither'],
    ['the version', `{"jsonrpc":null,"id":1,"method":"a"}`, '"jsonrpc" is not'],
    ['a method alone', `{${RPC},"id":1,"method":null}`, '"method" is not a string'],
    ['everything', `{"jsonrpc":null,"id":null,"method":null}`, '"jsonrpc" is not'],
    [
      'a name in another case',
      `{${RPC},"id":1,"method":"a","Params":null}`,
      'differs only in case',
    ],
  ])('%s', (_name, body, said) => {
    const { goesOn, told } = outcome(body)
    expect(goesOn).toContain(said)
    expect(told).toEqual([])
  })
})
