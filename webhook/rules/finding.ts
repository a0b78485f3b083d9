// What a rule finds: where, and what stands there. Never a secret's value, nor more of what somebody wrote than tells it.

export interface Finding {
  /** `pod`, `container server`. */
  readonly where: string
  /** What is wrong there, as it stands or as it is missing. */
  readonly found: string
  /** Which part of the place, for a rule that can be broken in several by themselves. */
  readonly part?: string
}

const MAX_QUOTED = 120

/** A value as a message has it. */
export const quoted = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED - 1)}…` : text
}
