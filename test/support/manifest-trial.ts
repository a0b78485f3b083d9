// Tries manifests on `inject` and `uninject` beside kubectl's own reader, and says of each what is not as it should be.

import { decide, injectManifest } from '../../cli/manifest/inject.ts'
import type { ManifestOptions } from '../../cli/manifest/manifest.ts'
import { templatesIn, withReplaced } from '../../cli/manifest/templates.ts'
import { uninjectManifest } from '../../cli/manifest/uninject.ts'
import { decodeSource, encodeSource } from '../../cli/command/source.ts'
import { isObject, type Json, type JsonObject } from '../../shared/json.ts'
import { canonical, type KubectlReader, type Reading } from './kubectl-reader.ts'
import { clusterConfig } from './cluster-config.ts'

const config = clusterConfig({
  sidecar: { image: 'sidecar:1' },
  floor: { allowAnonymous: true },
})
const OPTIONS: ManifestOptions = {
  file: 'f',
  config,
  isDefaultConfig: false,
  namespace: 'default',
  namespaces: [],
}

interface Expected {
  readonly denials: readonly string[]
  readonly objects: readonly Json[]
}

/** What `render` makes of the objects that kubectl would send. */
const expectedOf = (objects: readonly Json[]): Expected => {
  const denials: string[] = []
  const after = objects.map((object) => {
    const pods = new Map<JsonObject, JsonObject>()
    for (const template of isObject(object) ? templatesIn(object) : []) {
      const namespace = { name: 'default', labels: {}, annotations: {} }
      const outcome = decide({ template, namespace, where: '', line: 1 }, OPTIONS)
      if (outcome.kind === 'inject') pods.set(template.pod, outcome.pod)
      if (outcome.kind === 'deny') denials.push(...outcome.violations.map(({ message }) => message))
    }
    return isObject(object) ? withReplaced(object, pods) : object
  })
  return { denials, objects: after }
}

/** Null counts as absent; where values come back, what is empty may have been. */
const bare = (value: Json, isLoose: boolean): Json => {
  if (Array.isArray(value)) return value.map((item: Json) => bare(item, isLoose))
  if (!isObject(value)) return value
  const members = Object.entries(value).map(([name, item]) => [name, bare(item, isLoose)] as const)
  const isNothing = (item: Json): boolean =>
    item === null || (isLoose && typeof item === 'object' && Object.keys(item).length === 0)
  return Object.fromEntries(members.filter(([, item]) => !isNothing(item)))
}

const isTheSame = (a: readonly Json[], b: readonly Json[], isLoose = false): boolean =>
  canonical(a.map((item) => bare(item, isLoose))) ===
  canonical(b.map((item) => bare(item, isLoose)))

interface Trial {
  readonly bytes: Buffer
  readonly injected: ReturnType<typeof injectManifest> & { readonly bytes: Buffer }
  readonly restored: ReturnType<typeof injectManifest> & { readonly bytes: Buffer }
  readonly isStable: boolean
}

const refused = (stderr: string): Trial['injected'] => ({
  stdout: '',
  stderr,
  exitCode: 1,
  bytes: Buffer.from(''),
})

const tryOne = (bytes: Buffer): Trial => {
  const source = decodeSource(bytes)
  if (!source.ok) {
    return {
      bytes,
      injected: refused(source.error),
      restored: refused(source.error),
      isStable: true,
    }
  }
  const run = (result: ReturnType<typeof injectManifest>): Trial['injected'] => ({
    ...result,
    bytes: encodeSource(result.stdout, source.value),
  })
  const injected = run(injectManifest(source.value.text, OPTIONS))
  return {
    bytes,
    injected,
    restored: run(uninjectManifest(injected.stdout, OPTIONS)),
    isStable: injectManifest(injected.stdout, OPTIONS).stdout === injected.stdout,
  }
}

/** What is wrong with the verdict; undefined where it is that of `render` on what kubectl reads. */
const wrongVerdict = (
  { injected }: Trial,
  before: Reading,
  expected: Expected,
): string | undefined => {
  const isRefused = injected.exitCode === 1
  if (before.error !== undefined)
    return isRefused ? undefined : `kubectl refuses it: ${before.error}`
  const missing = expected.denials.find((message) => !injected.stderr.includes(message))
  if (missing !== undefined) return `not denied: ${missing}`
  const isRight =
    !isRefused || expected.denials.length > 0 || injected.stderr.includes('beyond 2^53')
  return isRight ? undefined : `refused: ${injected.stderr}`
}

const wrongOutput = (trial: Trial, between: Reading, expected: Expected): string | undefined => {
  if (between.error !== undefined) return `the output is unreadable: ${between.error}`
  if (!isTheSame(between.objects, expected.objects)) return 'the output says something else'
  return trial.isStable ? undefined : 'a second inject changes it'
}

const wrongReturn = (
  { bytes, injected, restored }: Trial,
  before: Reading,
  after: Reading,
): string | undefined => {
  if (restored.bytes.equals(bytes)) return undefined
  const isTold = /warning: .*lines? \d|warning: it is written anew/.test(
    injected.stderr + restored.stderr,
  )
  if (!isTold) return 'other bytes come back, and nobody says so'
  return isTheSame(after.objects, before.objects, true) ? undefined : 'something else comes back'
}

const problemWith = (
  trial: Trial,
  before: Reading,
  between: Reading,
  after: Reading,
): string | undefined => {
  const expected = expectedOf(before.objects)
  const wrong = wrongVerdict(trial, before, expected)
  if (wrong !== undefined || trial.injected.exitCode === 1) return wrong
  return wrongOutput(trial, between, expected) ?? wrongReturn(trial, before, after)
}

export interface Problem {
  readonly seed: number
  readonly problem: string
}

export interface Summary {
  readonly problems: readonly Problem[]
  /** How many were injected, and of those, how many came back byte for byte. */
  readonly injected: number
  readonly whole: number
}

/** Tries a manifest for each seed. */
export const tryManifests = (
  seeds: readonly number[],
  generate: (seed: number) => Buffer,
  kubectl: KubectlReader,
): Summary => {
  const trials = seeds.map((seed) => tryOne(generate(seed)))
  const read = (of: (trial: Trial) => Buffer): readonly Reading[] => kubectl.read(trials.map(of))
  const before = read(({ bytes }) => bytes)
  const between = read(({ injected }) => injected.bytes)
  const after = read(({ restored }) => restored.bytes)
  const none: Reading = { objects: [], error: 'no answer' }
  const problems = trials.flatMap((trial, index) => {
    const problem = problemWith(
      trial,
      before[index] ?? none,
      between[index] ?? none,
      after[index] ?? none,
    )
    return problem === undefined ? [] : [{ seed: seeds[index] ?? 0, problem }]
  })
  const changed = trials.filter(
    ({ injected, bytes }) => injected.exitCode === 0 && !injected.bytes.equals(bytes),
  )
  return {
    problems,
    injected: changed.length,
    whole: changed.filter(({ restored, bytes }) => restored.bytes.equals(bytes)).length,
  }
}
