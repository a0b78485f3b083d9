// The annotation table as Markdown, for the README. A test compares the two.

import { annotation, KEYS, PREFIX, SCOPES, type Annotation } from '../../shared/annotations.ts'

export const TABLE_BEGIN = '<!-- annotations:begin -->'
export const TABLE_END = '<!-- annotations:end -->'

const WORDS: Readonly<Record<Annotation['type'], string>> = {
  boolean: '`true`, `false`',
  enum: '',
  name: 'a name',
  integer: 'a number',
  duration: 'a duration',
  port: 'a port',
  path: 'a path',
  command: 'a JSON array',
  list: 'a comma list',
  directories: 'a comma list of directories',
  destinations: 'a comma list of destinations',
  callers: 'a comma list of callers',
  quantity: 'a quantity',
  size: 'a size',
  url: 'a URL',
  uids: 'a uid, `name=uid`',
  headers: 'a comma list of header names',
  paths: 'a comma list of paths',
  file: 'a file',
  rate: 'a number a second, minute or hour',
  'tool-limits': 'a comma list of limits',
  breaker: '`failures/pause`',
  redactions: 'names and JSON paths',
  'caller-variables': 'a comma list of variables and templates',
  'exchange-items': 'a comma list of services and scopes',
}

const kind = ({ type, values }: Annotation): string =>
  values ? values.map((value) => `\`${value}\``).join(', ') : WORDS[type]

const scopes = ({ scopes }: Annotation): string =>
  scopes.length === SCOPES.length ? 'anywhere' : scopes.join(', ')

/** What is less, where that is no plain number. */
const LESS: Readonly<Record<string, string>> = {
  'tool-limits': 'less, more tools',
  breaker: 'fewer failures, a longer pause',
}

const tightening = ({ tighten, type }: Annotation): string => {
  if (!tighten) return ''
  if (tighten.by === 'order') return tighten.order.map((value) => `\`${value}\``).join(' → ')
  const words = {
    subset: 'fewer items',
    superset: 'more items',
    fixed: 'no change',
    limit: 'less',
    least: 'more',
  }
  return (tighten.by === 'limit' ? LESS[type] : undefined) ?? words[tighten.by]
}

const cell = (text: string): string => text.replaceAll('|', '\\|')

/** The table's rows, a line each: key, values, default, scopes, tightening, doc. */
export const renderAnnotationTable = (): string => {
  const rows = KEYS.map((key) => {
    const row = annotation(key)
    const cells = [
      `\`${key}\``,
      kind(row),
      row.default === undefined ? '' : `\`${row.default}\``,
      scopes(row),
      tightening(row),
      row.doc,
    ]
    return `| ${cells.map(cell).join(' | ')} |`
  })
  return [
    `| \`${PREFIX}…\` | values | default | may stand on | lower may only | |`,
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n')
}
