import * as fc from 'fast-check'
import { describe, expect, test } from '@jest/globals'
import { objectAt, withAt, type Json, type JsonObject } from '../../../../shared/json.ts'
import { kindOfObject, type WorkloadKind } from '../../../../webhook/workload/kinds.ts'
import { propagate } from '../../../../webhook/workload/propagate.ts'

type Annotations = Readonly<Record<string, string>>

const KINDS = [
  ['apps/v1', 'Deployment', ['spec', 'template']],
  ['apps/v1', 'StatefulSet', ['spec', 'template']],
  ['apps/v1', 'DaemonSet', ['spec', 'template']],
  ['apps/v1', 'ReplicaSet', ['spec', 'template']],
  ['batch/v1', 'Job', ['spec', 'template']],
  ['batch/v1', 'CronJob', ['spec', 'jobTemplate', 'spec', 'template']],
  ['v1', 'ReplicationController', ['spec', 'template']],
  ['v1', 'PodTemplate', ['template']],
] as const

const ours = (texts: Annotations): Annotations =>
  Object.fromEntries(Object.entries(texts).map(([key, text]) => [`outrigger.dev/${key}`, text]))

const kindOf = (object: JsonObject): WorkloadKind => {
  const kind = kindOfObject(object)
  if (!kind) throw new Error('not a workload')
  return kind
}

/** A Deployment with annotations of its own and in its template, without our prefix. */
const deployment = (own: Annotations, template: Annotations, record?: Json): JsonObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', annotations: ours(own) },
  spec: {
    template: {
      metadata: {
        labels: { app: 'web' },
        annotations: {
          ...ours(template),
          ...(record === undefined ? {} : { 'outrigger.dev/workload': JSON.stringify(record) }),
        },
      },
      spec: { containers: [] },
    },
  },
})

/** The object after a write, as the API server stores it. */
const stored = (object: JsonObject): JsonObject => {
  const kind = kindOf(object)
  const propagation = propagate(object, kind)
  return propagation ? withAt(object, kind.path, propagation.after) : object
}

const templateTexts = (object: JsonObject): JsonObject =>
  objectAt(object, ...kindOf(object).path, 'metadata', 'annotations')

const RECORD = 'outrigger.dev/workload'
const inject = { version: 1, copied: { inject: 'true' } }

test.each(KINDS)('%s %s: copied into its template, and gone with it', (apiVersion, kind, path) => {
  const [first, ...rest] = path
  const bare: JsonObject = { apiVersion, kind, metadata: { name: 'web' } }
  const plain = withAt(bare, [first, ...rest], { spec: { containers: [] } })
  const annotations = { ...ours({ inject: 'true' }), team: 'blue' }
  const copied = stored(withAt(plain, ['metadata', 'annotations'], annotations))
  expect(templateTexts(copied)).toEqual({
    'outrigger.dev/inject': 'true',
    [RECORD]: JSON.stringify(inject),
  })
  expect(stored(copied)).toEqual(copied)
  const taken = stored(withAt(copied, ['metadata', 'annotations'], { team: 'blue' }))
  expect(templateTexts(taken)).toEqual({})
})

