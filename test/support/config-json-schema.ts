// The published JSON Schema of the cluster configuration, for editors: made of the schema that the webhook checks with,
// the annotation table and the words of webhook/README.md.

import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { annotation, KEYS } from '../../shared/annotations.ts'
import { at, isObject, withAt, type JsonObject } from '../../shared/json.ts'
import { configSchema } from '../../webhook/cluster/config-schema.ts'

const README = new URL('../../webhook/README.md', import.meta.url)

/** `outrigger.dev` settings by key without the prefix, as far as the cluster may say them. */
const settings = (): JsonObject => ({
  type: 'object',
  additionalProperties: false,
  properties: Object.fromEntries(
    KEYS.filter((key) => annotation(key).scopes.includes('cluster')).map((key) => {
      const { doc, values, default: usual } = annotation(key)
      return [
        key,
        {
          type: 'string',
          description: doc,
          ...(values ? { enum: [...values] } : {}),
          ...(usual === undefined ? {} : { default: usual }),
        },
      ]
    }),
  ),
})

/** `floor.issuers[].url` → the place of its schema. */
const placeOf = (member: string): readonly [string, ...string[]] => {
  const parts = member.split('.').flatMap((part) => {
    if (part === 'HOST') return ['additionalProperties']
    const name = part.replace('[]', '')
    return name === part ? ['properties', name] : ['properties', name, 'items']
  })
  return [parts[0] ?? '', ...parts.slice(1), 'description']
}

/** The README's words by member, without its pointers to elsewhere; some rows are about two. */
const descriptions = (): readonly (readonly [member: string, words: string])[] => {
  const [, table = ''] = readFileSync(README, 'utf8').split('## The cluster configuration')
  const [rows = ''] = table.split('\n## ', 1)
  return [...rows.matchAll(/^\| (`\w[^|]*`) \|[^|]*\| (.*) \|$/gm)].flatMap(
    ([, names = '', words = '']) => {
      const plain = words
        .replaceAll(/\s*\(\[[^\]]*\]\([^)]*\)\)/g, '')
        .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      return plain === ''
        ? []
        : [...names.matchAll(/`([^`]+)`/g)].map(([, one = '']) => [one, plain] as const)
    },
  )
}

export const configJsonSchema = (): JsonObject => {
  const made: unknown = z.toJSONSchema(configSchema, {
    io: 'input',
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema === configSchema.shape.settings) Object.assign(jsonSchema, settings())
    },
  })
  if (!isObject(made)) throw new Error('the schema is no object')
  const described = descriptions().reduce((schema, [member, words]) => {
    const place = placeOf(member)
    return isObject(at(schema, ...place.slice(0, -1))) ? withAt(schema, place, words) : schema
  }, made)
  return { title: 'Cluster configuration of Outrigger', ...described }
}
