// Builds the tree of a document from the YAML library's tokens; its composer says whether they are YAML. What a scalar
// is, is decided as kubectl decides it, and anchors are found here, in one pass. The only file that parses manifests.

import { Composer, CST, Parser } from 'yaml'
import { fail, ok, type Result } from '../../../shared/result.ts'
import { yamlWords } from '../../../shared/yaml-words.ts'
import { jsonScalar, keyText, plainScalar, taggedScalar, type Scalar } from './scalar.ts'
import type { Entry, Fault, Item, Member, ScalarTree, Tree } from './tree.ts'

export type Language = 'yaml' | 'json'

const COMPOSE = {
  prettyErrors: false,
  // Compares every key with every other; value.ts counts them in a set.
  uniqueKeys: false,
  schema: 'failsafe',
  resolveKnownTags: false,
  logLevel: 'silent',
} as const

/** Nested deeper than this is nothing that Kubernetes has. */
const MAX_DEPTH = 500
const TOO_DEEP = `nested deeper than ${MAX_DEPTH} levels`

/** A node that an anchor names; without a tree while it is being read. */
interface Anchored {
  tree?: Tree
}
export type Anchors = ReadonlyMap<string, Readonly<Anchored>>

interface Context {
  /** Where the parsed text begins in the manifest. */
  readonly base: number
  readonly language: Language
  readonly anchors: Map<string, Anchored>
  /** Known from elsewhere. */
  readonly outer: Anchors | undefined
  readonly faults: Fault[]
  depth: number
}

type Mark = CST.SourceToken

const endOf = ({ offset, source }: Mark): number => offset + source.length
const isProperty = ({ type }: Mark): boolean => type === 'anchor' || type === 'tag'
const isIndicator = ({ type }: Mark): boolean =>
  type === 'map-value-ind' || type === 'explicit-key-ind' || type === 'seq-item-ind'

/** What stands before a node. */
interface Lead {
  /** Where its anchor or tag begins. */
  readonly start: number | undefined
  /** Where the node is if it is empty: behind its anchor, its tag or the indicator. */
  readonly end: number
  readonly anchor: string | undefined
  readonly tag: string | undefined
}

const leadOf = (marks: readonly Mark[], from: number): Lead => {
  const last = marks.findLast((mark) => isProperty(mark) || isIndicator(mark))
  return {
    start: marks.find(isProperty)?.offset,
    end: last === undefined ? from : endOf(last),
    anchor: marks.find(({ type }) => type === 'anchor')?.source.slice(1),
    tag: marks.find(({ type }) => type === 'tag')?.source,
  }
}

const report = ({ faults, base }: Context, offset: number, message: string): void => {
  faults.push({ offset: offset + base, message })
}

type Place = Pick<Tree, 'start' | 'end' | 'anchor'>

const placeOf = (lead: Lead, start: number, end: number, { base }: Context): Place => ({
  start: (lead.start ?? start) + base,
  end: end + base,
  anchor: lead.anchor,
})

const CORE = '!<tag:yaml.org,2002:'

/** `!!int`, `!<tag:yaml.org,2002:int>` → `int`; undefined for every other tag. */
const coreType = (tag: string): string | undefined => {
  if (tag.startsWith('!!')) return tag.slice(2)
  return tag.startsWith(CORE) ? tag.slice(CORE.length, -1) : undefined
}

const STYLES = {
  PLAIN: 'plain',
  QUOTE_SINGLE: 'quoted',
  QUOTE_DOUBLE: 'quoted',
  BLOCK_LITERAL: 'block',
  BLOCK_FOLDED: 'block',
} as const

const valueOf = (
  text: string,
  isPlain: boolean,
  { tag }: Lead,
  language: Language,
): Result<Scalar, string> => {
  if (tag !== undefined) return taggedScalar(coreType(tag), text)
  if (!isPlain) return ok(text)
  return language === 'json' ? jsonScalar(text) : ok(plainScalar(text))
}

type Source = CST.FlowScalar | CST.BlockScalar

