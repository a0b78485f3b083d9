// One review from body to answer, whoever decides: read it, find the namespace, decide, respond. Fails
// closed: what cannot be read or looked up is refused, never let through unjudged.

import type { JsonObject } from '../../shared/json.ts'
import { messageOf } from '../../shared/message.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import type { Namespace, Namespaces } from '../cluster/namespace.ts'
import type { Ruling } from '../rules/ruling.ts'
import type { RuleId } from '../settings/rule.ts'
import { allow, denialMessage, reasonOf, refuse, respond, type Decided } from './response.ts'
import { parseReview, type Origin, type Refused, type Review } from './review.ts'

/** What came of broken rules: the review was denied for them, warned, or they are on record. */
export const EFFECTS = ['denied', 'warned', 'recorded'] as const
export type Breaches = Readonly<Record<(typeof EFFECTS)[number], readonly RuleId[]>>
const NO_BREACHES: Breaches = { denied: [], warned: [], recorded: [] }

export interface Answer {
  readonly document: JsonObject
  readonly decision: Decided['kind'] | 'refuse' | 'ignore'
  readonly reason: string
  /** What was wrong, in words; undefined where nothing was. */
  readonly cause: string | undefined
  /** Which rules are broken without a denial, and where; undefined where none is. */
  readonly recorded: string | undefined
  /** The rules that are broken, each once, by what came of it. */
  readonly breaches: Breaches
  readonly origin: Origin
}

export interface Answered {
  /** The error is a body that has no uid to answer to. */
  readonly answer: Result<Answer, Refused>
  /** For how long nobody else could be served: reading and judging, without the wait for a namespace. */
  readonly busyMs: number
}

export interface Decider<Subject, Ready> {
  /** What a review is about, where it is ours to answer. */
  readonly subjectOf: (review: Review) => Subject | undefined
  /** Whether it is about pods that are made. */
  readonly makesPods: (subject: Subject) => boolean
  /** Adds what a decision needs besides the namespace; whoever waits for it holds up nobody else. */
  readonly prepare: (subject: Subject, namespace: Namespace | undefined) => Promise<Ready>
  /** Undefined: nothing can be decided without the namespace, which could not be read. */
  readonly decide: (
    ready: Ready,
    review: Review,
    namespace: Namespace | undefined,
  ) => Ruling<Decided> | undefined
}

export interface Surroundings {
  readonly namespaces: Namespaces
  /** Milliseconds of a steady clock. */
  readonly now: () => number
}

const REFUSED_CODES = { malformed: 400, 'too-large': 413 } as const

const refusal = (
  origin: Origin & { readonly uid: string },
  code: number,
  { reason, message, cause }: { reason: string; message: string; cause: string },
): Answer => ({
  document: refuse(origin.uid, code, message),
  decision: 'refuse',
  reason,
  cause,
  recorded: undefined,
  breaches: NO_BREACHES,
  origin,
})

const answerRefused = (refused: Refused): Result<Answer, Refused> => {
  const { origin, reason, message } = refused
  const { uid } = origin
  if (uid === undefined) return fail(refused)
  return ok(refusal({ ...origin, uid }, REFUSED_CODES[reason], { reason, message, cause: message }))
}

const ignore = ({ uid, origin }: Review): Answer => ({
  document: allow(uid),
  decision: 'ignore',
  reason: 'not-ours',
  cause: undefined,
  recorded: undefined,
  breaches: NO_BREACHES,
  origin,
})

const rulesOf = (of: readonly { readonly rule?: RuleId | undefined }[]): readonly RuleId[] => [
  ...new Set(of.flatMap(({ rule }) => rule ?? [])),
]

const answerWith = ({ uid, origin }: Review, ruling: Ruling<Decided>): Answer => {
  const { decided, recorded, warned = [] } = ruling
  const record = recorded.map(({ rule, where }) => `${rule} (${where})`)
  return {
    document: respond(uid, decided, record),
    decision: decided.kind,
    reason: reasonOf(decided),
    cause: decided.kind === 'deny' ? denialMessage(decided) : undefined,
    recorded: record.length === 0 ? undefined : record.slice(0, MAX_LOGGED).join(', '),
    breaches: {
      denied: rulesOf(decided.kind === 'deny' ? decided.violations : []),
      warned: rulesOf(warned),
      recorded: rulesOf(recorded),
    },
    origin,
  }
}

// As many as a line of the log should hold.
const MAX_LOGGED = 20

interface Unknown {
  /** For whoever has written the object. */
  readonly message: string
  /** For whoever runs the webhook. */
  readonly cause: string
}

const lookUp = async (
  name: string,
  namespaces: Namespaces,
  makesPods: boolean,
): Promise<Result<Namespace, Unknown>> => {
  const quoted = JSON.stringify(name)
  try {
    const namespace = await namespaces.get(name, makesPods)
    if (namespace) return ok(namespace)
    const message = `Outrigger finds no namespace ${quoted}; try again`
    return fail({ message, cause: 'the API server knows no such namespace' })
  } catch (error) {
    const message = `Outrigger could not read the namespace ${quoted}; try again`
    return fail({ message, cause: messageOf(error) })
  }
}

/** Answers a review by a decider. */
export const answerReview = async <Subject, Ready>(
  body: Uint8Array,
  { namespaces, now }: Surroundings,
  { subjectOf, makesPods, prepare, decide }: Decider<Subject, Ready>,
): Promise<Answered> => {
  const start = now()
  const parsed = parseReview(body)
  const read = now()
  if (!parsed.ok) return { answer: answerRefused(parsed.error), busyMs: read - start }
  const review = parsed.value
  const about = subjectOf(review)
  if (!about) return { answer: ok(ignore(review)), busyMs: read - start }
  const namespace = await lookUp(review.namespace, namespaces, makesPods(about))
  const known = namespace.ok ? namespace.value : undefined
  const ready = await prepare(about, known)
  const found = now()
  const ruling = decide(ready, review, known)
  const unknown = namespace.ok ? { message: '', cause: '' } : namespace.error
  const answer = ruling
    ? answerWith(review, ruling)
    : refusal({ ...review.origin, uid: review.uid }, 503, {
        reason: 'namespace-unknown',
        ...unknown,
      })
  return { answer: ok(answer), busyMs: read - start + (now() - found) }
}
