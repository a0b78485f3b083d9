// Whether a lower scope's limit keeps within a higher one's, or its least above it, as numbers. What would be right is always something that can be
// written down as it is told. Pure.

import { annotation, type Annotation, type Key } from '../../shared/annotations.ts'
import { breakerRule, rate, toolLimitList, type Rate, type ToolLimit } from '../../shared/limits.ts'
import { duration } from '../../shared/numbers.ts'
import { parseValue } from '../../shared/settings.ts'

// Of many, a message shows a few.
const MAX_TOLD = 3

const quote = (text: string): string => `\`${text}\``

const some = (texts: readonly string[]): string => {
  const told = texts.slice(0, MAX_TOLD).map(quote).join(', ')
  return texts.length > MAX_TOLD ? `${told} and ${texts.length - MAX_TOLD} more` : told
}

const numberOf = (key: Key, text: string): number => {
  const value = parseValue(key, text)
  return value.ok && typeof value.value === 'number' ? value.value : Number.NaN
}

/** Neither more at once after a pause, nor more as time goes by. */
const isWithinRate = (above: Rate, below: Rate): boolean =>
  below.amount <= above.amount && below.amount * above.periodMs <= above.amount * below.periodMs

const rateFix = (above: string, below: string): string | undefined => {
  const [outer, inner] = [rate(above), rate(below)]
  return outer && inner && isWithinRate(outer, inner)
    ? undefined
    : `use ${quote(above)} or less, as a rate and as how many may come at once`
}

/** Open after fewer failures, and for longer. */
const breakerFix = (above: string, below: string): string | undefined => {
  const [outer, inner] = [breakerRule(above), breakerRule(below)]
  if (outer && inner && inner.failures <= outer.failures && inner.pauseMs >= outer.pauseMs) {
    return undefined
  }
  return `use ${quote(above)}, fewer failures or a longer pause`
}

const kindOf = ({ limit }: ToolLimit): string => Object.keys(limit).join()

const isWithinTool = ({ limit: above }: ToolLimit, { limit: below }: ToolLimit): boolean =>
  (above.rate === undefined ||
    (below.rate !== undefined && isWithinRate(above.rate, below.rate))) &&
  (below.concurrency ?? 0) <= (above.concurrency ?? 0) &&
  (below.timeoutMs ?? 0) <= (above.timeoutMs ?? 0)

const written = ({ tool, text }: ToolLimit): string => `${tool}=${text}`

const nameOf = (one: ToolLimit): string => `${kindOf(one)} ${one.tool}`

const toolsFix = (above: string, below: string): string | undefined => {
  const inner = new Map((toolLimitList(below) ?? []).map((one) => [nameOf(one), one]))
  const outer = toolLimitList(above) ?? []
  const missing = outer.filter((one) => !inner.has(nameOf(one)))
  const wider = outer.filter((one) => {
    const own = inner.get(nameOf(one))
    return own !== undefined && !isWithinTool(one, own)
  })
  const fixes = [
    ...(wider.length === 0 ? [] : [`use ${some(wider.map(written))} or less`]),
    ...(missing.length === 0 ? [] : [`add ${some(missing.map(written))} or less`]),
  ]
  return fixes.length === 0 ? undefined : fixes.join('; ')
}

type Fix = (above: string, below: string) => string | undefined

/** Those that are no plain numbers. */
const FIXES: { readonly [T in Annotation['type']]?: Fix } = {
  rate: rateFix,
  breaker: breakerFix,
  'tool-limits': toolsFix,
}

/** What would be right, as the end of a sentence; undefined where `below` keeps within `above`. */
export const lessFix = (key: Key, above: string, below: string): string | undefined => {
  const fix = FIXES[annotation(key).type]
  if (fix) return fix(above, below)
  return numberOf(key, below) <= numberOf(key, above) ? undefined : `use ${quote(above)} or less`
}

/** The same of what there may only be more of. */
export const moreFix = (key: Key, above: string, below: string): string | undefined =>
  numberOf(key, below) >= numberOf(key, above) ? undefined : `use ${quote(above)} or more`

/**
 * A tool's own time-out stands in the place of `request-timeout`: what a higher scope says there bounds those of tools, too,
 * save where a higher scope has named the tool.
 */
export const slowToolsFix = (
  requestTimeout: string,
  above: string | undefined,
  below: string,
): string | undefined => {
  const most = duration(requestTimeout) ?? 0
  const named = new Set((above === undefined ? undefined : toolLimitList(above))?.map(nameOf))
  const slow = (toolLimitList(below) ?? []).filter(
    (one) => (one.limit.timeoutMs ?? 0) > most && !named.has(nameOf(one)),
  )
  const right = slow.map(({ tool }) => `${tool}=${requestTimeout}`)
  return slow.length === 0 ? undefined : `use ${some(right)} or less`
}
