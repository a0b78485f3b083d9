// An amount of a resource as the API server takes it: a text, or a number where JSON has one. Pure.

import type { Json } from '../../shared/json.ts'
import { parseQuantity } from '../settings/quantity.ts'

export const quantity = (value: Json | undefined): bigint | undefined => {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined
  return parseQuantity(String(value))
}
