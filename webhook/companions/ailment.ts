// What keeps a container of an injected pod from running, by what its kubelet says of it, and which annotation puts it right:
// admission cannot see into an image. The kubelet's own words are never passed on. Pure.

import { PREFIX } from '../../shared/annotations.ts'
import { deniedWrite, isPlain } from '../../shared/denied-write.ts'
import { numberAt, objectAt, objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { SIDECAR_CONTAINER } from '../../shared/names.ts'
import { oneLine } from '../../shared/one-line.ts'
import { nameOf } from '../inject/pod.ts'

export interface Ailment {
  readonly reason: 'ImageRunsAsRoot' | 'ImageUserUnknown' | 'WriteDenied' | 'CommandMissing'
  readonly message: string
}

/** Of one pod; of a container nothing more than its name is longer than this. */
const MAX_AILMENTS = 10
const MAX_CONTAINERS = 20
const MAX_NAME = 63
/** As much as a container may leave behind of its log. */
const MAX_WORDS = 2048

type Finding = readonly [reason: Ailment['reason'], cause: string]

const USER = `name a user that it can run as by the annotation ${PREFIX}run-as-user`
const COMMAND = `name what its image has, in the spec of the container or, where that has no command, by the annotation ${PREFIX}command`

/** The kubelet, and what runs containers below it. */
const REFUSALS: readonly (readonly [words: RegExp, finding: Finding])[] = [
  [
    /runAsNonRoot and image will run as root/,
    ['ImageRunsAsRoot', `its image runs as root, so that it is never started: ${USER}`],
  ],
  [
    /runAsNonRoot and image has non-numeric user/,
    [
      'ImageUserUnknown',
      `its image names its user, of whom nobody knows whether it is root, so that it is never started: ${USER}, as a number`,
    ],
  ],
  [
    /no command specified/i,
    ['CommandMissing', `neither its spec nor its image has a command: ${COMMAND}`],
  ],
  [
    /executable file not found|exec: .*: no such file or directory/,
    ['CommandMissing', `its image does not have the command that it is to run: ${COMMAND}`],
  ],
]

/** By which the shim, and shells, say that there is no such program. */
const NOT_THERE = 127

const refusalIn = (words: string): Finding | undefined =>
  REFUSALS.find(([pattern]) => pattern.test(words))?.[1]

const wordsOf = (state: JsonObject): string =>
  (stringAt(state, 'message') ?? '').slice(0, MAX_WORDS)

const endOf = (end: JsonObject): Finding | undefined => {
  const code = numberAt(end, 'exitCode') ?? 0
  if (code === 0) return undefined
  const words = wordsOf(end)
  const denied = deniedWrite(words, isPlain)
  if (denied !== undefined) return ['WriteDenied', denied]
  const gone: Finding = [
    'CommandMissing',
    `it ended with ${NOT_THERE}, which says that a program is not there: ${COMMAND}`,
  ]
  return refusalIn(words) ?? (code === NOT_THERE ? gone : undefined)
}

/** Of one that runs nothing is said, whatever was before. */
const findingOf = (status: JsonObject): Finding | undefined => {
  if (Object.hasOwn(objectAt(status, 'state'), 'running')) return undefined
  const ended = objectAt(status, 'state', 'terminated')
  if (Object.keys(ended).length > 0) return endOf(ended)
  return (
    refusalIn(wordsOf(objectAt(status, 'state', 'waiting'))) ??
    endOf(objectAt(status, 'lastState', 'terminated'))
  )
}

/** What is wrong with its containers, ours left out. */
export const ailmentsOf = (pod: JsonObject): readonly Ailment[] =>
  ['initContainerStatuses', 'containerStatuses']
    .flatMap((list) => objectsAt(pod, 'status', list).slice(0, MAX_CONTAINERS))
    .filter((status) => nameOf(status) !== SIDECAR_CONTAINER)
    .flatMap((status) => {
      const finding = findingOf(status)
      if (!finding) return []
      const [reason, cause] = finding
      return [
        { reason, message: `container ${oneLine(nameOf(status).slice(0, MAX_NAME))}: ${cause}` },
      ]
    })
    .slice(0, MAX_AILMENTS)
