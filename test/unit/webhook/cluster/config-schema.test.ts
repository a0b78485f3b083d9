import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { z } from 'zod'
import { isObject, objectAt, type JsonObject } from '../../../../shared/json.ts'
import { configJsonSchema } from '../../../support/config-json-schema.ts'

const ROOT = new URL('../../../../', import.meta.url)
const FILE = new URL('manifests/schemas/cluster-config.schema.json', ROOT)
const text = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8')

/** Every member that has no members of its own, with its path. */
const membersOf = (
  schema: JsonObject,
  path = '',
): readonly (readonly [path: string, schema: JsonObject])[] =>
  Object.entries(objectAt(schema, 'properties')).flatMap(([name, member]) => {
    if (!isObject(member)) return []
    const own = path === '' ? name : `${path}.${name}`
    const below = membersOf(member, own)
    return below.length === 0 ? [[own, member] as const] : below
  })

describe('the JSON Schema of the cluster configuration', () => {
  test('is what the webhook checks with', () => {
    const schema = configJsonSchema()
    if (process.env['UPDATE_GOLDEN'] === '1') {
      writeFileSync(FILE, `${JSON.stringify(schema, null, 2)}\n`)
    }
    expect(JSON.parse(readFileSync(FILE, 'utf8'))).toEqual(schema)
  })

  test('says of every member what it is', () => {
    const members = membersOf(configJsonSchema())
    expect(members.length).toBeGreaterThan(40)
    const silent = members.filter(([, { description }]) => typeof description !== 'string')
    expect(silent.map(([path]) => path)).toEqual([])
  })

  test('says so in whole sentences: the words of a link stay, a pointer to elsewhere goes', () => {
    const members = membersOf(configJsonSchema()).map(([, { description }]) => description)
    expect(members).toContain(
      'groups whose members may get into running pods whatever the rules say; it stands on record',
    )
    const cut = members.filter((words) =>
      /\]\(|\(below\)|,,|[:,;(]$/.test(JSON.stringify(words).slice(1, -1)),
    )
    expect(cut).toEqual([])
  })

  test.each(['manifests/base/config.yaml', 'manifests/overlays/dev/config.yaml'])(
    'takes %s, which names it for editors',
    (path) => {
      const schema = z.fromJSONSchema(configJsonSchema())
      expect(schema.safeParse(parse(text(path))).error?.issues).toBeUndefined()
      const [, named = ''] = /^# yaml-language-server: \$schema=(\S+)$/m.exec(text(path)) ?? []
      expect(new URL(named, new URL(path, ROOT)).href).toBe(FILE.href)
    },
  )

  test.each([
    ['a member that does not exist', { flor: {} }],
    ['a setting that is not in the table', { settings: { injct: 'true' } }],
    ['a setting of another scope', { settings: { 'public-url': 'https://a.example' } }],
    ['a setting that is no text', { settings: { 'needs-kube-api': true } }],
    ['a level that is none', { floor: { level: 'lax' } }],
    ['a misspelt member of an issuer', { floor: { issuers: [{ url: 'https://a', host: [] }] } }],
    ['an issuer that is a text', { floor: { issuers: ['https://a.example'] } }],
    ['a public URL that is no list', { floor: { publicUrls: { a: 'https://a.example' } } }],
  ])('refuses %s', (_name, more) => {
    const schema = z.fromJSONSchema(configJsonSchema())
    expect(schema.safeParse({ sidecar: { image: 'x' } }).success).toBe(true)
    expect(schema.safeParse({ sidecar: { image: 'x' }, ...more }).success).toBe(false)
  })
})
