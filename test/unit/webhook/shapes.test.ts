// What people run: the shapes of 101 public manifests and charts (images renamed, values taken out), each
// with the one annotation. What becomes of every pod, and what its author is told, stands as text in
// test/golden/shapes.txt, what each level's rules deny in shapes-rules.txt, and what `inject --report` counts in
// shapes-report.txt, all written by UPDATE_GOLDEN=1.

import { describe, expect, test } from '@jest/globals'
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { reportOn, reportText, type ReportedFile } from '../../../cli/manifest/report.ts'
import { lend } from '../../../cli/manifest/workload.ts'
import { templatesIn, type Template } from '../../../cli/manifest/templates.ts'
import { parseImageIndex, type ImageIndex } from '../../../shared/image-index.ts'
import { isObject, objectsAt, stringAt, type JsonObject } from '../../../shared/json.ts'
import { readClusterConfig, type ClusterConfig } from '../../../webhook/cluster/config.ts'
import { serviceOf, type Namespace } from '../../../webhook/cluster/namespace.ts'
import { parseReference, tagKey } from '../../../webhook/images/reference.ts'
import type { Outcome } from '../../../webhook/inject/outcome.ts'
import { members } from '../../../webhook/inject/pod.ts'
import { uidOf } from '../../../webhook/inject/security.ts'
import { admit } from '../../../webhook/rules/admit.ts'
import { LEVELS, type Level } from '../../../webhook/settings/modes.ts'
import { ENFORCE_LABEL } from '../../../shared/names.ts'

const at = (path: string): URL => new URL(`../../../${path}`, import.meta.url)
const GOLDEN = fileURLToPath(at('test/golden/shapes.txt'))
const RULES = fileURLToPath(at('test/golden/shapes-rules.txt'))
const REPORT = fileURLToPath(at('test/golden/shapes-report.txt'))

interface Shape {
  readonly id: string
  readonly needs: readonly string[]
  readonly objects: readonly JsonObject[]
}

const shapeOf = (line: string): Shape => {
  const value: unknown = JSON.parse(line)
  if (!isObject(value)) throw new Error(`no shape: ${line.slice(0, 80)}`)
  const needs = value['needs']
  return {
    id: stringAt(value, 'id') ?? '',
    needs: Array.isArray(needs) ? needs.map(String) : [],
    objects: objectsAt(value, 'docs'),
  }
}

