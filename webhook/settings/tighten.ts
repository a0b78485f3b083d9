// Whether a lower scope's value keeps within what a higher scope fixed. Pure; the annotation table
// says per key which way is tighter; limits are less.ts's.

import type { Tightening } from '../../shared/annotations.ts'
import { coverage } from './cover.ts'

const items = (text: string): readonly string[] => text.split(',').map((item) => item.trim())

/** What a list of words, or of destinations, covers. */
const coverageOf = (
  { of }: Pick<Extract<Tightening, { readonly by: 'subset' }>, 'of'>,
  allowed: readonly string[],
): ((item: string) => boolean) => {
  const words = new Set(allowed)
  return of === 'destinations' ? coverage(allowed) : (item) => words.has(item)
}

/** Why `below` would loosen `above`, as the end of a sentence; undefined where it does not. */
export const loosening = (
  rule: Exclude<Tightening, { readonly by: 'limit' | 'least' }>,
  above: string,
  below: string,
): string | undefined => {
  if (rule.by === 'order') {
    const allowed = rule.order.slice(rule.order.indexOf(above))
    return allowed.includes(below) ? undefined : `use ${allowed.map(quote).join(' or ')}`
  }
  if (rule.by === 'fixed') return above === below ? undefined : `leave it out`
  const [higher, lower] = [items(above), items(below)]
  if (rule.by === 'subset') {
    if (below === rule.none) return undefined
    const isCovered = coverageOf(rule, higher)
    const extra = lower.filter((item) => !isCovered(item))
    return extra.length === 0 ? undefined : `take out ${extra.map(quote).join(', ')}`
  }
  const present = new Set(lower)
  const missing = higher.filter((item) => !present.has(item))
  return missing.length === 0 ? undefined : `add ${missing.map(quote).join(', ')}`
}

const quote = (text: string): string => `\`${text}\``
