// What a bench gives back, and how it reads on a terminal. Pure.

export type Figure = Readonly<Record<string, string | number>>

export type Budget = {
  readonly name: string
  /** Absent when it could not be measured, which is never ok. */
  readonly value: number | undefined
  readonly limit: number
  readonly unit: string
  readonly ok: boolean
}

export type Report = {
  readonly figures: readonly Figure[]
  readonly budgets: readonly Budget[]
  /** What went wrong on the way, a line each. */
  readonly faults: readonly string[]
}

type Limit = { readonly atLeast: number } | { readonly atMost: number }

/** Judges a value; what could not be measured is over budget. */
export const judge = (
  name: string,
  value: number | undefined,
  limit: Limit,
  unit: string,
): Budget => {
  const known = value !== undefined && Number.isFinite(value) ? value : undefined
  if ('atLeast' in limit) {
    const ok = known !== undefined && known >= limit.atLeast
    return { name: `${name}, at least`, value: known, limit: limit.atLeast, unit, ok }
  }
  const ok = known !== undefined && known <= limit.atMost
  return { name: `${name}, at most`, value: known, limit: limit.atMost, unit, ok }
}

const shown = (value: string | number | undefined): string => {
  if (value === undefined) return '-'
  if (typeof value === 'string') return value
  if (Number.isInteger(value) || Math.abs(value) >= 100) {
    return Math.round(value).toLocaleString('en-US')
  }
  return value.toFixed(Math.abs(value) < 10 ? 2 : 1)
}

const align = (rows: readonly (readonly string[])[], isRight: readonly boolean[]): string => {
  const widths = isRight.map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  )
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          isRight[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** Figures as a table, in runs of rows that have the same columns. */
export const renderFigures = (figures: readonly Figure[]): string => {
  const tables: Figure[][] = []
  for (const figure of figures) {
    const last = tables.at(-1)
    const isSame = last?.[0] && Object.keys(last[0]).join() === Object.keys(figure).join()
    if (last !== undefined && isSame) last.push(figure)
    else tables.push([figure])
  }
  return tables
    .map((rows) => {
      const columns = Object.keys(rows[0] ?? {})
      const isRight = columns.map((column) => typeof rows[0]?.[column] === 'number')
      return align(
        [columns, ...rows.map((row) => columns.map((name) => shown(row[name])))],
        isRight,
      )
    })
    .join('\n\n')
}

/** Budgets as a table. */
export const renderBudgets = (budgets: readonly Budget[]): string =>
  align(
    [
      ['budget', 'measured', 'limit', 'unit', ''],
      ...budgets.map(({ name, value, limit, unit, ok }) => [
        name,
        shown(value),
        shown(limit),
        unit,
        ok ? 'ok' : 'MISSED',
      ]),
    ],
    [false, true, true, false, false],
  )