const SHAPES = readFileSync(at('test/fixtures/shapes.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map(shapeOf)

/** As `outrigger images add` would have read them: `UID` is a named user, `UID?` an image without one. */
const indexFor = ({ needs, objects }: Shape): ImageIndex => {
  const user = needs.includes('UID') ? { name: 'app', uid: 10_001, gid: 10_001 } : { uid: 10_002 }
  const record = {
    entrypoint: ['/usr/local/bin/server'],
    cmd: [],
    ...(needs.includes('UID?') ? {} : { user }),
  }
  const containers = objects.flatMap((object) =>
    templatesIn(object).flatMap(({ pod }) => members(pod).map(({ container }) => container)),
  )
  const tags = containers.flatMap((container) => {
    const reference = parseReference(stringAt(container, 'image') ?? '')
    const key = reference.ok ? tagKey(reference.value) : undefined
    return key === undefined ? [] : [key]
  })
  const digest = (tag: string): string => `sha256:${createHash('sha256').update(tag).digest('hex')}`
  const index = parseImageIndex({
    version: 1,
    tags: Object.fromEntries(tags.map((tag) => [tag, digest(tag)])),
    images: Object.fromEntries(tags.map((tag) => [digest(tag), { 'linux/amd64': record }])),
  })
  if (!index.ok) throw new Error(index.error.join('; '))
  return index.value
}

const configFor = (shape: Shape): ClusterConfig => {
  const text = readFileSync(at('manifests/overlays/dev/config.yaml'), 'utf8')
  const config = readClusterConfig(text)
  if (!config.ok) throw new Error(config.error.join('; '))
  return { ...config.value, images: indexFor(shape) }
}

const namespaceFor = ({ objects }: Shape): Namespace => ({
  name: 'default',
  labels: {},
  annotations: {},
  services: objects.filter((object) => object['kind'] === 'Service').map(serviceOf),
})

interface Rendered {
  readonly name: string
  readonly outcome: Outcome
}

const renderTemplate = (template: Template, shape: Shape): Rendered => {
  const { pod, workload } = lend(template)
  const { decided } = admit(pod, namespaceFor(shape), configFor(shape), workload)
  return { name: `${template.kind} ${template.name}`, outcome: decided }
}

/** Those that ask for something; helpers and databases beside them do not. */
const renderShape = (shape: Shape): readonly Rendered[] =>
  shape.objects
    .flatMap((object) => templatesIn(object))
    .map((template) => renderTemplate(template, shape))
    .filter(({ outcome }) => outcome.kind !== 'skip')

const ALL = SHAPES.map((shape) => ({ shape, rendered: renderShape(shape) }))

/** What a level denies of a pod, each with what mends it; what it does not is one word. */
const ruledBy = (level: Level, template: Template, shape: Shape): readonly string[] => {
  const { pod, workload } = lend(template)
  const labels = { [ENFORCE_LABEL]: level }
  const namespace = { ...namespaceFor(shape), labels }
  const { decided } = admit(pod, namespace, configFor(shape), workload)
  const about = `  ${template.kind} ${template.name}: ${level}`
  if (decided.kind !== 'deny') return [`${about}: ${decided.kind}`]
  return [`${about}: denied`, ...decided.violations.map(({ message }) => `    ${message}`)]
}

/** Of those that ask for something. */
const ruledIn = (shape: Shape): readonly string[] =>
  shape.objects
    .flatMap((object) => templatesIn(object))
    .filter((template) => renderTemplate(template, shape).outcome.kind !== 'skip')
    .flatMap((template) => LEVELS.flatMap((level) => ruledBy(level, template, shape)))

const told = ({ name, outcome }: Rendered): string => {
  const violations = outcome.kind === 'deny' ? outcome.violations : []
  const lines = [
    ...violations.map(({ code, message }) => `denied (${code}): ${message}`),
    ...outcome.warnings,
  ]
  return [`  ${name}: ${outcome.kind}`, ...lines.map((line) => `    ${line}`)].join('\n')
}

describe('the shapes of what people run', () => {
  test('there are 101, of which one asks for nothing', () => {
    expect(SHAPES).toHaveLength(101)
    const bare = ALL.filter(({ rendered }) => rendered.length === 0)
    expect(bare.map(({ shape }) => shape.id)).toEqual(['m036'])
  })

  test('become what the golden text says', () => {
    const text = ALL.map(({ shape: { id, needs }, rendered }) =>
      [`${id} ${needs.join(' ')}`.trim(), ...rendered.map(told), ''].join('\n'),
    ).join('\n')
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(GOLDEN, text)
    expect(text).toBe(readFileSync(GOLDEN, 'utf8'))
  })

  test('are injected by the one annotation, 90 of them', () => {
    const injected = ALL.filter(
      ({ rendered }) =>
        rendered.length > 0 && rendered.every(({ outcome }) => outcome.kind === 'inject'),
    )
    expect(injected.length).toBe(90)
  })

  test('are counted by the report as the golden text says', () => {
    const reportOf = (shape: Shape): ReportedFile => {
      const list = { apiVersion: 'v1', kind: 'List', items: shape.objects }
      const options = { config: configFor(shape), isDefaultConfig: false, namespaces: [] }
      const file = `${shape.id}.json`
      return reportOn(JSON.stringify(list), { ...options, file, namespace: 'default' })
    }
    const text = reportText(SHAPES.map(reportOf), { isDefaultConfig: false })
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(REPORT, text)
    expect(text).toBe(readFileSync(REPORT, 'utf8'))
  })

  test('are held against the rules as the golden text says', () => {
    const text = SHAPES.map((shape) => [shape.id, ...ruledIn(shape), ''].join('\n')).join('\n')
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(RULES, text)
    expect(text).toBe(readFileSync(RULES, 'utf8'))
  })

  test('none of them runs as root, or as somebody unknown', () => {
    const odd = ALL.flatMap(({ rendered }) => rendered).flatMap(({ name, outcome }) => {
      if (outcome.kind !== 'inject') return []
      const { pod } = outcome
      const known = (container: JsonObject): boolean => {
        const uid = uidOf(pod, container)
        // Without one in the spec, the image's own number counts, by the index.
        return uid === undefined ? stringAt(container, 'image')?.includes('@') === true : uid > 0
      }
      return members(pod)
        .filter(({ container }) => !known(container))
        .map((member) => `${name}: ${member.name}`)
    })
    expect(odd).toEqual([])
  })
})
