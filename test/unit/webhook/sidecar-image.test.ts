// What becomes of a sidecar whose image somebody has rewritten between two passes.

import { describe, expect, test } from '@jest/globals'
import { objectAt, objectsAt, stringAt, type JsonObject } from '../../../shared/json.ts'
import { render } from '../../../webhook/inject/render.ts'
import { clusterConfig } from '../../support/cluster-config.ts'

const IMAGE = 'registry.example/team/outrigger-sidecar:0.1.0'
const DIGEST = `sha256:${'a'.repeat(64)}`

const configWith = (image: string) =>
  clusterConfig({ sidecar: { image }, floor: { allowAnonymous: true } })

const namespace = { name: 'a', labels: {}, annotations: {} }
const POD: JsonObject = {
  metadata: { annotations: { 'outrigger.dev/inject': 'true', 'outrigger.dev/auth': 'none' } },
  spec: { containers: [{ name: 'server', command: ['echo'] }] },
}

/** The pod after a first pass, its sidecar's image rewritten, and what a second pass makes of it. */
const secondPass = (rewritten: string) => {
  const first = render(POD, namespace, configWith(IMAGE))
  if (first.kind !== 'inject') throw new Error(first.kind)
  const [sidecar = {}] = objectsAt(first.pod, 'spec', 'initContainers')
  const spec = {
    ...objectAt(first.pod, 'spec'),
    initContainers: [{ ...sidecar, image: rewritten }],
  }
  const second = render({ ...first.pod, spec }, namespace, configWith(IMAGE))
  if (second.kind !== 'inject') throw new Error(second.kind)
  const image = stringAt(objectsAt(second.pod, 'spec', 'initContainers')[0], 'image')
  return { image, warnings: second.warnings.filter((line) => line.includes('its image is')) }
}

describe('a rewritten sidecar’s image is the configuration’s again, and that is said', () => {
  test.each([
    ['another host of the same tag', 'mirror.example/team/outrigger-sidecar:0.1.0'],
    ['a path before it', 'mirror.example/registry.example/team/outrigger-sidecar:0.1.0'],
    ['a digest behind it', `${IMAGE}@${DIGEST}`],
    ['another tag', 'registry.example/team/outrigger-sidecar:0.2.0'],
    ['an image of somebody’s own', 'evil.example/sidecar:1'],
  ])('%s', (_name, rewritten) => {
    const { image, warnings } = secondPass(rewritten)
    expect(image).toBe(IMAGE)
    expect(warnings).toEqual([
      `container outrigger-sidecar: its image is the cluster configuration's ${IMAGE} again, not ${rewritten}; a mirror's belongs into sidecar.image there`,
    ])
  })

  test('where nobody has changed it nothing is said', () => {
    expect(secondPass(IMAGE)).toEqual({ image: IMAGE, warnings: [] })
  })
})
