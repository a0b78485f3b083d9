// Texts that are numbers, as settings have them. Pure.

const DURATION = /^(\d{1,10})(ms|s|m|h)$/
const UNIT_MS = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
])
// The longest delay that a Node timer takes (2^31 - 1 ms).
const MAX_DURATION_MS = 2_147_483_647

export const integer = (text: string, max: number): number | undefined =>
  /^[1-9]\d{0,9}$/.test(text) && Number(text) <= max ? Number(text) : undefined

/** In milliseconds. */
export const duration = (text: string): number | undefined => {
  const [, amount, unit] = DURATION.exec(text) ?? []
  const ms = Number(amount) * (UNIT_MS.get(unit ?? '') ?? 0)
  return ms > 0 && ms <= MAX_DURATION_MS ? ms : undefined
}
