// What the schemas of documents that people write (policies, locks) have in common. Pure.

import * as z from 'zod/mini'
import { isObject } from './json.ts'

/** What editors show. */
export const about = (description: string) => z.describe(description)

/** Of a mapping's members. */
export const atMost = (most: number, what: string) =>
  z.refine(
    (map: unknown) => isObject(map) && Object.keys(map).length <= most,
    `must be at most ${most} ${what}`,
  )

/** There is one version yet. */
export const VERSION = z.literal(1).check(about('The version of this format.'))