/** What a scalar's token stands for; the composer has reported what is wrong with it. */
const scalarOf = (
  source: Source | undefined,
  { end }: Lead,
): {
  readonly text: string
  readonly style: ScalarTree['style']
  readonly range: readonly number[]
} => {
  const scalar = source && CST.resolveAsScalar(source, false, () => undefined)
  return scalar
    ? { text: scalar.value, style: STYLES[scalar.type ?? 'PLAIN'], range: scalar.range }
    : { text: '', style: 'plain', range: [end, end] }
}

const scalarTree = (source: Source | undefined, lead: Lead, context: Context): Tree => {
  const { text, style, range } = scalarOf(source, lead)
  const [start = 0, end = 0] = range
  const read = valueOf(text, style === 'plain', lead, context.language)
  if (!read.ok) report(context, start, read.error)
  const value = read.ok ? read.value : null
  return {
    kind: 'scalar',
    ...placeOf(lead, start, end, context),
    value,
    style,
    key: keyText(value, text),
    isMergeKey: text === '<<' && style === 'plain' && (lead.tag ?? '!!merge') === '!!merge',
  }
}

const aliasTree = ({ source, offset }: CST.FlowScalar, lead: Lead, context: Context): Tree => {
  const name = source.slice(1)
  const anchored = context.anchors.get(name) ?? context.outer?.get(name)
  if (anchored?.tree) {
    const place = placeOf(lead, offset, offset + source.length, context)
    return { kind: 'alias', ...place, target: anchored.tree }
  }
  const why = anchored ? 'it stands inside of what it names' : 'nothing before it has that anchor'
  report(context, offset, `*${name} cannot be resolved: ${why}`)
  return scalarTree(undefined, lead, context)
}

const entryOf = (item: CST.CollectionItem, from: number, context: Context): Entry => {
  const { start: before, sep = [] } = item
  const first = before.find((mark) => isProperty(mark) || isIndicator(mark))
  const key = treeOf(item.key ?? undefined, leadOf(before, from), context)
  const colon = sep.find(({ type }) => type === 'map-value-ind')
  const value = treeOf(item.value, leadOf(sep, key.end - context.base), context)
  return {
    start: first === undefined ? key.start : first.offset + context.base,
    end: value.end,
    key,
    isMerge: key.kind === 'scalar' && key.isMergeKey,
    isExplicit: before.some(({ type }) => type === 'explicit-key-ind'),
    colonEnd: colon && endOf(colon) + context.base,
    value,
  }
}

/** Comments alone make an item among the tokens, too. */
const isFilled = ({ start, key, sep, value }: CST.CollectionItem): boolean =>
  Boolean(key ?? sep ?? value) || start.some((mark) => isProperty(mark) || isIndicator(mark))

type Collection = CST.BlockMap | CST.BlockSequence | CST.FlowCollection

/** Where what stands inside begins, by the tokens' own offsets. */
const innerOf = (token: Collection): number =>
  token.type === 'flow-collection' ? endOf(token.start) : token.offset

/** What a collection is besides its members; in block style it reaches from the first to the last. */
const frameOf = (
  token: Collection,
  members: readonly Member[],
  lead: Lead,
  context: Context,
): Place & { readonly style: 'block' | 'flow'; readonly inner: number } => {
  const { base } = context
  if (token.type === 'flow-collection') {
    const [bracket] = token.end
    const end = bracket ? endOf(bracket) : innerOf(token)
    const place = placeOf(lead, token.offset, end, context)
    return { ...place, style: 'flow', inner: innerOf(token) + base }
  }
  const start = members.at(0)?.start ?? token.offset + base
  const place = placeOf(lead, start - base, (members.at(-1)?.end ?? start) - base, context)
  return { ...place, style: 'block', inner: start }
}

const mapTree = (token: CST.BlockMap | CST.FlowCollection, lead: Lead, context: Context): Tree => {
  const entries = token.items.filter(isFilled).map((item) => entryOf(item, innerOf(token), context))
  return { kind: 'map', ...frameOf(token, entries, lead, context), entries }
}

/** One pair of a flow list, `[a: b]`: a map of its own without braces. */
const bareMap = (item: CST.CollectionItem, from: number, context: Context): Tree => {
  const entry = entryOf(item, from, context)
  const { start, end } = entry
  return {
    kind: 'map',
    style: 'bare',
    start,
    end,
    anchor: undefined,
    inner: start,
    entries: [entry],
  }
}

