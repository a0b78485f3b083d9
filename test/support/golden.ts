// Reads the golden cases of injection and compares results with what they expect, as structures.
// Expectations are written only with UPDATE_GOLDEN=1, and then read by a person.

import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect } from '@jest/globals'
import { parse } from 'yaml'
import { templatesIn, type Template } from '../../cli/manifest/templates.ts'
import { lend } from '../../cli/manifest/workload.ts'
import { EMPTY_INDEX, parseImageIndex, type ImageIndex } from '../../shared/image-index.ts'
import { readClusterConfig, type ClusterConfig } from '../../webhook/cluster/config.ts'
import type { Outcome } from '../../webhook/inject/outcome.ts'
import { isObject, objectAt, withAt, type Json, type JsonObject } from '../../shared/json.ts'
import { namespaceOf, type Namespace } from '../../webhook/cluster/namespace.ts'

const ROOT = fileURLToPath(new URL('../golden/inject/', import.meta.url))

export interface GoldenCase {
  readonly name: string
  readonly text: string
  readonly template: Template
  /** The template as the pod that a controller makes of it. */
  readonly pod: JsonObject
  readonly namespace: Namespace
  readonly config: ClusterConfig
}

const read = (path: string): string => readFileSync(ROOT + path, 'utf8')

const configOf = (name: string): ClusterConfig => {
  const own = `${name}/config.yaml`
  const config = readClusterConfig(read(existsSync(ROOT + own) ? own : 'config.yaml'))
  if (!config.ok) throw new Error(`${name}: ${config.error.join('; ')}`)
  return { ...config.value, images: imagesOf(name) }
}

/** The image index of a case; none without a file of its own. */
const imagesOf = (name: string): ImageIndex => {
  const own = `${name}/images.yaml`
  if (!existsSync(ROOT + own)) return EMPTY_INDEX
  const images = parseImageIndex(parse(read(own)))
  if (!images.ok) throw new Error(`${name}: ${images.error.join('; ')}`)
  return images.value
}

const namespaceFor = (name: string): Namespace => {
  const path = `${name}/namespace.yaml`
  const object: unknown = existsSync(ROOT + path) ? parse(read(path)) : undefined
  return isObject(object) ? namespaceOf(object) : { name: 'servers', labels: {}, annotations: {} }
}

const POD_HASH = '7d9f8b6c5d'

/** The controller that makes the pods of each kind, and the name it has. */
const CONTROLLERS: Readonly<
  Record<string, (name: string) => readonly [kind: string, name: string]>
> = {
  Deployment: (name) => ['ReplicaSet', `${name}-${POD_HASH}`],
  CronJob: (name) => ['Job', `${name}-29384756`],
}

/** What a workload's controller submits for its template. */
const podOf = (template: Template): JsonObject => {
  if (template.kind === 'Pod') return template.pod
  const [kind, name] = CONTROLLERS[template.kind]?.(template.name) ?? [template.kind, template.name]
  const { pod } = lend(template)
  const labels = objectAt(pod, 'metadata', 'labels')
  const hash = template.kind === 'Deployment' ? { 'pod-template-hash': POD_HASH } : {}
  const metadata = {
    ...objectAt(pod, 'metadata'),
    generateName: `${name}-`,
    labels: { ...labels, ...hash },
    ownerReferences: [{ apiVersion: 'v1', kind, name, uid: '1', controller: true }],
  }
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: objectAt(pod, 'spec') }
}

const readCase = (name: string): GoldenCase => {
  const text = read(`${name}/input.yaml`)
  const object: unknown = parse(text)
  const [template] = isObject(object) ? templatesIn(object) : []
  if (!template) throw new Error(`${name}: input.yaml holds no pod`)
  return {
    name,
    text,
    template,
    pod: podOf(template),
    namespace: namespaceFor(name),
    config: configOf(name),
  }
}

/** Every case, by name. */
export const goldenCases = (): readonly GoldenCase[] =>
  readdirSync(ROOT, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => readCase(name))

/** A decision as outcome.json has it; a pod and its patch have files of their own. */
export const summary = (outcome: Outcome): Json => {
  const { warnings } = outcome
  if (outcome.kind === 'skip') return { decision: 'skip', reason: outcome.reason, warnings }
  if (outcome.kind === 'inject') return { decision: 'inject', warnings }
  const violations = outcome.violations.map(({ code, message }) => ({ code, message }))
  return { decision: 'deny', violations, warnings }
}

const filesOf = (outcome: Outcome): Readonly<Record<string, unknown>> => ({
  'outcome.json': summary(outcome),
  'expected.json': outcome.kind === 'inject' ? outcome.pod : undefined,
  'expected-patch.json': outcome.kind === 'inject' ? outcome.patch : undefined,
})

/** Compares an outcome with the case's files, or writes them. */
export const expectGolden = (name: string, outcome: Outcome): void => {
  for (const [file, value] of Object.entries(filesOf(outcome))) {
    const path = `${ROOT}${name}/${file}`
    if (process.env['UPDATE_GOLDEN'] === '1') {
      if (value === undefined) rmSync(path, { force: true })
      else writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`)
    }
    const expected: unknown = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined
    expect(value).toStrictEqual(expected)
  }
}

/** The pod that a case expects; undefined where it expects none. */
export const expectedPod = (name: string): JsonObject | undefined => {
  const path = `${name}/expected.json`
  const pod: unknown = existsSync(ROOT + path) ? JSON.parse(read(path)) : undefined
  return isObject(pod) ? pod : undefined
}

/** The outcome that a case expects. */
export const expectedSummary = (name: string): JsonObject => {
  const value: unknown = JSON.parse(read(`${name}/outcome.json`))
  return isObject(value) ? value : {}
}

/** A pod without what only a controller adds, for comparison with its template. */
export const asTemplate = (pod: JsonObject): JsonObject =>
  [
    ['metadata', 'generateName'],
    ['metadata', 'ownerReferences'],
    ['metadata', 'labels', 'pod-template-hash'],
    ['apiVersion'],
    ['kind'],
  ].reduce((current, [first = '', ...rest]) => withAt(current, [first, ...rest], undefined), pod)
