// Brings a document's text to say a wanted value, by edits where the two differ. What an anchor names may change under
// its aliases, and what a merge brings may have to be overruled: nodes are settled in the order of the text, so that what
// an alias will say is known when it comes. Adds to the work's edits.

import { isList, isObject, isSame, type Json, type JsonObject } from '../../../shared/json.ts'
import { alignLists, type Step } from './align.ts'
import { append, insertItem, removeMembers } from './block-edit.ts'
import { isEmpty } from './empty.ts'
import { changeFlow, type Addition } from './flow-edit.ts'
import { keptMembers, type KeptMembers } from './kept-members.ts'
import { isMerged, isOverride, type Merged } from './merged.ts'
import { memberOf, mustWrite, placeOf, stick, valueOf, type Place, type Site } from './site.ts'
import { membersOf, nameOf } from '../read/tree.ts'
import type { Collection, ListTree, MapTree, Tree } from '../read/tree.ts'
import type { Work } from './work.ts'
import { entryLines, isExact, writeKey } from './write.ts'

/** Brings a node to say a value, and returns what it says then. */
export const settle = (tree: Tree, wanted: Json, place: Place, work: Work): Json => {
  const value = valueOf(tree, work)
  if (!work.isLinked && (value === wanted || isSame(value, wanted))) return wanted
  const said = settleNode(tree, wanted, place, work)
  if (said === undefined) place.replace(wanted)
  else if (tree.anchor !== undefined) work.settled.set(tree, said)
  return said ?? wanted
}

/** Undefined where the node has to be replaced. */
const settleNode = (tree: Tree, wanted: Json, place: Place, work: Work): Json | undefined => {
  if (tree.kind === 'scalar') return isSame(tree.value, wanted) ? wanted : undefined
  if (tree.kind === 'alias') {
    const said = work.settled.get(tree.target)
    return said !== undefined && isSame(said, wanted) ? said : undefined
  }
  if (!canChange(tree, wanted, place, work)) return undefined
  if (tree.kind === 'map') {
    return isObject(wanted) ? settleMap({ tree, place, work }, wanted) : undefined
  }
  return isList(wanted) ? settleList({ tree, place, work }, wanted) : undefined
}

/**
 * Whether a collection is changed member by member. An empty one of the author's becomes a comment instead: later nobody
 * could tell that it stood there.
 */
const canChange = (
  tree: Collection,
  wanted: Json,
  { isFlow }: Place,
  { mode, lost }: Work,
): boolean => {
  const isBare = membersOf(tree).length === 0
  if (isBare && !isEmpty(wanted) && mode === 'keep') {
    if (!isFlow) return false
    lost.push(tree.start)
  }
  return tree.style === 'flow' || (tree.style === 'block' && !isEmpty(wanted))
}

/** Anchors that go with the text that names them. */
const forget = (tree: Tree, work: Work): void => {
  work.settled.delete(tree)
  if (tree.kind === 'map' || tree.kind === 'list') {
    for (const { value } of membersOf(tree)) forget(value, work)
  }
}

/** A member's value. What can't be kept inside of a flow collection is kept with the lines that hold it. */
const settleMember = (site: Site<Collection>, index: number, wanted: Json): Json => {
  const { tree, work } = site
  const value = membersOf(tree)[index]?.value
  if (!value) return wanted
  const place = placeOf(site, index)
  const [edits, lost] = [work.edits.length, work.lost.length]
  const said = settle(value, wanted, place, work)
  const isLossy = work.mode === 'keep' && work.lost.length > lost
  if (!isLossy || place.isFlow || !isExact(wanted)) return said
  work.edits.length = edits
  work.lost.length = lost
  if (work.isLinked) forget(value, work)
  place.replace(wanted)
  return wanted
}

