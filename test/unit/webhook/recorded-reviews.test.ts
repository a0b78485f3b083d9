// The reviews that a real API server sent (test/fixtures/admission, written by the cluster tests):
// what came before us is injected or left alone, and a second pass changes nothing.

import { expect, describe, test } from '@jest/globals'
import { readdirSync, readFileSync } from 'node:fs'
import jsonpatch from 'fast-json-patch'
import { join } from 'node:path'
import { z } from 'zod'
import { EMPTY_INDEX } from '../../../shared/image-index.ts'
import { mutate } from '../../../webhook/admission/mutate.ts'
import { fixedNamespaces } from '../../../webhook/cluster/namespace.ts'
import { clusterConfig } from '../../support/cluster-config.ts'

const FOLDER = join(import.meta.dirname, '../../fixtures/admission')
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.json'))

const config = clusterConfig({
  sidecar: { image: 'outrigger-sidecar:0.1.0' },
  floor: { allowAnonymous: true, allowSharedProcesses: true, allowAdvisoryIsolation: true },
})

const decide = async (body: Uint8Array) => {
  const options = {
    config: () => config,
    images: () => EMPTY_INDEX,
    namespaces: fixedNamespaces([]),
    now: () => 0,
  }
  const { answer } = await mutate(body, options)
  if (!answer.ok) throw new Error(answer.error.message)
  return answer.value
}

const reviewSchema = z.looseObject({
  request: z.looseObject({ object: z.record(z.string(), z.unknown()) }),
})
const answerSchema = z.object({ response: z.object({ patch: z.base64().optional() }) })
const valued = <O extends string>(op: O) =>
  z.object({ op: z.literal(op), path: z.string(), value: z.json() })
const operations = z.array(
  z.discriminatedUnion('op', [
    valued('add'),
    valued('replace'),
    valued('test'),
    z.object({ op: z.literal('remove'), path: z.string() }),
  ]),
)

const patchOf = (document: unknown) => {
  const { patch } = answerSchema.parse(document).response
  return patch === undefined
    ? []
    : operations.parse(JSON.parse(Buffer.from(patch, 'base64').toString()))
}

const expectedOf = (file: string): string => {
  if (file.startsWith('workload')) return file.endsWith('.before.json') ? 'propagate' : 'skip'
  return file.startsWith('pod-of-nobody') ? 'skip' : 'inject'
}

describe('recorded reviews', () => {
  test('there are some of each kind', () => {
    expect(files.filter((name) => name.endsWith('.before.json')).length).toBeGreaterThanOrEqual(7)
    expect(files.filter((name) => name.endsWith('.after.json')).length).toBeGreaterThanOrEqual(7)
  })

  test.each(files)('%s', async (file) => {
    const body = readFileSync(join(FOLDER, file))
    const review = reviewSchema.parse(JSON.parse(body.toString()))
    const first = await decide(body)
    expect(first.decision).toBe(expectedOf(file))
    const patch = patchOf(first.document)
    if (file.endsWith('before.json')) expect(patch.length > 0).toBe(first.decision !== 'skip')
    const { newDocument: object } = jsonpatch.applyPatch(review.request.object, patch)
    const again = { ...review, request: { ...review.request, object } }
    const second = await decide(Buffer.from(JSON.stringify(again)))
    expect(second.decision).toBe(file.startsWith('workload') ? 'skip' : first.decision)
    expect(patchOf(second.document)).toEqual([])
  })
})
