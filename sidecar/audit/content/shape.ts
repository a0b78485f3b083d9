// Where in a value its secrets stand: a tree of names and items. Pure.

export interface Shape {
  /** All that stands here. */
  isSecret: boolean
  readonly members: Map<string, Shape>
  /** Members without a shape of their own, or besides it. */
  any: Shape | undefined
  items: Shape | undefined
}

export const emptyShape = (): Shape => ({
  isSecret: false,
  members: new Map(),
  any: undefined,
  items: undefined,
})

/** Everything is. */
export const SECRET: Shape = { ...emptyShape(), isSecret: true }

export const hasSecret = ({ isSecret, members, any, items }: Shape): boolean =>
  isSecret || [...members.values(), any ?? [], items ?? []].flat().some(hasSecret)

export const memberShapes = (shapes: readonly Shape[], name: string): readonly Shape[] =>
  shapes.length === 0
    ? shapes
    : shapes.flatMap((one) => [one.members.get(name) ?? [], one.any ?? []].flat())

export const itemShapes = (shapes: readonly Shape[]): readonly Shape[] =>
  shapes.length === 0 ? shapes : shapes.flatMap((one) => one.items ?? [])

export const memberOf = (shape: Shape, name: string): Shape => {
  const known = shape.members.get(name)
  if (known) return known
  const own = emptyShape()
  shape.members.set(name, own)
  return own
}

export const anyOf = (shape: Shape): Shape => (shape.any ??= emptyShape())
export const itemsOf = (shape: Shape): Shape => (shape.items ??= emptyShape())
