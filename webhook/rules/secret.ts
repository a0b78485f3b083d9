// Secrets that stand in a pod in so many words: variables whose names say so, and texts that have the
// form of a token or a key. Names are told, values never. It finds what is known, and nothing else. Pure.

import { hasSecretShape } from '../../shared/audit/secrets.ts'
import { objectsAt, stringAt, stringsAt, type JsonObject } from '../../shared/json.ts'
import { nameOf } from '../inject/pod.ts'
import { quoted, type Finding } from './finding.ts'
import type { Check } from './judged.ts'

const SECRET_NAME =
  /(?:^|[_-])(?:password|passwd|passphrase|pwd|secret|token|apikey|(?:api|access|private|secret|auth|encryption|signing)[_-]?key|credentials?)$/i
/** Of no secret: nothing, a variable, a path, an address, a switch, a number. */
const NO_SECRET = /^(?:|\$\(.*|\.{0,2}\/.*|https?:\/\/[^@]*|true|false|none|null|\d{1,9})$/is

// Reading for forms is what takes time: of each text the beginning, and of a pod no more than this.
const MAX_TEXT = 1024
const MAX_READ = 65_536

type Reader = (text: string) => boolean

/** Whether a text has the form of a secret, as far as a pod's texts are read. */
const formReader = (): Reader => {
  let read = 0
  return (text) => {
    const start = text.slice(0, MAX_TEXT)
    read += start.length
    return read <= MAX_READ && hasSecretShape(start)
  }
}

const isNamedSecret = (name: string, value: string): boolean =>
  SECRET_NAME.test(name.slice(-MAX_TEXT)) && !NO_SECRET.test(value.slice(0, MAX_TEXT))

const inVariables = (container: JsonObject, hasForm: Reader): readonly string[] =>
  objectsAt(container, 'env').flatMap((entry) => {
    const [name, value] = [nameOf(entry), stringAt(entry, 'value') ?? '']
    return isNamedSecret(name, value) || hasForm(value) ? [`env ${quoted(name)}`] : []
  })

const inWords = (container: JsonObject, hasForm: Reader): readonly string[] =>
  ['command', 'args'].flatMap((field) =>
    (stringsAt(container, field) ?? []).some(hasForm) ? [field] : [],
  )

export const secretLiteral: Check = ({ containers }): readonly Finding[] => {
  const hasForm = formReader()
  return containers.flatMap(({ where, container }) =>
    [...inVariables(container, hasForm), ...inWords(container, hasForm)].map((place) => ({
      where,
      found: `${place} holds a secret`,
    })),
  )
}
