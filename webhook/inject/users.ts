// Whom each container runs as where its spec does not say, and the digest that its image is pinned
// to: the annotation's word, else the image's own user by the index, else the configuration's
// default, since a uid must be known for runAsNonRoot. Each choice is a warning. Pure.

import { PREFIX } from '../../shared/annotations.ts'
import type { ImageUser } from '../../shared/image-index.ts'
import { stringAt, type JsonObject } from '../../shared/json.ts'
import { isExempt, pinnedByFloor } from './exempt.ts'
import { groupViolations } from './groups.ts'
import { agreed, knownImage, type KnownImage } from './image.ts'
import type { Floor } from '../settings/floor.ts'
import { violation, type Violation } from '../settings/violation.ts'
import { members, type Member } from './pod.ts'
import { gidOf, isJudged, uidOf } from './security.ts'
import type { Subject } from './subject.ts'
import type { Identity } from './uid.ts'

/** What is written into one container. */
export interface Fill {
  readonly image?: string
  readonly runAsUser?: number
  readonly runAsGroup?: number
}

export interface Fills {
  /** By `placeOf` a container. */
  readonly byPlace: ReadonlyMap<string, Fill>
  readonly warnings: readonly string[]
  readonly violations: readonly Violation[]
}

export const placeOf = ({ list, name }: Pick<Member, 'list' | 'name'>): string => `${list} ${name}`

interface Choice {
  /** Whom the container will run as, where that is known. */
  readonly uid: number | undefined
  /** Undefined: the spec or the image says it already. */
  readonly fill?: { readonly uid: number; readonly gid: number | undefined }
  readonly warning?: string
}

const imageOf = (container: JsonObject): string => stringAt(container, 'image') ?? 'IMAGE'

const asUser = (uid: number, gid: number | undefined): string =>
  gid === undefined ? `runs as uid ${uid}` : `runs as uid ${uid} and gid ${gid}`

/** What a choice is made from. */
interface Case {
  readonly subject: Subject
  readonly identity: Identity
  readonly member: Member
  readonly known: KnownImage | undefined
}

/** A gid to fill in, unless the spec has one. */
const unlessSaid = (gid: number, { subject: { pod }, member: { container } }: Case) =>
  gidOf(pod, container) === undefined ? gid : undefined

const RUN_AS_USER = `\`${PREFIX}run-as-user\``

const byDefault = (about: Case, why: string): Choice => {
  const { defaultUid: uid, defaultGid } = about.subject.config.server
  const gid = unlessSaid(defaultGid, about)
  const warning = `${why}; ${asUser(uid, gid)}, the cluster's default: name another with ${RUN_AS_USER}`
  return { uid, fill: { uid, gid }, warning }
}

const byImage = (user: ImageUser, about: Case): Choice => {
  const { name, uid } = user
  if (uid === 0) return byDefault(about, 'its image runs as root')
  if (uid === undefined) {
    const why = `its image names the user ${JSON.stringify(name)}, whom the image's own /etc/passwd does not know`
    return byDefault(about, why)
  }
  // A number in the image is enough for the kubelet.
  if (name === undefined) return { uid }
  const gid = user.gid === undefined ? undefined : unlessSaid(user.gid, about)
  const warning = `its image names the user ${JSON.stringify(name)}; ${asUser(uid, gid)}, as the image's own files say`
  return { uid, fill: { uid, gid }, warning }
}

const unknownImage = ({ known, member: { container } }: Case): string => {
  const isKnown = known?.records.some(([, { user }]) => user !== undefined)
  return isKnown
    ? 'its image runs as another user on each platform (the nodeSelector kubernetes.io/arch chooses one)'
    : `whom its image runs as is unknown (\`outrigger images add ${imageOf(container)}\` finds out)`
}

/** What a container gets whose spec and annotations say nothing. */
const unsaid = (about: Case): Choice => {
  const { identity, known } = about
  // The platform gives every pod a uid of the namespace's range.
  if (identity.gid === undefined) return { uid: undefined }
  const user = known && agreed(known, (record) => record.user)
  return user ? byImage(user, about) : byDefault(about, unknownImage(about))
}

const choose = (about: Case): Choice => {
  const { subject, member } = about
  const uid = uidOf(subject.pod, member.container)
  const settings = subject.resolution.settings['run-as-user']
  const wanted = settings?.named.get(member.name) ?? settings?.every
  if (uid !== undefined) {
    const warning = `runs as uid ${uid} by its own securityContext; ${PREFIX}run-as-user: ${wanted} changes nothing`
    return wanted === undefined || wanted === uid ? { uid } : { uid, warning }
  }
  return wanted === undefined
    ? unsaid(about)
    : { uid: wanted, fill: { uid: wanted, gid: undefined } }
}

