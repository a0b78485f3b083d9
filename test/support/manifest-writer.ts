// Writes a manifest's nodes as YAML, in every style that there is: block or flow, on one line or several, indented as one
// likes, with comments, blank lines and trailing space. Which, the choices say.

import type { Choices } from './choices.ts'

export type Node =
  /** A scalar: how it is spelled in YAML, and in JSON. */
  | { readonly kind: 'scalar'; readonly yaml: string; readonly json: string }
  | { readonly kind: 'map'; readonly members: readonly (readonly [key: string, value: Node])[] }
  | { readonly kind: 'list'; readonly items: readonly Node[] }
  /** Named by an anchor; JSON has none. */
  | { readonly kind: 'named'; readonly anchor: string; readonly node: Node }
  | { readonly kind: 'alias'; readonly anchor: string }

export interface Layout {
  readonly indent: number
  readonly listIndent: number
}

const isFilled = (node: Node): boolean =>
  (node.kind === 'map' && node.members.length > 0) ||
  (node.kind === 'list' && node.items.length > 0)

/** Not what has lines of its own, and not the one plain scalar that the library does not know there. */
const fitsInFlow = (node: Node): boolean => {
  if (node.kind === 'scalar') return !node.yaml.includes('\n') && node.yaml !== '-'
  if (node.kind === 'map') return node.members.every(([, value]) => fitsInFlow(value))
  if (node.kind === 'list') return node.items.every(fitsInFlow)
  return node.kind === 'alias' || fitsInFlow(node.node)
}

/** On one line, or over several where the choices break it. */
const flow = (node: Node, choices: Choices, column: number): string => {
  const space = choices.pick(['', '', ' '])
  const gap = (): string => (choices.chance(6) ? `\n${' '.repeat(column + 2)}` : ' ')
  const join = (open: string, parts: readonly string[], close: string): string => {
    if (parts.length === 0) return open + space + close
    const comma = choices.chance(10) ? ',' : ''
    const text = parts.reduce((all, part) => `${all},${gap()}${part}`)
    return `${open}${space}${text}${comma}${space}${close}`
  }
  if (node.kind === 'scalar') return node.yaml === '' ? '~' : node.yaml
  if (node.kind === 'alias') return `*${node.anchor}`
  if (node.kind === 'named') return `&${node.anchor} ${flow(node.node, choices, column)}`
  if (node.kind === 'list') {
    return join(
      '[',
      node.items.map((item) => flow(item, choices, column)),
      ']',
    )
  }
  const members = node.members.map(([key, value]) => `${key}: ${flow(value, choices, column)}`)
  return join('{', members, '}')
}

const comment = (choices: Choices): string =>
  choices.pick(['# why', '# see: {docs}', '#', "# it's: - odd", '#outrigger', '# "quoted'])

/** Lines between two members. */
const between = (choices: Choices, column: number): readonly string[] => {
  if (choices.chance(88)) return []
  return choices.pick([
    [''],
    [`${' '.repeat(column)}${comment(choices)}`],
    ['', comment(choices)],
    ['  '],
  ])
}

const trailing = (choices: Choices): string =>
  choices.chance(90) ? '' : choices.pick([` ${comment(choices)}`, ' ', `   ${comment(choices)}`])

interface Writer {
  readonly choices: Choices
  readonly layout: Layout
}

/** A scalar over lines of its own. */
const longLines = (yaml: string, lead: string, column: number): readonly string[] => {
  const [first = '', ...more] = yaml.split('\n')
  const pad = ' '.repeat(column)
  return [`${lead} ${first}`, ...more.map((line) => (line === '' ? '' : pad + line))]
}

/** A node behind a key or a dash: what follows on that line, and the lines below. */
const valueLines = (
  node: Node,
  lead: string,
  column: number,
  writer: Writer,
): readonly string[] => {
  const { choices, layout } = writer
  if (node.kind === 'named') {
    return valueLines(node.node, `${lead} &${node.anchor}`, column, writer)
  }
  if (isFilled(node) && !(fitsInFlow(node) && choices.chance(15))) {
    const shift = node.kind === 'list' ? layout.listIndent : layout.indent
    return [lead + trailing(choices), ...blockLines(node, column + shift, writer)]
  }
  if (node.kind !== 'scalar') {
    return `${lead} ${flow(node, choices, column)}${trailing(choices)}`.split('\n')
  }
  const { yaml } = node
  if (yaml.includes('\n')) return longLines(yaml, lead, column + layout.indent)
  return [`${lead}${yaml === '' ? '' : ' '}${yaml}${trailing(choices)}`]
}

/** A map or a list, member by member, at a column. */
const blockLines = (node: Node, column: number, writer: Writer): readonly string[] => {
  const { choices } = writer
  const pad = ' '.repeat(column)
  if (node.kind === 'map') {
    return node.members.flatMap(([key, value]) => [
      ...between(choices, column),
      ...valueLines(value, `${pad}${key}:`, column, writer),
    ])
  }
  if (node.kind !== 'list') return []
  return node.items.flatMap((item) => [
    ...between(choices, column),
    ...itemLines(item, column, writer),
  ])
}

/** `- a: b` with the other members below, or the item behind its dash. */
const itemLines = (item: Node, column: number, writer: Writer): readonly string[] => {
  const { choices } = writer
  const pad = ' '.repeat(column)
  if (item.kind !== 'map' || item.members.length === 0 || choices.chance(12)) {
    return valueLines(item, `${pad}-`, column, { ...writer, layout: { indent: 2, listIndent: 2 } })
  }
  const [first, ...rest] = item.members
  const inner = column + choices.pick([2, 2, 2, 4])
  if (!first) return []
  const head = valueLines(
    first[1],
    `${pad}-${' '.repeat(inner - column - 1)}${first[0]}:`,
    inner,
    writer,
  )
  return [...head, ...blockLines({ kind: 'map', members: rest }, inner, writer)]
}

/** A document's map as YAML. */
export const writeYaml = (node: Node, choices: Choices): string => {
  const layout = { indent: choices.pick([2, 2, 2, 4, 3]), listIndent: choices.pick([0, 2, 2, 4]) }
  if (choices.chance(4) && fitsInFlow(node)) return `${flow(node, choices, 0)}\n`
  return `${blockLines(node, 0, { choices, layout }).join('\n')}\n`
}

const jsonValue = (node: Node): string => {
  if (node.kind === 'scalar') return node.json
  if (node.kind === 'list') return `[${node.items.map(jsonValue).join()}]`
  if (node.kind === 'map') {
    return `{${node.members.map(([key, value]) => `${JSON.stringify(key)}:${jsonValue(value)}`).join()}}`
  }
  throw new Error('JSON has no anchors')
}

/** A document as JSON, in one of the forms that programs give it. */
export const writeJson = (node: Node, choices: Choices): string => {
  const text = jsonValue(node)
  const form = choices.pick(['as it is', 'lines', 'tabs', 'tight'])
  // Large numbers keep their digits only where nobody reads them.
  if (form === 'as it is' || /\d{17}|[eE]\d/.test(text)) return text
  const value: unknown = JSON.parse(text)
  return JSON.stringify(value, null, { lines: 2, tabs: '\t', tight: 0 }[form])
}
