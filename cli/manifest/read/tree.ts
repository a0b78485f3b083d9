// A document as its author wrote it: what stands where in the text, so that an edit touches nothing else. Offsets count
// UTF-16 units of the whole manifest's text. JSON has the same tree as YAML's flow style.

import type { Scalar } from './scalar.ts'

interface Common {
  /** Where the node begins, its anchor and tag included. */
  readonly start: number
  /** Where it ends, the comment behind it left out. */
  readonly end: number
  readonly anchor: string | undefined
}

export interface ScalarTree extends Common {
  readonly kind: 'scalar'
  readonly value: Scalar
  /** What a key is named by; undefined where kubectl takes no such key. */
  readonly key: string | undefined
  readonly style: 'plain' | 'quoted' | 'block'
  /** `<<` that merges where it stands as a key. */
  readonly isMergeKey: boolean
}

export interface AliasTree extends Common {
  readonly kind: 'alias'
  readonly target: Tree
}

export interface Entry {
  /** Where its key begins. */
  readonly start: number
  readonly end: number
  readonly key: Tree
  /** `<<`: the value's members count as this map's. */
  readonly isMerge: boolean
  /** Behind the colon; undefined where there is none: `? key`, `{ key }`. */
  readonly colonEnd: number | undefined
  /** Written `? key`. */
  readonly isExplicit: boolean
  readonly value: Tree
}

export interface MapTree extends Common {
  readonly kind: 'map'
  /** `bare`: the pair of a flow list, `[a: b]`, without braces. */
  readonly style: 'block' | 'flow' | 'bare'
  /** Behind the opening brace; the first entry's begin in block style. */
  readonly inner: number
  readonly entries: readonly Entry[]
}

export interface Item {
  /** Where its dash stands, or where it begins in flow style. */
  readonly start: number
  readonly end: number
  readonly value: Tree
}

export interface ListTree extends Common {
  readonly kind: 'list'
  readonly style: 'block' | 'flow'
  readonly inner: number
  readonly items: readonly Item[]
}

export type Tree = ScalarTree | AliasTree | MapTree | ListTree
export type Collection = MapTree | ListTree
export type Member = Entry | Item

export const membersOf = (tree: Collection): readonly Member[] =>
  tree.kind === 'map' ? tree.entries : tree.items

/** What is wrong, and where in the text. */
export interface Fault {
  readonly offset: number
  readonly message: string
}

/** The name that an entry's key gives it. */
export const nameOf = ({ key }: Entry): string => {
  // An alias has no anchor, so that one step is enough.
  const node = key.kind === 'alias' ? key.target : key
  return node.kind === 'scalar' ? (node.key ?? '') : ''
}
