import { expect, test } from '@jest/globals'
import { parseClusterConfig } from '../../../webhook/cluster/config.ts'
import { isOther } from '../../../webhook/inject/overdue.ts'

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
  const config = parseClusterConfig({ sidecar: { image: named } })
  if (!config.ok) throw new Error(config.error.join())
  expect(isOther(image, config.value)).toBe(expected)
})
