// What a workload's owner is told of what stands beside it and is not ours. Pure.

import { oneLine } from '../../shared/one-line.ts'
import type { Opened } from '../companions/other-policy.ts'
import type { Told } from './events.ts'

/** Of an object in a companion's place. */
export const takenWords = (place: string): Told => ({
  reason: 'CompanionTaken',
  message: `${place} is not Outrigger's, and is left alone: rename it, or delete it, so that its companion can stand there`,
})

/** Of a policy beside its own. */
export const openedWords = ({ name, sides }: Opened): Told => ({
  reason: 'PolicyOpens',
  message: `NetworkPolicy ${name}, which is not Outrigger's, selects its pods, too, and opens ${sides.join(' and ')} that its own policy closes: narrow it, or have it select other pods`,
})

const WHY_HELD = {
  taken:
    'an object that is not Outrigger’s has the name of their NetworkPolicy: rename it, or delete it',
  unwritten:
    'the API server refuses their NetworkPolicy: the log of Outrigger’s controller has its words',
  opened:
    'a NetworkPolicy that is not Outrigger’s selects them, and opens what their own closes (rule network-policies): narrow it, or have it select other pods',
  refused:
    'the API server refuses to have their gate taken off: the log of Outrigger’s controller has its words',
} as const

export type WhyHeld = keyof typeof WHY_HELD

/** Of pods that wait for their policy longer than it takes. */
export const heldWords = (why: WhyHeld): Told => ({
  reason: 'PodsHeld',
  message: `pods of it wait and are not scheduled, since ${WHY_HELD[why]}`,
})

/** Of the Secret by which its pods would know each other. */
export const apartWords = (secret: string, status: number): Told => ({
  reason: 'ReplicasApart',
  message: `the API server refuses to have Secret ${secret} made (${status}): unless it stands there already, its pods do not hand each other calls, and a session is served by the pod alone that began it; see that Outrigger's controller may create Secrets here (outrigger doctor), and what else is asked before one is (a quota, a webhook)`,
})

const MAX_IMAGE = 300
const MAX_WHY = 450

/** Of an image that its pods name without a command, and that could not be looked up. */
export const unreadWords = (image: string, why: string): Told => ({
  reason: 'ImageUnread',
  message: `its image ${oneLine(image.slice(0, MAX_IMAGE))} could not be looked up, so that nobody knows its command: ${oneLine(why).slice(0, MAX_WHY)}. Write \`command\`, or have \`outrigger images add --apply\` read it`,
})