/** What a map's merges bring, as go-yaml reads them: the later overrules the earlier, and what stands before it. */
const mergesOf = (site: Site<MapTree>): ReadonlyMap<string, Merged> => {
  const { tree, work } = site
  const merged = new Map<string, Merged>()
  const saidBy = (source: Tree, index: number): Json | undefined => {
    if (source.kind === 'alias') return work.settled.get(source.target)
    const place = { ...placeOf(site, index), replace: () => stick(work, source) }
    return settle(source, valueOf(source, work), place, work)
  }
  const take = (source: Tree, index: number): void => {
    if (source.kind === 'list') {
      for (const { value } of source.items.toReversed()) take(value, index)
      return
    }
    const said = saidBy(source, index)
    if (!isObject(said)) return stick(work, source)
    for (const [name, value] of Object.entries(said)) merged.set(name, { value, index })
  }
  for (const [index, entry] of tree.entries.entries()) if (entry.isMerge) take(entry.value, index)
  return merged
}

interface Asked {
  readonly kept: KeptMembers
  readonly merged: Merged | undefined
  readonly want: Json | undefined
}

interface Answer {
  /** Undefined where the name is gone. */
  readonly said: Json | undefined
  /** Whether its own entry goes. */
  readonly isGone: boolean
}

/** A merge behind the entry brings its name, too: no edit of the entry has an effect. */
const settleShadowed = (tree: Tree, merged: Merged, want: Json | undefined, work: Work): Answer => {
  if (want === undefined || !isSame(merged.value, want)) stick(work, tree)
  return { said: merged.value, isGone: false }
}

/** What of a map that is not wanted comes back from comments in it: values of its author's that are empty. */
const emptiesWithin = (tree: Tree, place: Place, work: Work): Json => {
  if (work.kept.length === 0 || tree.kind !== 'map' || tree.style !== 'block') return {}
  const edits = work.edits.length
  const said = settleMap({ tree, place, work }, {})
  if (isEmpty(said)) work.edits.length = edits
  return said
}

/** An own entry of a name that is not wanted; null counts as absent already. */
const settleUnwanted = (site: Site<MapTree>, index: number, value: Tree): Answer => {
  if (valueOf(value, site.work) === null) return { said: null, isGone: false }
  const said = emptiesWithin(value, placeOf(site, index), site.work)
  return isEmpty(said) ? { said: undefined, isGone: true } : { said, isGone: false }
}

/** An own entry of a name that a merge before it brings, too: it may only have overruled that. */
const settleOverride = (site: Site<MapTree>, index: number, merged: Json, want: Json): Answer => {
  const { tree, work } = site
  const value = tree.entries[index]?.value
  return value && isOverride(valueOf(value, work), merged, want, work)
    ? { said: merged, isGone: true }
    : { said: settleMember(site, index, want), isGone: false }
}

const settleEntry = (site: Site<MapTree>, index: number, asked: Asked): Answer => {
  const { tree, work } = site
  const { kept, merged, want } = asked
  const entry = tree.entries[index]
  if (!entry) return { said: want, isGone: false }
  if (merged && merged.index > index) return settleShadowed(entry.key, merged, want, work)
  const back = kept.takeEntry(nameOf(entry), want)
  if (back !== undefined) return { said: back, isGone: true }
  if (merged) return settleOverride(site, index, merged.value, want ?? null)
  return want === undefined
    ? settleUnwanted(site, index, entry.value)
    : { said: settleMember(site, index, want), isGone: false }
}

/** The own entries of a map: what each name says then, and those that go. */
const settleEntries = (
  site: Site<MapTree>,
  wanted: JsonObject,
  merges: ReadonlyMap<string, Merged>,
  kept: KeptMembers,
): { readonly said: Map<string, Json>; readonly gone: ReadonlySet<number> } => {
  const said = new Map<string, Json>()
  const gone = new Set<number>()
  for (const [index, entry] of site.tree.entries.entries()) {
    if (entry.isMerge) continue
    const name = nameOf(entry)
    const asked = { kept, merged: merges.get(name), want: memberOf(wanted, name) }
    const answer = settleEntry(site, index, asked)
    if (answer.isGone) gone.add(index)
    if (answer.said !== undefined) said.set(name, answer.said)
  }
  return { said, gone }
}

/** What a name says that no own entry has said; undefined where that has to be put in. */
const saidElsewhere = (
  name: string,
  want: Json,
  { kept, merged }: Elsewhere,
  work: Work,
): Json | undefined =>
  merged && isMerged(merged.value, want, work) ? merged.value : kept.takeEntry(name, want)

type Elsewhere = Pick<Asked, 'kept' | 'merged'>

