import { expect, test } from '@jest/globals'
import { inConfigMap } from '../../../../cli/command/in-config-map.ts'
import { fail, ok } from '../../../../shared/result.ts'

const POLICY = 'version: 1\nrules: [] # of no kind\n'
const holding = (data: string): string => `apiVersion: v1\nkind: ConfigMap\n${data}`

test.each([
  ['a document by itself', POLICY, ok({ text: POLICY, where: '' })],
  ['no YAML at all', 'kind: [', ok({ text: 'kind: [', where: '' })],
  ['two documents', 'kind: a\n---\nkind: b\n', ok({ text: 'kind: a\n---\nkind: b\n', where: '' })],
  [
    'a ConfigMap with its key',
    holding('data: { other: x, policy.yaml: y }'),
    ok({ text: 'y', where: 'data.policy.yaml: ' }),
  ],
  [
    'a ConfigMap with one key of another name',
    holding('data: { rules: y }'),
    ok({ text: 'y', where: 'data.rules: ' }),
  ],
  [
    'a ConfigMap with others',
    holding('data: { a: x, b: y }'),
    fail(
      'it is a ConfigMap whose data has no text policy.yaml: put the document there; there are a, b',
    ),
  ],
  [
    'a ConfigMap without any',
    holding(''),
    fail('it is a ConfigMap whose data has no text policy.yaml: put the document there'),
  ],
  [
    'a Deployment',
    'kind: Deployment\n',
    fail('it is a Deployment: hand over the document itself, or the ConfigMap that holds it'),
  ],
])('%s', (_what, text, read) => {
  expect(inConfigMap(text, 'policy.yaml')).toEqual(read)
})
