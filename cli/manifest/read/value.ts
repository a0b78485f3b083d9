// What kubectl reads in a document's tree: JSON. Merge keys and aliases are resolved as go-yaml v2 does it, by its own
// bound on what aliases may multiply. What it would leave out in silence (a key that stands twice) is a fault. Pure.

import { fail, ok, type Result } from '../../../shared/result.ts'
import type { Json, JsonObject } from '../../../shared/json.ts'
import type { Scalar } from './scalar.ts'
import type { Entry, Fault, MapTree, ScalarTree, Tree } from './tree.ts'

interface Context {
  readonly faults: Fault[]
  readonly values: Map<Tree, Json>
  /** Nodes read so far, and those of them that stand behind an alias. */
  reads: number
  aliasReads: number
  aliasDepth: number
  /** The alias that is being resolved, the outermost one: where a bomb goes off. */
  aliasStart: number
  depth: number
  isOver: boolean
}

/** Twice what a text may be nested: aliases add theirs. */
const MAX_DEPTH = 1000

// go-yaml v2, decode.go: between 400,000 and 4,000,000 nodes the share that may come from aliases falls from 99 to 10 %.
const LOW = 400_000
const HIGH = 4_000_000

const allowedShare = (reads: number): number => {
  if (reads <= LOW) return 0.99
  return reads >= HIGH ? 0.1 : 0.99 - (0.89 * (reads - LOW)) / (HIGH - LOW)
}

const count = (context: Context): void => {
  context.reads += 1
  if (context.aliasDepth === 0) return
  context.aliasReads += 1
  const { reads, aliasReads } = context
  if (aliasReads <= 100 || reads <= 1000 || aliasReads / reads <= allowedShare(reads)) return
  context.isOver = true
}

const report = (context: Context, offset: number, message: string): void => {
  context.faults.push({ offset, message })
}

/** Behind an alias. */
const within = <T>(context: Context, offset: number, read: () => T): T => {
  if (context.aliasDepth === 0) context.aliasStart = offset
  context.aliasDepth += 1
  const value = read()
  context.aliasDepth -= 1
  return value
}

const keyOf = (entry: Entry, context: Context): string | undefined => {
  count(context)
  const { key, start } = entry
  const node = key.kind === 'alias' ? key.target : key
  if (node.kind === 'scalar' && node.key !== undefined) return node.key
  report(context, start, 'a key that is no text: kubectl refuses it')
  return undefined
}

type Members = Map<string, Json>

/** Later merges overrule what stands before them, members too: so does kubectl's reader, unlike others. */
const merge = (tree: Tree, members: Members, context: Context): void => {
  if (tree.kind === 'alias') {
    count(context)
    within(context, tree.start, () => merge(tree.target, members, context))
  } else if (tree.kind === 'map') {
    count(context)
    const own = readMap(tree, context)
    context.values.set(tree, own)
    for (const [name, value] of Object.entries(own)) members.set(name, value)
  } else {
    report(context, tree.start, '<< takes a map or a list of maps')
  }
}

const mergeAll = (tree: Tree, members: Members, context: Context): void => {
  if (tree.kind !== 'list') return merge(tree, members, context)
  for (const { value } of tree.items.toReversed()) merge(value, members, context)
}

/** What two documents without `---` between them have twice. */
const HEADS = new Set(['apiVersion', 'kind'])

const twice = (name: string): string =>
  `the key ${JSON.stringify(name)} stands twice${HEADS.has(name) ? ' (is --- missing before it?)' : ''}`

const readMembers = (tree: MapTree, members: Members, context: Context): void => {
  const own = new Set<string>()
  for (const entry of tree.entries) {
    if (context.isOver) return
    if (entry.isMerge) {
      mergeAll(entry.value, members, context)
      continue
    }
    const name = keyOf(entry, context)
    const value = readTree(entry.value, context)
    if (name === undefined) continue
    if (own.has(name)) report(context, entry.start, twice(name))
    own.add(name)
    members.set(name, value)
  }
}

const readMap = (tree: MapTree, context: Context): JsonObject => {
  const members: Members = new Map()
  readMembers(tree, members, context)
  return Object.fromEntries(members)
}

const readScalar = (tree: ScalarTree, context: Context): Scalar => {
  if (typeof tree.value !== 'number' || Number.isFinite(tree.value)) return tree.value
  report(context, tree.start, 'JSON has no such number, so kubectl refuses it')
  return null
}

const readNode = (tree: Tree, context: Context): Json => {
  if (tree.kind === 'scalar') return readScalar(tree, context)
  if (tree.kind === 'map') return readMap(tree, context)
  if (tree.kind === 'list') return tree.items.map(({ value }) => readTree(value, context))
  return within(context, tree.start, () => readTree(tree.target, context))
}

const readTree = (tree: Tree, context: Context): Json => {
  count(context)
  if (context.isOver) return null
  if (context.depth >= MAX_DEPTH) {
    report(context, tree.start, `nested deeper than ${MAX_DEPTH} levels`)
    return null
  }
  context.depth += 1
  const value = readNode(tree, context)
  context.depth -= 1
  context.values.set(tree, value)
  return value
}

export interface Read {
  readonly value: Json
  /** What each node says. */
  readonly values: ReadonlyMap<Tree, Json>
}

/** The document's value, or the first thing that is wrong with it. */
export const readValue = (tree: Tree): Result<Read, Fault> => {
  const context: Context = {
    faults: [],
    values: new Map(),
    // The document itself.
    reads: 1,
    aliasReads: 0,
    aliasDepth: 0,
    aliasStart: 0,
    depth: 0,
    isOver: false,
  }
  const value = readTree(tree, context)
  if (context.isOver) {
    return fail({
      offset: context.aliasStart,
      message: 'aliases multiply too much here: kubectl refuses it',
    })
  }
  const [fault] = context.faults
  return fault ? fail(fault) : ok({ value, values: context.values })
}
