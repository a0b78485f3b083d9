// The user that an image runs as, by its USER and its own /etc/passwd and /etc/group: what the
// container runtime would make of them. Pure.

import { MAX_ID, type ImageUser } from '../../shared/image-index.ts'
import { fail, ok, type Result } from '../../shared/result.ts'

/** USER, read: a part is a number, or a name to look up. */
export interface UserSpec {
  readonly user: number | string
  readonly group: number | string | undefined
}

const MAX_NAME_LENGTH = 256

/** What is no number from 0 is a name to the runtime; digits that are too many are as well. */
const part = (text: string): number | string =>
  /^\+?\d+$/.test(text) && Number(text) <= MAX_ID ? Number(text) : text

/** Reads USER: `app`, `1000`, `app:web`, `1000:0`; none means root. */
export const parseUser = (text: string): Result<UserSpec, string> => {
  if (text === '') return ok({ user: 0, group: 0 })
  const [user = '', group, ...more] = text.split(':')
  const isName = (word: string): boolean => word !== '' && word.length <= MAX_NAME_LENGTH
  return more.length > 0 || !isName(user) || (group !== undefined && !isName(group))
    ? fail(
        `its USER ${JSON.stringify(text.slice(0, 80))} is not user or user:group; no container runtime would start it`,
      )
    : ok({ user: part(user), group: group === undefined ? undefined : part(group) })
}

/** The image's files that the lookup needs; undefined: the image has none. */
export interface UserFiles {
  readonly passwd: string | undefined
  readonly group: string | undefined
}

/** Whether the image's files are needed at all: a number is known as it stands. */
export const needsFiles = ({ user }: UserSpec): boolean => typeof user === 'string'

/** The first line whose name is this, as its fields; the runtime takes the first one too. */
const lineOf = (text: string | undefined, name: string): readonly string[] | undefined => {
  for (const line of (text ?? '').split('\n')) {
    const fields = line.trim().split(':')
    if (fields[0] === name) return fields
  }
  return undefined
}

const idIn = (fields: readonly string[] | undefined, index: number): number | undefined => {
  const text = fields?.[index] ?? ''
  return /^\d{1,10}$/.test(text) && Number(text) <= MAX_ID ? Number(text) : undefined
}

const PASSWD_UID = 2
const PASSWD_GID = 3
const GROUP_GID = 2

/** The user in numbers; without a uid where the image's files do not know the name. */
export const resolveUser = ({ user, group }: UserSpec, files: UserFiles): ImageUser => {
  if (typeof user === 'number') {
    return typeof group === 'number' ? { uid: user, gid: group } : { uid: user }
  }
  const fields = lineOf(files.passwd, user)
  const uid = idIn(fields, PASSWD_UID)
  const named = typeof group === 'string' ? idIn(lineOf(files.group, group), GROUP_GID) : group
  const gid = group === undefined ? idIn(fields, PASSWD_GID) : named
  return uid === undefined || gid === undefined ? { name: user } : { name: user, uid, gid }
}