describe('one write', () => {
  const was = (copied: Annotations, overridden?: Annotations): Json => ({
    version: 1,
    copied,
    ...(overridden ? { overridden } : {}),
  })
  test.each([
    {
      name: 'a value that changed on the workload changes in the template',
      before: deployment(
        { 'log-level': 'warn' },
        { 'log-level': 'info' },
        was({ 'log-level': 'info' }),
      ),
      template: { 'log-level': 'warn' },
      record: was({ 'log-level': 'warn' }),
    },
    {
      name: 'the author’s word stays and wins',
      before: deployment({ inject: 'true', 'log-level': 'warn' }, { 'log-level': 'debug' }),
      template: { inject: 'true', 'log-level': 'debug' },
      record: was({ inject: 'true' }),
    },
    {
      name: 'the author’s word on what may not be loosened is held against the workload’s',
      before: deployment({ auth: 'oidc' }, { auth: 'none' }),
      template: { auth: 'none' },
      record: was({}, { auth: 'oidc' }),
    },
    {
      name: 'a word that both have in common is the author’s',
      before: deployment({ inject: 'true' }, { inject: 'true' }),
      template: { inject: 'true' },
      record: undefined,
    },
    {
      name: 'a copy that the author has edited is his own from then on',
      before: deployment(
        { 'log-level': 'info' },
        { 'log-level': 'debug' },
        was({ 'log-level': 'info' }),
      ),
      template: { 'log-level': 'debug' },
      record: undefined,
    },
    {
      name: 'and stays when the workload’s goes',
      before: deployment({}, { 'log-level': 'debug' }, was({ 'log-level': 'info' })),
      template: { 'log-level': 'debug' },
      record: undefined,
    },
    {
      name: 'a copy that somebody dropped is put back',
      before: deployment({ inject: 'true' }, {}, was({ inject: 'true' })),
      template: { inject: 'true' },
      record: was({ inject: 'true' }),
    },
    {
      name: 'an older template with an older record gets what holds now',
      before: deployment(
        { 'log-level': 'warn' },
        { inject: 'true', 'log-level': 'info' },
        was({ inject: 'true', 'log-level': 'info' }),
      ),
      template: { 'log-level': 'warn' },
      record: was({ 'log-level': 'warn' }),
    },
    {
      name: 'an unknown key is copied nowhere',
      before: deployment({ injct: 'true' }, {}),
      template: {},
      record: undefined,
    },
    {
      name: 'a forged record takes back what it names with its text, and nothing else',
      before: deployment(
        {},
        { inject: 'true', auth: 'none' },
        {
          version: 1,
          copied: { inject: 'true', auth: 'oidc', 'kubernetes.io/x': 'y', __proto__: 'z' },
        },
      ),
      template: { auth: 'none' },
      record: undefined,
    },
    {
      name: 'a record that is not of our form says nothing, and goes',
      before: deployment({}, { inject: 'true' }, { version: 2, copied: { inject: 'true' } }),
      template: { inject: 'true' },
      record: undefined,
    },
    {
      name: 'a record that is no JSON object says nothing, and goes',
      before: deployment({}, { inject: 'true' }, 'x'),
      template: { inject: 'true' },
      record: undefined,
    },
  ])('$name', ({ before, template, record }) => {
    const after = stored(before)
    const { [RECORD]: text, ...texts } = templateTexts(after)
    expect(texts).toEqual(ours(template))
    expect(typeof text === 'string' ? JSON.parse(text) : undefined).toEqual(record)
    expect(stored(after)).toEqual(after)
  })

  test('nothing else of the template is touched', () => {
    const before = deployment({ inject: 'true' }, { inject: 'false' })
    expect(stored(before)).toEqual(before)
  })

  test.each<readonly [string, Json | undefined]>([
    ['no metadata', undefined],
    ['null metadata', null],
    ['null annotations', { annotations: null }],
  ])('a template with %s gets them', (_name, metadata) => {
    const object = deployment({ inject: 'true' }, {})
    const bare = withAt(object, ['spec', 'template', 'metadata'], metadata)
    expect(templateTexts(stored(bare))).toMatchObject({ 'outrigger.dev/inject': 'true' })
  })

  test.each<readonly [string, Json]>([
    ['metadata that is a list', []],
    ['annotations that are a list', { annotations: [] }],
  ])('a template with %s is left for the pod’s rendering to refuse', (_name, metadata) => {
    const bad = withAt(
      deployment({ inject: 'true' }, {}),
      ['spec', 'template', 'metadata'],
      metadata,
    )
    expect(stored(bad)).toEqual(bad)
  })

  test('an object with a controller is left alone, one with a mere owner is not', () => {
    const owner = (controller: boolean): JsonObject =>
      withAt(
        deployment({ inject: 'true' }, {}),
        ['metadata', 'ownerReferences'],
        [{ apiVersion: 'v1', kind: 'X', name: 'x', uid: '1', controller }],
      )
    expect(stored(owner(true))).toEqual(owner(true))
    expect(templateTexts(stored(owner(false)))).toMatchObject({ 'outrigger.dev/inject': 'true' })
  })
})

