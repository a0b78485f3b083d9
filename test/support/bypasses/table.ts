// Every way, and all of them as Markdown, for SECURITY.md. A test compares the two.

import { BY_AUTHOR } from './by-author.ts'
import { BY_CLUSTER } from './by-cluster.ts'
import { BY_BYTES, BY_CHANGES, BY_ENTERING, BY_WEBHOOKS } from './later.ts'
import type { Becomes, Way } from './way.ts'

export const WAYS: readonly Way[] = [
  ...BY_AUTHOR,
  ...BY_BYTES,
  ...BY_WEBHOOKS,
  ...BY_CHANGES,
  ...BY_ENTERING,
  ...BY_CLUSTER,
]

export const WAYS_BEGIN = '<!-- ways:begin -->'
export const WAYS_END = '<!-- ways:end -->'

const outcomeOf = (becomes: Becomes): string => {
  if ('denied' in becomes) return `denied: \`${becomes.denied}\``
  return 'mended' in becomes
    ? becomes.mended
    : 'not ours to stop: see what is the cluster’s to close'
}

const plain = (text: string): string => text.replaceAll('’', "'").replaceAll('|', '\\|')

/** The table's rows, a line each. */
export const renderWays = (): string =>
  [
    '| who | tries | what becomes of it |',
    '| --- | --- | --- |',
    ...WAYS.map(({ who, name, where, becomes }) => {
      const place = where === 'strict' && !name.includes('strict') ? ' (`strict`)' : ''
      return `| ${who} | ${plain(name)}${place} | ${plain(outcomeOf(becomes))} |`
    }),
  ].join('\n')