const itemOf = (item: CST.CollectionItem, from: number, context: Context): Item => {
  const dash = item.start.find(({ type }) => type === 'seq-item-ind')
  const isPair =
    item.sep !== undefined || item.start.some(({ type }) => type === 'explicit-key-ind')
  const value = isPair
    ? bareMap(item, from, context)
    : treeOf(item.value, leadOf(item.start, from), context)
  return { start: dash ? dash.offset + context.base : value.start, end: value.end, value }
}

const listTree = (
  token: CST.BlockSequence | CST.FlowCollection,
  lead: Lead,
  context: Context,
): Tree => {
  const items = token.items.filter(isFilled).map((item) => itemOf(item, innerOf(token), context))
  return { kind: 'list', ...frameOf(token, items, lead, context), items }
}

const collectionTree = (token: Collection, lead: Lead, context: Context): Tree =>
  token.type === 'block-map' || (token.type === 'flow-collection' && token.start.source === '{')
    ? mapTree(token, lead, context)
    : listTree(token, lead, context)

const nodeTree = (token: CST.Token | undefined, lead: Lead, context: Context): Tree => {
  if (token?.type === 'alias') return aliasTree(token, lead, context)
  if (token && CST.isCollection(token)) return collectionTree(token, lead, context)
  return scalarTree(token && CST.isScalar(token) ? token : undefined, lead, context)
}

const treeOf = (token: CST.Token | undefined, lead: Lead, context: Context): Tree => {
  if (context.depth >= MAX_DEPTH) {
    report(context, lead.end, TOO_DEEP)
    return scalarTree(undefined, lead, context)
  }
  const anchored: Anchored = {}
  if (lead.anchor !== undefined) context.anchors.set(lead.anchor, anchored)
  context.depth += 1
  const tree = nodeTree(token, lead, context)
  context.depth -= 1
  anchored.tree = tree
  return tree
}

/** What the library finds wrong, and what it would take that kubectl does not. */
const syntaxFaults = (tokens: readonly CST.Token[], base: number): readonly Fault[] => {
  const composer = new Composer(COMPOSE)
  const documents = [...composer.compose(tokens)]
  const errors = [
    ...documents.flatMap((document) => document.errors),
    ...composer.streamInfo().errors,
  ]
  const directive = tokens.find(({ type }) => type === 'directive')
  const end = tokens.find(({ type }) => type === 'doc-end')
  const isHollow = tokens.some((token) => token.type === 'document' && token.value === undefined)
  const [, second] = documents
  return [
    ...errors
      .slice(0, 1)
      .map(({ pos, code }) => ({ offset: base + pos[0], message: yamlWords(code) })),
    ...(directive
      ? [{ offset: base + directive.offset, message: 'kubectl takes no directives' }]
      : []),
    ...(end && isHollow
      ? [{ offset: base + end.offset, message: 'nothing stands before this: kubectl refuses it' }]
      : []),
    ...(second
      ? [
          {
            offset: base + second.range[0],
            message: 'kubectl leaves out what follows here: a document begins with a line ---',
          },
        ]
      : []),
  ]
}

export interface Parsed {
  /** Undefined where the text holds nothing but comments. */
  readonly tree: Tree | undefined
  readonly anchors: Anchors
}

/** The tree of one document's text, which stands at an offset of the manifest and may know anchors already. */
export const parseTree = (
  text: string,
  base: number,
  { language, anchors }: { readonly language: Language; readonly anchors?: Anchors },
): Result<Parsed, Fault> => {
  const tokens = [...new Parser().parse(text)]
  const context: Context = {
    base,
    language,
    anchors: new Map(),
    outer: anchors,
    faults: [],
    depth: 0,
  }
  const document = tokens.find((token) => token.type === 'document')
  const tree = document && treeOf(document.value, leadOf(document.start, 0), context)
  const isTooDeep = context.faults.some(({ message }) => message === TOO_DEEP)
  // What is JSON has been read as that already.
  const syntax = isTooDeep || language === 'json' ? [] : syntaxFaults(tokens, base)
  const [fault] = [...syntax, ...context.faults]
  return fault ? fail(fault) : ok({ tree, anchors: context.anchors })
}
