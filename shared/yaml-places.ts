// A YAML document of ours with its places, so that what is wrong with it is told with line and column. Stricter than YAML:
// one document of plain keys, no aliases, tags or merges, since whoever reviews it must see what it says. Pure.

import {
  Composer,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isScalar,
  Lexer,
  LineCounter,
  Parser,
  visit,
  type Document,
} from 'yaml'
import type { Place, PlacedFault } from './placed-fault.ts'
import { fail, ok, type Result } from './result.ts'
import { atOnce, type Sliced } from './slices.ts'
import { faultWords, type SchemaFault } from './schema-words.ts'
import { yamlWords } from './yaml-words.ts'

export interface PlacedDocument {
  readonly value: unknown
  /** Where a member stands, or the innermost one on its path that is there. */
  readonly placeOf: (path: readonly string[]) => Place
}

const START: Place = { line: 1, column: 1 }

const inOrder = (faults: readonly PlacedFault[]): readonly PlacedFault[] =>
  [...faults].sort((a, b) => a.line - b.line || a.column - b.column)

/** Schema's faults at their places, in the order in which they stand in the document. */
export const placed = (
  faults: readonly SchemaFault[],
  { placeOf }: Pick<PlacedDocument, 'placeOf'>,
): readonly PlacedFault[] =>
  inOrder(
    faults.map(({ path, message }) => ({
      ...placeOf(path),
      message: faultWords({ path, message }),
    })),
  )

const keyFault = (key: unknown, seen: Set<unknown>): string | undefined => {
  if (!isScalar(key) || typeof key.value !== 'string') {
    return 'a key must be a string (put it in quotes)'
  }
  if (key.value === '__proto__') return 'no key may be called __proto__'
  if (seen.has(key.value)) return yamlWords('DUPLICATE_KEY')
  seen.add(key.value)
  return undefined
}

/** What YAML would take and we do not. */
const oddities = (document: Document, at: (offset: number) => Place): readonly PlacedFault[] => {
  const faults: PlacedFault[] = []
  const report = (node: unknown, message: string): void => {
    const offset = isNode(node) ? node.range?.[0] : undefined
    faults.push({ ...(offset === undefined ? START : at(offset)), message })
  }
  visit(document, {
    Node: (_key, node) => {
      if (isAlias(node)) report(node, 'an alias (*name): write out what it stands for')
      else if (node.tag !== undefined && (isScalar(node) || isCollection(node))) {
        if (!node.tag.startsWith('tag:yaml.org,2002:')) report(node, `there is no tag ${node.tag}`)
      }
    },
    Map: (_key, map) => {
      const seen = new Set<unknown>()
      for (const { key } of map.items) {
        const message = keyFault(key, seen)
        if (message !== undefined) report(key, message)
      }
    },
  })
  return inOrder(faults)
}

/** Where the key of a member, or an item of a list, stands. */
const offsetIn = (parent: unknown, part: string): number | undefined => {
  if (!isCollection(parent)) return undefined
  const pair = isMap(parent)
    ? parent.items.find(({ key }) => isScalar(key) && key.value === part)
    : undefined
  const node = pair ? pair.key : parent.get(Number(part), true)
  return isNode(node) ? node.range?.[0] : undefined
}

const childOf = (parent: unknown, part: string): unknown =>
  isCollection(parent) ? parent.get(isMap(parent) ? part : Number(part), true) : undefined

function* parsed(text: string, lineCounter: LineCounter): Sliced<readonly Document[] | undefined> {
  const parser = new Parser(lineCounter.addNewLine)
  // `uniqueKeys` compares each key with each other one; ours looks once.
  const composer = new Composer({ uniqueKeys: false, merge: false })
  const documents: Document[] = []
  lineCounter.addNewLine(0)
  try {
    for (const lexeme of new Lexer().lex(text)) {
      yield
      for (const token of parser.next(lexeme)) documents.push(...composer.next(token))
    }
    for (const token of parser.end()) documents.push(...composer.next(token))
    return [...documents, ...composer.end()]
  } catch {
    return undefined
  }
}

/** Reads one document; the faults are everything that keeps it from being read. */
export function* readPlacedSliced(
  text: string,
): Sliced<Result<PlacedDocument, readonly PlacedFault[]>> {
  const lines = new LineCounter()
  const at = (offset: number): Place => {
    const { line, col } = lines.linePos(offset)
    return { line, column: col }
  }
  const documents = yield* parsed(text, lines)
  if (!documents) return fail([{ ...START, message: 'it is nested too deeply' }])
  const [document, ...more] = documents
  if (!document) return ok({ value: undefined, placeOf: () => START })
  const [second] = more
  if (second)
    return fail([
      { ...at(second.range?.[0] ?? 0), message: 'it holds several documents; keep one' },
    ])
  const errors = document.errors.map(({ pos, code }) => ({
    ...at(pos[0]),
    message: yamlWords(code),
  }))
  if (errors.length > 0) return fail(errors.slice(0, 1))
  const odd = oddities(document, at)
  if (odd.length > 0) return fail(odd)
  return ok({
    value: document.toJS({ maxAliasCount: 0 }),
    placeOf: (path) => {
      let [node, offset]: [unknown, number | undefined] = [document.contents, undefined]
      for (const part of path) {
        const next = offsetIn(node, part)
        if (next === undefined) break
        offset = next
        node = childOf(node, part)
      }
      return offset === undefined ? START : at(offset)
    },
  })
}

/** The same at once. */
export const readPlaced = (text: string): Result<PlacedDocument, readonly PlacedFault[]> =>
  atOnce(readPlacedSliced(text))