/** The group that a container is known to run in. */
const groupOf = ({ fill }: Choice, { subject, member, known }: Case): number | undefined => {
  const { pod } = subject
  const { container } = member
  const said = fill?.gid ?? gidOf(pod, container)
  if (said !== undefined || fill || uidOf(pod, container) !== undefined) return said
  return known && agreed(known, (record) => record.user)?.gid
}

/** Who runs as the sidecar, or in its group, reaches what is the sidecar's: there is no wall then. */
const sameAsSidecar = (choice: Choice, about: Case): readonly Violation[] => {
  const { name } = about.member
  const { uid, gid } = about.identity
  const isGroup = gid !== undefined && groupOf(choice, about) === gid
  return [
    ...(choice.uid === uid
      ? [
          `container ${name}: runs as uid ${uid}, which is the sidecar's; use another (${PREFIX}run-as-user)`,
        ]
      : []),
    ...(isGroup
      ? [`container ${name}: runs in group ${gid}, which is the sidecar's; use another runAsGroup`]
      : []),
  ].map((message) => violation('same-uid', message))
}

/** What the floor exempts gets nothing, but is no more the sidecar than others are. */
const exemptAsSidecar = (
  member: Member,
  subject: Subject,
  identity: Identity,
): readonly Violation[] => {
  const { pod, config } = subject
  const known = knownImage(member.container, pod, config.images)
  const byImage = known && agreed(known, (record) => record.user)
  const uid = uidOf(pod, member.container) ?? byImage?.uid
  if (uid === undefined) return []
  return sameAsSidecar({ uid }, { subject, identity, member, known })
}

const fillOf = ({ fill }: Choice, known: KnownImage | undefined): Fill => ({
  ...(known?.pinned === undefined ? {} : { image: known.pinned }),
  ...(fill === undefined ? {} : { runAsUser: fill.uid }),
  ...(fill?.gid === undefined ? {} : { runAsGroup: fill.gid }),
})

const pinWarning = (container: JsonObject): string => {
  const image = imageOf(container)
  return `its image ${image} is pinned to the digest in the image index; if the tag has moved, \`outrigger images add ${image}\` records the new one`
}

/** A name in the annotation that no container of the pod has. */
const strangers = (all: readonly Member[], { resolution }: Subject): readonly string[] => {
  const named = resolution.settings['run-as-user']?.named ?? new Map<string, number>()
  return [...named.keys()]
    .filter((name) => !all.some((member) => member.name === name))
    .map((name) => `pod: ${PREFIX}run-as-user names the container ${name}, and there is none`)
}

/** Of those that the floor exempts by a tag: the digest that it has for that. */
const floorPins = (exempt: readonly Member[], floor: Floor) =>
  exempt.flatMap((member) => {
    const image = pinnedByFloor(member.container, floor)
    if (image === undefined) return []
    const warning = `container ${member.name}: its image ${imageOf(member.container)} is pinned to the digest that floor.exemptContainers has for its tag`
    return [{ place: placeOf(member), image, warning }]
  })

/** What every container gets; a uid or a group that is the sidecar's is a violation. */
export const fillsFor = (subject: Subject, identity: Identity): Fills => {
  const { pod, config } = subject
  const all = members(pod).filter(({ container }) => isJudged(container, config.floor))
  const exempt = members(pod).filter(({ container }) => isExempt(container, config.floor))
  const pins = floorPins(exempt, config.floor)
  const byPlace = new Map<string, Fill>(pins.map(({ place, image }) => [place, { image }]))
  const warnings = pins.map(({ warning }) => warning)
  const violations = [
    ...groupViolations(pod, identity.gid),
    ...exempt.flatMap((member) => exemptAsSidecar(member, subject, identity)),
  ]
  for (const member of all) {
    const { name, container } = member
    const known = knownImage(container, pod, config.images)
    const about = { subject, identity, member, known }
    const choice = choose(about)
    byPlace.set(placeOf(member), fillOf(choice, known))
    if (choice.warning !== undefined) warnings.push(`container ${name}: ${choice.warning}`)
    if (known?.pinned !== undefined) warnings.push(`container ${name}: ${pinWarning(container)}`)
    violations.push(...sameAsSidecar(choice, about))
  }
  return { byPlace, warnings: [...warnings, ...strangers(all, subject)], violations }
}