describe('what nobody reads is told', () => {
  test.each([
    {
      name: 'a mistyped key',
      object: deployment({ injct: 'true' }, {}),
      says: /^Deployment web: outrigger.dev\/injct is not an annotation.*outrigger.dev\/inject\?$/,
    },
    {
      name: 'a key among the labels',
      object: withAt(deployment({}, {}), ['metadata', 'labels'], ours({ inject: 'true' })),
      says: /^Deployment web: outrigger.dev\/inject is an annotation, not a label$/,
    },
    {
      name: 'a value that is no string',
      object: withAt(deployment({}, {}), ['metadata', 'annotations', 'outrigger.dev/inject'], true),
      says: /^Deployment web: outrigger.dev\/inject: true must be a string/,
    },
    {
      name: 'a value that quotes alone do not mend',
      object: withAt(
        deployment({}, {}),
        ['metadata', 'annotations', 'outrigger.dev/rate-limit'],
        300,
      ),
      says: /^Deployment web: outrigger.dev\/rate-limit: 300 must be a string: put it in quotes; "300" is not right either: use .*`300\/m`/,
    },
    {
      name: 'a value that is a list',
      object: withAt(
        deployment({}, {}),
        ['metadata', 'annotations', 'outrigger.dev/rate-limit'],
        Array.from({ length: 1000 }, () => 1),
      ),
      says: /^Deployment web: outrigger.dev\/rate-limit: a list must be a string: put it in quotes; use .*`300\/m`/,
    },
    {
      name: "a value that is none, beside the template's own",
      object: deployment({ inject: 'ja', 'log-level': 'warn' }, { inject: 'true' }),
      says: /^Deployment web: outrigger.dev\/inject: "ja" is not right: use `true` or `false`; the pod template's own holds in its place$/,
    },
    {
      name: 'a key on the Jobs of a CronJob',
      object: {
        apiVersion: 'batch/v1',
        kind: 'CronJob',
        metadata: { name: 'web' },
        spec: {
          jobTemplate: {
            metadata: { annotations: ours({ inject: 'true' }) },
            spec: { template: {} },
          },
        },
      },
      says: /^CronJob web: nothing reads outrigger.dev\/inject in spec.jobTemplate.metadata/,
    },
  ])('$name', ({ object, says }) => {
    const warnings = propagate(object, kindOf(object))?.warnings
    expect(warnings).toEqual([expect.stringMatching(says)])
  })
})

describe('any order of writes', () => {
  const KEYS = ['inject', 'log-level', 'auth'] as const
  const key = fc.constantFrom(...KEYS)
  // Author and workload never say the same: a copy and a word alike cannot be told apart.
  const own = fc.constantFrom('w1', 'w2')
  const authored = fc.constantFrom('a1', 'a2')
  const write = fc.oneof(
    fc.record({ do: fc.constant('annotate' as const), key, text: own }),
    fc.record({ do: fc.constant('unannotate' as const), key }),
    fc.record({ do: fc.constant('write' as const), key, text: authored }),
    fc.record({ do: fc.constant('drop' as const), key }),
    fc.record({ do: fc.constant('undo' as const), to: fc.nat({ max: 20 }) }),
    // The whole object as its author has it in a file: no copies, no record.
    fc.record({ do: fc.constant('replace' as const) }),
  )
  type Write = typeof write extends fc.Arbitrary<infer T> ? T : never

  interface State {
    readonly object: JsonObject
    readonly workload: Annotations
    readonly author: Annotations
  }
  const OWN = ['metadata', 'annotations'] as const
  const TEMPLATE = ['spec', 'template', 'metadata', 'annotations'] as const

  const without = (texts: Annotations, gone: string): Annotations =>
    Object.fromEntries(Object.entries(texts).filter(([name]) => name !== gone))

  const next = (state: State, step: Write, history: readonly State[]): State => {
    const { object, workload, author } = state
    switch (step.do) {
      case 'annotate':
        return {
          ...state,
          object: withAt(object, [...OWN, `outrigger.dev/${step.key}`], step.text),
          workload: { ...workload, [step.key]: step.text },
        }
      case 'unannotate':
        return {
          ...state,
          object: withAt(object, [...OWN, `outrigger.dev/${step.key}`], undefined),
          workload: without(workload, step.key),
        }
      case 'write':
        return {
          ...state,
          object: withAt(object, [...TEMPLATE, `outrigger.dev/${step.key}`], step.text),
          author: { ...author, [step.key]: step.text },
        }
      case 'drop':
        return {
          ...state,
          object: withAt(object, [...TEMPLATE, `outrigger.dev/${step.key}`], undefined),
          author: without(author, step.key),
        }
      case 'undo': {
        const then = history[step.to % history.length] ?? state
        const template = objectAt(then.object, 'spec', 'template')
        return {
          object: withAt(object, ['spec', 'template'], template),
          workload,
          author: then.author,
        }
      }
      case 'replace':
        return { ...state, object: deployment(workload, author) }
      default:
        return step satisfies never
    }
  }

  test('ends in the same template: the author’s word, else the workload’s, and nothing more', () => {
    let copies = 0
    fc.assert(
      fc.property(fc.array(write, { minLength: 1, maxLength: 12 }), (writes) => {
        const history: State[] = [{ object: deployment({}, {}), workload: {}, author: {} }]
        for (const step of writes) {
          const written = next(
            history.at(-1) ?? { object: {}, workload: {}, author: {} },
            step,
            history,
          )
          const state = { ...written, object: stored(written.object) }
          const { [RECORD]: _record, ...texts } = templateTexts(state.object)
          expect(texts).toEqual(ours({ ...state.workload, ...state.author }))
          expect(stored(state.object)).toEqual(state.object)
          copies += Object.keys(state.workload).length
          history.push(state)
        }
      }),
      { numRuns: 500 },
    )
    expect(copies).toBeGreaterThan(100)
  })
})
