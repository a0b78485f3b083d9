// What counts as nothing in Kubernetes: null, and a map or a list without members. Nothing else lives here.

import type { Json } from '../../../shared/json.ts'

export const isEmpty = (value: Json): boolean =>
  value === null || (typeof value === 'object' && Object.keys(value).length === 0)
