// The tool policy as a document: what may stand in it, for the reader and, as JSON Schema, for editors.

import * as z from 'zod/mini'
import { about, atMost, VERSION } from '../document-words.ts'

export const KINDS = ['tools', 'prompts', 'resources', 'methods'] as const
export type Kind = (typeof KINDS)[number]

export const EFFECTS = ['allow', 'deny'] as const
export const MODES = ['enforce', 'dry-run'] as const

/** Bounds of a document; a ConfigMap holds 1 MiB. */
export const MAX_POLICY_LENGTH = 256 * 1024
const MAX_RULES = 1000
const MAX_ROLES = 1000
const MAX_LIST = 256
const MAX_WORD = 512
export const MAX_CONDITION_LENGTH = 2000

const word = z.string().check(z.minLength(1), z.maxLength(MAX_WORD))
const list = (description: string) =>
  z.optional(z.array(word).check(z.minLength(1), z.maxLength(MAX_LIST), about(description)))

const name = z.string().check(
  z.minLength(1),
  z.maxLength(63),
  z.refine(
    (text) => /^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?$/i.test(text),
    'must be letters, digits, dots, hyphens and underscores, such as read-only',
  ),
)

const principal = z.strictObject({
  issuer: word.check(about("The issuer's URL, exactly as in the token.")),
  subject: word.check(about('The `sub` that this issuer gives.')),
})

const claims = {
  principals: z.optional(
    z
      .array(principal)
      .check(z.minLength(1), z.maxLength(MAX_LIST), about('Callers, by issuer and subject.')),
  ),
  issuers: list('Issuers whose callers are meant.'),
  clients: list('Programs that call for somebody, by client id.'),
  groups: list('Groups that the issuer puts its callers into.'),
  scopes: list('Scopes that the token was given.'),
}

const targets = {
  tools: list('Names of tools; `*` stands for any run of characters.'),
  prompts: list('Names of prompts; `*` stands for any run of characters.'),
  resources: list(
    'URIs of resources; `*` stands for any run of characters. A URI that has another spelling is allowed by its exact text alone.',
  ),
  methods: list(
    "MCP methods that are neither of these, such as `tasks/get`, and the server's own requests, such as `elicitation/create`.",
  ),
}

const role = z.strictObject({
  who: z
    .strictObject(claims)
    .check(about('Who has the role: one word of each list that is there.')),
  ...targets,
})

const rule = z.strictObject({
  name: name.check(about('Stands in errors, metrics and records.')),
  effect: z.enum(EFFECTS).check(about('What denies goes before what allows, wherever it stands.')),
  who: z.optional(
    z
      .strictObject({ ...claims, roles: list('Roles of this policy.') })
      .check(about('Whom it is about: one word of each list that is there. Absent: everybody.')),
  ),
  ...targets,
  when: z.optional(
    z
      .string()
      .check(
        z.minLength(1),
        z.maxLength(MAX_CONDITION_LENGTH),
        about(
          'A condition in CEL over `principal`, `method`, `tool`, `prompt`, `resource` and `arguments`.',
        ),
      ),
  ),
})

export const policySchema = z.strictObject({
  version: VERSION,
  mode: z._default(
    z
      .enum(MODES)
      .check(about('`dry-run`: decisions are made and told, and everything is let through.')),
    'enforce',
  ),
  roles: z._default(
    z
      .record(name, role)
      .check(
        atMost(MAX_ROLES, 'roles'),
        about('Named sets of tools, prompts, resources and methods, and who has them.'),
      ),
    {},
  ),
  rules: z._default(
    z
      .array(rule)
      .check(z.maxLength(MAX_RULES), about('What no role and no rule allows is denied.')),
    [],
  ),
})

export type PolicyDocument = z.output<typeof policySchema>
export type RuleDocument = PolicyDocument['rules'][number]
export type RoleDocument = z.output<typeof role>
export type WhoDocument = NonNullable<RuleDocument['who']>

/** What editors complete and check by: the JSON Schema of the same document. */
export const policyJsonSchema = (): unknown => ({
  ...z.toJSONSchema(policySchema, { io: 'input' }),
  title: 'Outrigger tool policy',
})
