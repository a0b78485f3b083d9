import { describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { injectManifest } from '../../../cli/manifest/inject.ts'
import type { ManifestOptions } from '../../../cli/manifest/manifest.ts'
import { templatesIn } from '../../../cli/manifest/templates.ts'
import { uninjectManifest } from '../../../cli/manifest/uninject.ts'
import { isObject, objectsAt, stringAt, type JsonObject } from '../../../shared/json.ts'
import {
  asTemplate,
  expectedPod,
  expectedSummary,
  goldenCases,
  type GoldenCase,
} from '../../support/golden.ts'

const cases = goldenCases()

/** Cases whose input is not what a person would write, and so is not what uninject gives back. */
const NOT_REVERSIBLE: ReadonlyMap<string, string> = new Map([
  ['forged-sidecar', 'the container under our name goes'],
  ['forged-stand-ins', 'the container under our name goes'],
  ['forged-status', 'the forged label and status go'],
  ['oidc-forged', 'the container under our name goes, and the forged status and record'],
  ['shim-behind-wrapper', 'the shim in the line goes'],
  ['traces-forged', 'the container under our name goes'],
  ['token-mounted', "the API server's plugin mounts its token again by itself"],
  ['token-automount', "the API server's plugin mounts its token again by itself"],
])
const isReversible = ({ name }: GoldenCase): boolean =>
  !NOT_REVERSIBLE.has(name) && !name.startsWith('reinvoked-')

const optionsOf = ({ config, namespace }: GoldenCase): ManifestOptions => ({
  file: 'input.yaml',
  config,
  isDefaultConfig: false,
  namespace: namespace.name,
  namespaces: [namespace],
})

const podIn = (text: string): JsonObject => {
  const object: unknown = parse(text)
  const [template] = isObject(object) ? templatesIn(object) : []
  if (!template) throw new Error('the output holds no pod')
  return template.pod
}

const comparable = (pod: JsonObject, kind: string): JsonObject =>
  kind === 'Pod' ? pod : asTemplate(pod)

describe('outrigger inject, by golden files', () => {
  test.each(cases)('$name', (golden) => {
    const { name, text, template } = golden
    const options = optionsOf(golden)
    const { stdout, stderr, exitCode } = injectManifest(text, options)
    const summary = expectedSummary(name)
    const messages = objectsAt(summary, 'violations').map((item) => stringAt(item, 'message') ?? '')
    expect(exitCode).toBe(summary['decision'] === 'deny' ? 1 : 0)
    for (const message of messages) expect(stderr).toContain(message)
    const pod = expectedPod(name)
    if (!pod) {
      expect(stdout).toBe(exitCode === 1 ? '' : text)
      return
    }
    expect(comparable(podIn(stdout), template.kind)).toStrictEqual(comparable(pod, template.kind))
    expect(injectManifest(stdout, options)).toMatchObject({ stdout, exitCode: 0 })
  })
})

describe('outrigger uninject gives back the meaning', () => {
  const reversible = cases.filter((golden) => isReversible(golden) && expectedPod(golden.name))

  test.each(reversible)('$name', (golden) => {
    const options = optionsOf(golden)
    const { stdout } = injectManifest(golden.text, options)
    const restored = uninjectManifest(stdout, options)
    expect(restored).toMatchObject({ stderr: '', exitCode: 0 })
    expect(parse(restored.stdout)).toStrictEqual(parse(golden.text))
  })
})
