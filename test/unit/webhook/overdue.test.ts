import { expect, test } from '@jest/globals'
import { isOther } from '../../../webhook/inject/overdue.ts'
import { clusterConfig } from '../../support/cluster-config.ts'

const DIGEST = `sha256:${'a'.repeat(64)}`

test.each<[string, string, string, boolean]>([
  ['the same', 'example.com/sidecar:2', 'example.com/sidecar:2', false],
  ['another tag', 'example.com/sidecar:2', 'example.com/sidecar:1', true],
  ['its tag, resolved', 'example.com/sidecar:2', `example.com/sidecar:2@${DIGEST}`, false],
  ['another tag, resolved', 'example.com/sidecar:2', `example.com/sidecar:1@${DIGEST}`, true],
  ['another place’s', 'example.com/sidecar:2', `example.org/sidecar:2@${DIGEST}`, true],
  [
    'another digest',
    `example.com/sidecar@${DIGEST}`,
    `example.com/sidecar@${DIGEST.replace('a', 'b')}`,
    true,
  ],
  ['no reference', 'example.com/sidecar:2', 'example.com/sidecar:2 ', true],
])('a sidecar is another than the configuration names: %s', (_name, named, image, expected) => {
  const config = clusterConfig({ sidecar: { image: named } })
  expect(isOther(image, config)).toBe(expected)
})
