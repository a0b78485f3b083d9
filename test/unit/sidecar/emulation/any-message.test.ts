// Whatever a message looks like, in whatever order and white space: nothing changes but what the other era has other words for.

import { expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { isObject } from '../../../../shared/json.ts'
import { legacyAnswer } from '../../../../sidecar/emulation/legacy-answer.ts'
import { ownEdits } from '../../../../sidecar/conversation/own-edits.ts'
import { modernText } from '../../../../sidecar/emulation/modern-request.ts'
import { member, slice } from '../../../../sidecar/mcp/message.ts'
import { tokenLike } from '../../../../sidecar/mcp/own-id.ts'
import { aMessage, aRequest } from '../../../support/messages.ts'

const RUNS = 1000
const SEED = 20_261_130
const SERVER = 'io.modelcontextprotocol/serverInfo'
const VERSION = 'io.modelcontextprotocol/protocolVersion'

const gap = fc.constantFrom('', '', ' ', '\t', '  ')
const value = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }).map((one) => JSON.stringify(one)),
  fc.constantFrom('9007199254740993', '1.0', '"}"', '"],"', '{ "ttlMs" : 1 }', '"\\ud83d\\ude00"'),
)

/** An object with some of these members, as text. */
const objectOf = (names: readonly string[], meta?: fc.Arbitrary<string>): fc.Arbitrary<string> => {
  const member = fc
    .constantFrom(...names)
    .chain((name) => fc.tuple(fc.constant(name), name === '_meta' && meta ? meta : value, gap, gap))
  return fc
    .tuple(fc.uniqueArray(member, { selector: ([name]) => name, maxLength: 6 }), gap)
    .map(([members, space]) => {
      const texts = members.map(
        ([name, text, before, after]) =>
          `${before}${JSON.stringify(name)}${after}:${before}${text}`,
      )
      return `{${space}${texts.join(`${space},`)}${space}}`
    })
}

const bytes = (latin1: string): string => Buffer.from(latin1, 'latin1').toString()
const entriesOf = (of: unknown): readonly (readonly [string, unknown])[] =>
  isObject(of) ? Object.entries(of) : []
const without = (of: unknown, names: readonly string[]): object =>
  Object.fromEntries(entriesOf(of).filter(([name]) => !names.includes(name)))

test('an answer loses what is modern alone, and no byte moves', () => {
  const meta = objectOf([SERVER, 'a/b', 'é'])
  const result = objectOf(['resultType', 'ttlMs', 'cacheScope', '_meta', 'a', 'é', ''], meta)
  fc.assert(
    fc.property(result, gap, (text, space) => {
      const body = `{"id":7,${space}"result":${text}${space},"jsonrpc":"2.0"}`
      const message = aMessage(body)
      if (message.kind !== 'response') throw new Error(`${body} is no response`)
      const told = legacyAnswer('resources/read', message)
      expect(told.text).toHaveLength(message.text.length)
      const said: unknown = JSON.parse(body).result
      const kept = without(said, ['resultType', 'ttlMs', 'cacheScope', '_meta'])
      const own = new Map(entriesOf(said)).get('_meta')
      const left = without(own, [SERVER])
      const isLost =
        own === undefined || (entriesOf(own).length === 1 && entriesOf(left).length === 0)
      expect(JSON.parse(bytes(told.text)).result).toEqual(isLost ? kept : { ...kept, _meta: left })
      const names = told.result?.object?.members.map(({ name }) => name)
      expect(names?.toSorted()).toEqual([...entriesOf(kept).map(([name]) => name), ...(isLost ? [] : ['_meta'])].toSorted()) // prettier-ignore
    }),
    { numRuns: RUNS, seed: SEED },
  )
})

test('a request gets the envelope, and keeps all that is its own', () => {
  const names = [VERSION.replace('protocolVersion', 'logLevel'), 'progressToken', 'a/b', 'é']
  const meta = objectOf(names).filter(
    (text) => !/"progressToken"\s*:\s*(?!["\d-])/.test(text) && text.length < 300,
  )
  const params = fc.option(objectOf(['_meta', 'name', 'é', '', 'cursor'], meta), { nil: undefined })
  const more = fc.constantFrom(undefined, '"requestState":"s"')
  fc.assert(
    fc.property(params, more, gap, (text, added, space) => {
      const said = text === undefined ? '' : `,"params":${space}${text}`
      const body = `{"jsonrpc":"2.0","id":"mine","method":"prompts/get"${said}${space}}`
      const own = `"${VERSION}":"2026-07-28"`
      const request = aRequest(body)
      const token = member(request.meta, 'progressToken')
      // As the channel had them for the first round: the id of that goes nowhere.
      const sent = modernText({ request, edits: ownEdits(request, token, 6) }, { id: 7, meta: own, ...(added ? { params: added } : {}) }) // prettier-ignore
      const asked = JSON.parse(body).params ?? {}
      const kept = without(new Map(entriesOf(asked)).get('_meta'), [names[0] ?? ''])
      const tokenOfRound: unknown = token && JSON.parse(tokenLike(slice(request.text, token), 6))
      expect(JSON.parse(bytes(sent))).toEqual({
        jsonrpc: '2.0',
        id: 7,
        method: 'prompts/get',
        params: {
          ...asked,
          ...(added ? { requestState: 's' } : {}),
          _meta: {
            ...kept,
            ...(token && { progressToken: tokenOfRound }),
            [VERSION]: '2026-07-28',
          },
        },
      })
    }),
    { numRuns: RUNS, seed: SEED },
  )
})
