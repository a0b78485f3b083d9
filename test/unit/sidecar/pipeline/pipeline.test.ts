// The order of the stages is the security argument; the first fault ends the way.

import { describe, expect, test } from '@jest/globals'
import { fault } from '../../../../sidecar/mcp/faults.ts'
import { fromReplica, pipeline, run, type Stages } from '../../../../sidecar/pipeline/pipeline.ts'
import { AWAY, type Stage } from '../../../../sidecar/pipeline/stage.ts'
import { aPassage } from '../../../support/fake-exchange.ts'

const ORDER = [
  'origin',
  'head',
  'authenticate',
  'scopes',
  'body',
  'replica',
  'classify',
  'authorize',
  'guard',
  'audit',
  'forward',
] as const

/** Stages that note their names; one of them ends the way. */
const noting = (ending?: string, isLate = false): { stages: Stages; passed: string[] } => {
  const passed: string[] = []
  const stage =
    (name: string): Stage =>
    () => {
      passed.push(name)
      const found = name === ending ? fault('internal', name) : undefined
      return isLate ? Promise.resolve(found) : found
    }
  const stages = {
    audit: stage('audit'),
    forward: stage('forward'),
    guard: stage('guard'),
    authorize: stage('authorize'),
    authenticate: stage('authenticate'),
    scopes: stage('scopes'),
    classify: stage('classify'),
    replica: stage('replica'),
    body: stage('body'),
    head: stage('head'),
    origin: stage('origin'),
  }
  return { stages, passed }
}

describe.each([
  ['at once', false],
  ['later', true],
])('stages that answer %s', (_name, isLate) => {
  test('are passed in order', async () => {
    const { stages, passed } = noting(undefined, isLate)
    expect(await run(pipeline(stages), aPassage())).toBeUndefined()
    expect(passed).toEqual(ORDER)
  })

  test.each(ORDER)('none is reached behind a fault of %s', async (ending) => {
    const { stages, passed } = noting(ending, isLate)
    expect(await run(pipeline(stages), aPassage())).toEqual({
      code: 'internal',
      message: ending,
    })
    expect(passed).toEqual(ORDER.slice(0, ORDER.indexOf(ending) + 1))
  })
})

test('where there is one replica alone nobody asks for others', async () => {
  const { stages, passed } = noting()
  expect(await run(pipeline({ ...stages, replica: undefined }), aPassage())).toBeUndefined()
  expect(passed).toEqual(ORDER.filter((name) => name !== 'replica'))
})

test.each([
  ['at once', (): typeof AWAY => AWAY],
  ['later', (): Promise<typeof AWAY> => Promise.resolve(AWAY)],
])('what is given to somebody else %s goes no further here', async (_name, replica) => {
  const { stages, passed } = noting()
  expect(await run(pipeline({ ...stages, replica }), aPassage())).toBe(AWAY)
  expect(passed).toEqual(ORDER.slice(0, ORDER.indexOf('replica')))
})

test('what another replica sends needs its voucher before anybody reads it, and goes to no third', async () => {
  const { stages, passed } = noting()
  const voucher: Stage = () => {
    passed.push('voucher')
    return undefined
  }
  expect(await run(fromReplica(stages, voucher), aPassage())).toBeUndefined()
  expect(passed).toEqual([
    'head',
    'body',
    'voucher',
    'classify',
    'authorize',
    'guard',
    'audit',
    'forward',
  ])
})
