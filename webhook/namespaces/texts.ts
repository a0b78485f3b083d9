// The words of a namespace's annotations that bind its workloads, and what in a change of them binds less. Pure.

import { KEYS, PREFIX, type Key } from '../../shared/annotations.ts'
import { parseValue } from '../../shared/settings.ts'
import type { ClusterConfig } from '../cluster/config.ts'
import type { Namespace } from '../cluster/namespace.ts'
import { quoted } from '../rules/finding.ts'
import { slowToolsFix } from '../settings/less.ts'
import { looseningOf } from '../settings/resolve.ts'
import { readScope } from '../settings/scopes.ts'

type Texts = ReadonlyMap<Key, string>

/** What is left out of records, and by whose keys they are told apart and vouched for: a team has no word in what is on record of it. */
const RESERVED: ReadonlySet<Key> = new Set([
  'audit-redact',
  'audit-digest-secret',
  'audit-signing-secret',
])

const textsOf = ({ name, annotations }: Namespace): Texts =>
  readScope('namespace', `namespace ${name}`, annotations).texts

const isLooser = (key: Key, above: string | undefined, below: string | undefined): boolean => {
  // What does not parse has let no pod in; it takes no right word's place, or the next step were free.
  if (above === undefined || !parseValue(key, above).ok) return false
  const isRight = below === undefined || parseValue(key, below).ok
  return !isRight || looseningOf(key, above, below) !== undefined
}

/** Tools' own time-outs stand in the place of the one for all: added beside it, they are held against it. */
const slowTools = (was: Texts, is: Texts, cluster: Texts): readonly string[] => {
  const [most, tools] = [was.get('request-timeout'), is.get('tool-limits')]
  if (most === undefined || tools === undefined) return []
  if (!parseValue('request-timeout', most).ok) return []
  const above = was.get('tool-limits') ?? cluster.get('tool-limits')
  const fix = slowToolsFix(most, above, tools)
  const place = `annotation ${PREFIX}tool-limits:`
  return fix === undefined
    ? []
    : [`${place} ${quoted(tools)} loosens ${quoted(most)} of request-timeout; ${fix}`]
}

/** What of a namespace's binds its workloads, and what stands in its place binds them less. */
export const looserTexts = (
  before: Namespace,
  after: Namespace,
  { scope }: ClusterConfig,
): readonly string[] => {
  const [was, is] = [textsOf(before), textsOf(after)]
  const changed = KEYS.flatMap((key) => {
    const above = was.get(key)
    const below = is.get(key) ?? scope.texts.get(key)
    const held = above ?? scope.texts.get(key)
    const isReserved = RESERVED.has(key) && below !== held
    if (!isReserved && !isLooser(key, above, below)) return []
    const place = `annotation ${PREFIX}${key}:`
    if (below === undefined) return [`${place} ${quoted(held ?? '')} is taken off`]
    return [
      `${place} ${held === undefined ? `${quoted(below)} is added` : `${quoted(held)} becomes ${quoted(below)}`}`,
    ]
  })
  return [...changed, ...slowTools(was, is, scope.texts)]
}
