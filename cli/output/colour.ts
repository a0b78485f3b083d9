// Colour for people at a terminal: what went wrong red, what should be looked at yellow. Words stay as they are. Pure.

const RED = '31'
const YELLOW = '33'
const BOLD = '1'

const paint = (code: string, text: string): string => `\u001B[${code}m${text}\u001B[0m`

/** Whether a stream gets colour: a terminal's, unless its user or its kind says no (no-color.org). */
export const wantsColour = (
  isTerminal: boolean,
  environment: Readonly<Record<string, string | undefined>>,
): boolean => isTerminal && (environment['NO_COLOR'] ?? '') === '' && environment['TERM'] !== 'dumb'

const RULES: readonly (readonly [RegExp, string])[] = [
  [/^(.*?: )?(denied)(?=:)/, RED],
  [/^(.*?: )?(warning)(?=:)/, YELLOW],
  [/^()(outrigger [a-z]+)(?=:)/, BOLD],
]

const paintLine = (line: string): string => {
  const rule = RULES.find(([pattern]) => pattern.test(line))
  return rule
    ? line.replace(rule[0], (_all, before = '', word = '') => `${before}${paint(rule[1], word)}`)
    : line
}

/** What is told on standard error. */
export const coloured = (text: string): string => text.split('\n').map(paintLine).join('\n')
