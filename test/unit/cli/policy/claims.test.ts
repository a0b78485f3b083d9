import { expect, test } from '@jest/globals'
import { readCaller } from '../../../../cli/policy/claims.ts'
import { readToolNames } from '../../../../cli/policy/tools-file.ts'

const CLAIMS = { iss: 'https://idp.example', sub: 'alice' }
const CALLER = { issuer: 'https://idp.example', subject: 'alice' }

test.each([
  ['issuer and subject', {}, { groups: [], scopes: [], client: undefined }],
  ['scope', { scope: 'a  b' }, { scopes: ['a', 'b'] }],
  ['scp', { scp: ['a', 'b'] }, { scopes: ['a', 'b'] }],
  ['client_id', { client_id: 'c', azp: 'd' }, { client: 'c' }],
  ['azp', { azp: 'd' }, { client: 'd' }],
  ['groups', { groups: ['g'] }, { groups: ['g'] }],
])('a caller by %s', (_what, claims, caller) => {
  const read = readCaller(JSON.stringify({ ...CLAIMS, ...claims }))
  expect(read.ok && read.value).toMatchObject({ ...CALLER, ...caller })
})

test.each([
  ['no JSON', 'alice', /^must be the claims/],
  ['a list', '[]', /^must be the claims/],
  ['no subject', '{"iss":"x"}', /^needs the claims/],
  ['groups of numbers', JSON.stringify({ ...CLAIMS, groups: [1] }), /no strings$/],
])('%s makes none', (_what, text, why) => {
  const read = readCaller(text)
  expect(read.ok ? '' : read.error).toMatch(why)
})

test.each([
  ['the result of tools/list', { tools: [{ name: 'a' }] }],
  ['the whole answer', { jsonrpc: '2.0', id: 1, result: { tools: [{ name: 'a' }] } }],
  ['a list of tools', [{ name: 'a', description: 'b' }]],
  ['a list of names', ['a']],
])('tools from %s', (_what, value) => {
  expect(readToolNames(JSON.stringify(value))).toEqual({ ok: true, value: ['a'] })
})

test.each(['x', '{}', '[1]', '{"tools":[{}]}'])('%s holds no tools', (text) => {
  expect(readToolNames(text).ok).toBe(false)
})
