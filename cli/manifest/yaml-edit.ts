// Carries out patch operations on a YAML document's tree, so that comments and quoting stay. Aliases
// are written out first: a change behind one would show wherever else it stands.

import {
  isAlias,
  isCollection,
  isMap,
  isNode,
  isScalar,
  isSeq,
  visit,
  YAMLSeq,
  type Document,
  type Node,
} from 'yaml'
import type { Json } from '../../shared/json.ts'
import type { Operation } from '../../webhook/inject/patch.ts'

/** Replaces every alias by a copy of what it stands for, and drops the anchors. */
export const expandAliases = (document: Document): void => {
  let hasAlias = true
  // A copy may hold aliases itself; each round goes one level down.
  for (let round = 0; hasAlias && round < 100; round += 1) {
    hasAlias = false
    visit(document, {
      Alias: (_key, node) => {
        hasAlias = true
        const copy = node.resolve(document)?.clone()
        return isNode(copy) ? copy : undefined
      },
    })
  }
  visit(document, {
    Node: (_key, node) => {
      if (!isAlias(node)) delete node.anchor
    },
  })
}

const unescape = (part: string): string => part.replaceAll('~1', '/').replaceAll('~0', '~')

const step = (node: unknown, key: string): unknown => {
  if (isSeq(node)) return node.items[Number(key)]
  return isMap(node) ? node.get(key, true) : undefined
}

const keepComments = (from: unknown, to: Node): Node => {
  if (!isNode(from)) return to
  if (from.comment) to.comment = from.comment
  if (from.commentBefore) to.commentBefore = from.commentBefore
  if (from.spaceBefore) to.spaceBefore = from.spaceBefore
  return to
}

/** The new node, with what the old one had that still holds: comments, flow style, equal items. */
const replacement = (document: Document, old: unknown, value: Json): Node => {
  const node: Node = document.createNode(value)
  if (isScalar(old) && isScalar(node)) {
    old.value = node.value
    return old
  }
  if (isSeq(old) && node instanceof YAMLSeq) {
    node.flow = old.flow ?? false
    keepItems(old, node)
  }
  return keepComments(old, node)
}

/** Puts the old nodes in the place of equal ones at the end of a list: a command keeps its tail. */
const keepItems = (old: YAMLSeq, node: YAMLSeq): void => {
  for (let back = 1; back <= Math.min(old.items.length, node.items.length); back += 1) {
    const [before, after] = [old.items.at(-back), node.items.at(-back)]
    if (!isScalar(before) || !isScalar(after) || before.value !== after.value) return
    node.items[node.items.length - back] = before
  }
}

const insert = (document: Document, parent: unknown, key: string, value: Json): void => {
  if (isSeq(parent)) {
    parent.items.splice(
      key === '-' ? parent.items.length : Number(key),
      0,
      document.createNode(value),
    )
  } else if (isMap(parent)) {
    parent.set(key, replacement(document, parent.get(key, true), value))
  }
}

/** Applies operations; what does not fit the tree is left undone (the caller compares the result). */
export const editDocument = (document: Document, operations: readonly Operation[]): void => {
  for (const operation of operations) {
    const parts = operation.path.split('/').slice(1).map(unescape)
    const key = parts.pop() ?? ''
    const parent = parts.reduce<unknown>(step, document.contents)
    if (!isCollection(parent)) continue
    if (operation.op === 'remove') parent.delete(isSeq(parent) ? Number(key) : key)
    else if (operation.op === 'add') insert(document, parent, key, operation.value)
    else
      parent.set(
        isSeq(parent) ? Number(key) : key,
        replacement(document, step(parent, key), operation.value),
      )
  }
}
