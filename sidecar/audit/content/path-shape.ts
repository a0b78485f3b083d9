// The places that the configuration names by their paths. Pure.

import type { Step } from '../../../shared/json-path.ts'
import { anyOf, emptyShape, itemsOf, memberOf, type Shape } from './shape.ts'

const below = (shape: Shape, step: Step): Shape => {
  if ('name' in step) return memberOf(shape, step.name)
  return step.any === 'item' ? itemsOf(shape) : anyOf(shape)
}

export const shapeOfPaths = (paths: readonly (readonly Step[])[]): Shape => {
  const root = emptyShape()
  for (const path of paths) path.reduce(below, root).isSecret = true
  return root
}
