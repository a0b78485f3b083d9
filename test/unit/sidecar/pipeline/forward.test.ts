// What goes to the server: nothing without a permit, and nothing that has not been read.

import { expect, test } from '@jest/globals'
import { forward } from '../../../../sidecar/pipeline/forward.ts'
import type { Passage } from '../../../../sidecar/pipeline/stage.ts'
import { aPassage } from '../../../support/fake-exchange.ts'
import { permitOf } from '../../../support/principals.ts'

const permit = permitOf('a')
const ask = { kind: 'listen' } as const

test.each<[string, Partial<Passage>, string]>([
  ['no permit', { ask }, 'no permit'],
  ['neither', {}, 'no permit'],
  ['nothing asked', { permit }, 'nothing is asked: the body was not read'],
])('%s', async (_name, known, message) => {
  const sent: unknown[] = []
  const stage = forward({ forward: (...args) => void sent.push(args) })
  expect(await stage({ ...aPassage(), ...known })).toEqual({ code: 'internal', message })
  expect(sent).toEqual([])
})

test('both', async () => {
  const sent: unknown[] = []
  const stage = forward({ forward: (...args) => void sent.push(args) })
  const passage = { ...aPassage(), permit, ask }
  expect(await stage(passage)).toBeUndefined()
  expect(sent).toEqual([[permit, passage, ask]])
})
