// What a limit looks like as a text: `300/m`, `search=30/m,search=2,report=5m`, `5/30s`. Pure.

import { duration, integer } from './numbers.ts'

/** So many in a period, spread evenly; as many at once after a pause. */
export interface Rate {
  readonly amount: number
  readonly periodMs: number
}

/** What holds for the calls of one tool. */
export interface ToolLimits {
  readonly rate?: Rate
  /** At once. */
  readonly concurrency?: number
  /** Longest wait for an answer. */
  readonly timeoutMs?: number
}

/** After so many failures in a row nothing goes to a server for a pause. */
export interface BreakerRule {
  readonly failures: number
  readonly pauseMs: number
}

const PERIODS = new Map([
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
])
const MAX_AMOUNT = 1_000_000
export const MAX_CONCURRENCY = 4096
const MAX_FAILURES = 1000
const MAX_ITEMS = 256
const TOOL = /^[\w./:-]{1,128}$/

export const rate = (text: string): Rate | undefined => {
  const [amountText = '', unit = '', ...more] = text.split('/', 3)
  const [amount, periodMs] = [integer(amountText, MAX_AMOUNT), PERIODS.get(unit)]
  const isRate = amount !== undefined && periodMs !== undefined && more.length === 0
  return isRate ? { amount, periodMs } : undefined
}

export const breakerRule = (text: string): BreakerRule | undefined => {
  const [failuresText = '', pauseText = '', ...more] = text.split('/', 3)
  const [failures, pauseMs] = [integer(failuresText, MAX_FAILURES), duration(pauseText)]
  const isRule = failures !== undefined && pauseMs !== undefined && more.length === 0
  return isRule ? { failures, pauseMs } : undefined
}

/** A limit of a tool's: which it is, its form says. */
const toolLimit = (text: string): ToolLimits | undefined => {
  const [aRate, concurrency, timeoutMs] = [
    rate(text),
    integer(text, MAX_CONCURRENCY),
    duration(text),
  ]
  if (aRate) return { rate: aRate }
  if (concurrency !== undefined) return { concurrency }
  return timeoutMs === undefined ? undefined : { timeoutMs }
}

/** One limit of one tool, as it stands in the list. */
export interface ToolLimit {
  readonly tool: string
  readonly text: string
  readonly limit: ToolLimits
}

const item = (text: string): ToolLimit | undefined => {
  const [tool = '', limitText = '', ...more] = text.trim().split('=', 3)
  const limit = TOOL.test(tool) && more.length === 0 ? toolLimit(limitText) : undefined
  return limit && { tool, text: limitText, limit }
}

/** In their order. */
export const toolLimitList = (text: string): readonly ToolLimit[] | undefined => {
  const parts = text.split(',', MAX_ITEMS + 1)
  if (parts.length > MAX_ITEMS) return undefined
  const items = parts.flatMap((part) => item(part) ?? [])
  return items.length === parts.length ? items : undefined
}

/** By tool. Each limit of a tool stands there once. */
export const toolLimits = (text: string): ReadonlyMap<string, ToolLimits> | undefined => {
  const items = toolLimitList(text)
  if (items === undefined) return undefined
  const tools = new Map<string, ToolLimits>()
  for (const { tool, limit } of items) {
    const known = tools.get(tool) ?? {}
    if (Object.keys(limit).some((kind) => kind in known)) return undefined
    tools.set(tool, { ...known, ...limit })
  }
  return tools
}
