// What a client's message uses of what is locked, and what must be known of it. Pure.

import type { Lock } from '../../shared/lock/lock.ts'
import type { LockedKind } from '../../shared/lock/kinds.ts'
import { globOf } from '../../shared/policy/glob.ts'
import type { Target } from '../../shared/policy/rules.ts'
import { isPlainUri, templateGlob } from '../../shared/policy/uri.ts'
import type { Notification, Request } from '../mcp/message.ts'
import { asksOf } from '../policy/questions.ts'

/** One of these must be as it was locked. */
export interface Need {
  /** What the caller has named, for people. */
  readonly what: string
  readonly kind: LockedKind
  /** Its name, in the caller's words; of a URI without a query, which may hold what nobody else is to read. */
  readonly asked: string
  /** None: it is not in the lock. */
  readonly names: readonly string[]
}

const listed = (lock: Lock, kind: 'tools' | 'prompts', name: string): readonly Need[] => {
  const locked = lock.kinds.get(kind)
  if (!locked) return []
  const what = kind === 'tools' ? 'tool' : 'prompt'
  return [{ what, kind, asked: name, names: locked.has(name) ? [name] : [] }]
}

const templatesFor = (templates: Iterable<string>, { name, isTemplate }: Target): string[] =>
  [...templates].filter((template) => {
    const glob = templateGlob(template)
    if (isTemplate === true) return glob === name
    return template === name || (isPlainUri(name) && globOf(glob).matches(name))
  })

/** A URI that is locked itself, else one of a template's. Where one of both kinds is not locked, it may be of that. */
const addressed = (lock: Lock, target: Target): readonly Need[] => {
  const [resources, templates] = [lock.kinds.get('resources'), lock.kinds.get('resourceTemplates')]
  const { name } = target
  const need = { what: 'resource', asked: name.replace(/[?#].*/s, '') } as const
  if (resources?.has(name)) return [{ ...need, kind: 'resources', names: [name] }]
  const names = templates ? templatesFor(templates.keys(), target) : []
  if (names.length > 0) return [{ ...need, kind: 'resourceTemplates', names }]
  return resources && templates ? [{ ...need, kind: 'resources', names: [] }] : []
}

const needFor = (lock: Lock, target: Target): readonly Need[] => {
  const { kind, name } = target
  if (kind === 'tools' || kind === 'prompts') return listed(lock, kind, name)
  return kind === 'resources' ? addressed(lock, target) : []
}

/** Everything that has to be as it was locked; undefined where nobody can tell what is asked for. */
export const needsOf = (lock: Lock, message: Request | Notification): readonly Need[] | undefined =>
  asksOf(message)?.flatMap(({ target }) => needFor(lock, target))