/** Names that no own entry has said, and what of them has to be put in. */
const settleOthers = (
  wanted: JsonObject,
  merges: ReadonlyMap<string, Merged>,
  {
    kept,
    said,
    work,
  }: { readonly kept: KeptMembers; readonly said: Map<string, Json>; readonly work: Work },
): ReadonlyMap<string, Json> => {
  const missing = new Map<string, Json>()
  for (const name of new Set([...Object.keys(wanted), ...merges.keys()])) {
    if (said.has(name)) continue
    // What a merge brings can only be overruled: null counts as absent.
    const want = memberOf(wanted, name) ?? null
    const found = saidElsewhere(name, want, { kept, merged: merges.get(name) }, work)
    said.set(name, found ?? want)
    if (found === undefined) missing.set(name, want)
  }
  for (const name of kept.names.filter((each) => !said.has(each))) {
    const back = kept.takeEntry(name, undefined)
    if (back !== undefined) said.set(name, back)
  }
  return missing
}

const settleMap = (site: Site<MapTree>, wanted: JsonObject): Json => {
  const { tree, place, work } = site
  const kept = keptMembers(tree, place, work)
  const merges = mergesOf(site)
  const { said, gone } = settleEntries(site, wanted, merges, kept)
  changeMap(site, gone, settleOthers(wanted, merges, { kept, said, work }))
  return Object.fromEntries(said)
}

const startsOf = (tree: Collection, indexes: ReadonlySet<number>): readonly number[] =>
  membersOf(tree).flatMap(({ start }, index) => (indexes.has(index) ? [start] : []))

const changeMap = (
  { tree, work }: Site<MapTree>,
  gone: ReadonlySet<number>,
  missing: ReadonlyMap<string, Json>,
): void => {
  for (const value of missing.values()) mustWrite(value, tree, work)
  if (tree.style === 'block') {
    removeMembers(tree, gone, work)
    const lines = [...missing].flatMap(([name, value]) =>
      entryLines(writeKey(name), value, work.style),
    )
    if (lines.length > 0) append(tree, lines, work)
    return
  }
  if (work.mode === 'keep') work.lost.push(...startsOf(tree, gone))
  const before = tree.entries.length
  const additions = [...missing].map(([key, value]) => ({ before, key, value }))
  changeFlow(tree, gone, additions, work)
}

/** One step of a list: what its item says then, whether the old one goes, or what has to be put in. */
interface ItemAnswer {
  readonly said: readonly Json[]
  readonly gone?: number
  readonly addition?: Addition
}

const settleStep = (
  site: Site<ListTree>,
  step: Step,
  want: Json,
  kept: KeptMembers,
): ItemAnswer => {
  if (step.kind === 'gone') return { said: [], gone: step.from }
  const { tree, place } = site
  const next = tree.items[step.kind === 'new' ? step.before : step.from]
  const back = kept.takeItem(want, next?.start ?? place.limit)
  if (step.kind === 'both') {
    return back === undefined
      ? { said: [settleMember(site, step.from, want)] }
      : { said: [back], gone: step.from }
  }
  return back === undefined
    ? { said: [want], addition: { before: step.before, key: undefined, value: want } }
    : { said: [back] }
}

const settleList = (site: Site<ListTree>, wanted: readonly Json[]): Json => {
  const { tree, place, work } = site
  const kept = keptMembers(tree, place, work)
  const said: Json[] = []
  const gone = new Set<number>()
  const additions: Addition[] = []
  const before = valueOf(tree, work)
  for (const step of alignLists(isList(before) ? before : [], wanted)) {
    const want = step.kind === 'gone' ? null : (wanted[step.to] ?? null)
    const answer = settleStep(site, step, want, kept)
    said.push(...answer.said)
    if (answer.gone !== undefined) gone.add(answer.gone)
    if (!answer.addition) continue
    mustWrite(want, tree, work)
    // In the order of the text, since those of the items before it may end at the same place.
    if (tree.style === 'block') insertItem(tree, answer.addition, place.head, work)
    else additions.push(answer.addition)
  }
  if (tree.style === 'block') removeMembers(tree, gone, work)
  else {
    if (work.mode === 'keep') work.lost.push(...startsOf(tree, gone))
    changeFlow(tree, gone, additions, work)
  }
  return said
}
