// The JSON paths that name what is left out of records: of RFC 9535 what leads to one kind of place, `$.a.b`, `$['a b']`,
// `$.a[*]` and `$.a.*`. Pure.

import { fail, ok, type Result } from './result.ts'

/** A member's name, any member (`*`), or any item (`[*]`). */
export type Step = { readonly name: string } | { readonly any: 'member' | 'item' }

const STEP = /\.(\*)|\.([\p{L}_$][\p{L}\p{N}_$-]*)|\[(\*)\]|\['((?:[^'\\]|\\['\\])*)'\]/uy
const MAX_STEPS = 32

export const parsePath = (text: string): Result<readonly Step[], string> => {
  const steps: Step[] = []
  STEP.lastIndex = 1
  if (!text.startsWith('$')) return fail('a path begins with $, such as $.params.arguments.card')
  while (STEP.lastIndex < text.length) {
    const at = STEP.lastIndex
    const [, anyMember, name, anyItem, quoted] = STEP.exec(text) ?? []
    if (anyMember !== undefined) steps.push({ any: 'member' })
    else if (anyItem !== undefined) steps.push({ any: 'item' })
    else if (name !== undefined) steps.push({ name })
    else if (quoted !== undefined) steps.push({ name: quoted.replaceAll(/\\(.)/g, '$1') })
    else return fail(`what follows behind ${at} characters is none of .name, ['name'], [*] and .*`)
  }
  return steps.length === 0 || steps.length > MAX_STEPS
    ? fail(`a path has 1 to ${MAX_STEPS} steps`)
    : ok(steps)
}
