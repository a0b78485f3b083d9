// What comes back of one map or list from the comments that injection left in it. The author's text is taken where it
// says what the status wants, and an empty value of the author's where nothing is wanted: injection had filled it. Adds to
// the work's edits.

import { isObject, type Json } from '../../../shared/json.ts'
import { isHollow, isSameButEmpty } from './empty.ts'
import type { Kept } from './kept.ts'
import { nameOf, type ListTree, type MapTree, type Tree } from '../read/tree.ts'
import type { Work } from './work.ts'

export interface KeptMembers {
  /** The names of the entries that stand in comments. */
  readonly names: readonly string[]
  /** Takes an entry of a name out of its comment, and returns what it says; undefined where there is none of that value. */
  readonly takeEntry: (name: string, wanted: Json | undefined) => Json | undefined
  /** The same for a list's item before an offset. */
  readonly takeItem: (wanted: Json, before: number) => Json | undefined
}

/** What a commented map would say; undefined where that is not known. */
const mapSaidBy = (tree: MapTree, work: Work): Json | undefined => {
  const said = new Map<string, Json>()
  for (const entry of tree.entries) {
    const value = saidBy(entry.value, work)
    if (value === undefined) return undefined
    if (!entry.isMerge) said.set(nameOf(entry), value)
    else if (!isObject(value)) return undefined
    else for (const [name, item] of Object.entries(value)) said.set(name, item)
  }
  return Object.fromEntries(said)
}

/** What a commented tree would say among what the document says now. */
const saidBy = (tree: Tree, work: Work): Json | undefined => {
  if (tree.kind === 'scalar') return tree.value
  // What is itself commented is not settled yet.
  if (tree.kind === 'alias') return work.settled.get(tree.target) ?? saidBy(tree.target, work)
  if (tree.kind === 'map') return mapSaidBy(tree, work)
  const items = tree.items.map(({ value }) => saidBy(value, work))
  const known = items.filter((item) => item !== undefined)
  return known.length === items.length ? known : undefined
}

/** The index of the first kept member from an offset on. */
const firstFrom = (kept: readonly Kept[], offset: number): number => {
  let [low, high] = [0, kept.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((kept[middle]?.start ?? 0) < offset) low = middle + 1
    else high = middle
  }
  return low
}

const NONE: KeptMembers = { names: [], takeEntry: () => undefined, takeItem: () => undefined }

/** Those that stand between two offsets in the column of the collection's own. */
export const keptMembers = (
  tree: MapTree | ListTree,
  { head, limit }: { readonly head: number; readonly limit: number },
  work: Work,
): KeptMembers => {
  if (work.kept.length === 0 || tree.style !== 'block') return NONE
  const column = tree.inner - work.lined.lineStart(tree.inner)
  const near = work.kept
    .slice(firstFrom(work.kept, head), firstFrom(work.kept, limit))
    .filter((kept) => kept.column === column && 'key' in kept.member === (tree.kind === 'map'))
  const take = (kept: Kept, wanted: Json | undefined): Json | undefined => {
    const said = work.restored.has(kept) ? undefined : saidBy(kept.member.value, work)
    if (
      said === undefined ||
      !(wanted === undefined ? isHollow(said) : isSameButEmpty(said, wanted))
    )
      return undefined
    work.restored.add(kept)
    work.edits.push(...kept.edits)
    return said
  }
  const entries = new Map(
    near.flatMap((kept) => ('key' in kept.member ? [[nameOf(kept.member), kept]] : [])),
  )
  let next = 0
  return {
    names: [...entries.keys()],
    takeEntry: (name, wanted) => {
      const kept = entries.get(name)
      return kept && take(kept, wanted)
    },
    takeItem: (wanted, before) => {
      for (; next < near.length; next += 1) {
        const kept = near[next]
        if (!kept || kept.start >= before) return undefined
        const said = take(kept, wanted)
        if (said !== undefined) return said
      }
      return undefined
    },
  }
}
