// The rules as Markdown, for their reference page. A test compares the two.

import { RULE_IDS, RULES } from '../../webhook/settings/rule.ts'

export const RULES_BEGIN = '<!-- rules:begin -->'
export const RULES_END = '<!-- rules:end -->'

const cell = (text: string): string => text.replaceAll('|', '\\|')

/** The table's rows, a line each: id, level, severity, what must be so, why, what to do. */
export const renderRuleTable = (): string =>
  [
    '| rule | level | severity | what must be so | else | what to do |',
    '| --- | --- | --- | --- | --- | --- |',
    ...RULE_IDS.map((id) => {
      const { level, byEgress, severity, what, why, fix } = RULES[id]
      const levels = byEgress ? `\`${level}\`; where egress is enforced` : `\`${level}\``
      return `| ${[`\`${id}\``, levels, severity, what, why, fix].map(cell).join(' | ')} |`
    }),
  ].join('\n')
