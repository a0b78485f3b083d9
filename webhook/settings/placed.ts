// What was resolved for one setting, before it becomes a value.

/** A resolved text and where it came from; `default` bends to the floor, anything else is judged. */
export interface Placed {
  readonly text: string
  readonly where: string
  readonly isDefault: boolean
  /** What a higher scope says on the same, and this keeps within. */
  readonly within?: Placed | undefined
}
