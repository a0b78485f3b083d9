// Who makes room for a newcomer where every place is taken, be it a server process or a session. Most clients never
// say that they are going: whoever has nothing in flight and no stream open is taken for gone, the longest so first.
// Pure: it looks at all places once, and only when one is missing.

/** How a place is held that nobody works at: since when, and whether its client has a stream open. */
export interface Idle {
  readonly sinceMs: number
  readonly isListening: boolean
}

export interface Holder {
  /** The key of the principal who holds the place. */
  readonly principal: string
  /** Undefined while it is worked at: a call is in flight, or its server is being started. */
  readonly idle: Idle | undefined
}

export interface Newcomer {
  readonly principal: string
}

export interface RoomRules {
  /** How many there are. */
  readonly places: number
  /** A place whose client listens is given up only after this long without a call. */
  readonly idleTimeoutMs: number
}

/** Between two calls of one client there is a moment without any. */
const SETTLED_MS = 1000

/** What one principal holds. */
interface Held<H> {
  count: number
  /** The one that is given up first, where one can be. */
  longest: { readonly holder: H; readonly sinceMs: number } | undefined
}

/**
 * The holder whose place the newcomer gets: the longest gone of the newcomer's own, else, where that principal holds
 * less than a fair share, of the principal's who holds most. Undefined where nobody's can be taken now.
 */
export const whoMakesRoom = <H extends Holder>(
  holders: Iterable<H>,
  { principal }: Newcomer,
  rules: RoomRules,
  nowMs: number,
): H | undefined => {
  const byPrincipal = new Map<string, Held<H>>([[principal, { count: 0, longest: undefined }]])
  for (const holder of holders) note(byPrincipal, holder, rules, nowMs)
  const own = byPrincipal.get(principal)
  if (own?.longest) return own.longest.holder
  const fairShare = rules.places / byPrincipal.size
  if (own === undefined || own.count >= fairShare) return undefined
  const others = [...byPrincipal.values()].filter(
    ({ count, longest }) => longest !== undefined && count >= fairShare,
  )
  const [most] = others.toSorted(
    (one, other) => other.count - one.count || since(one) - since(other),
  )
  return most?.longest?.holder
}

const since = ({ longest }: Held<unknown>): number => longest?.sinceMs ?? Infinity

const note = <H extends Holder>(
  byPrincipal: Map<string, Held<H>>,
  holder: H,
  { idleTimeoutMs }: RoomRules,
  nowMs: number,
): void => {
  const held = byPrincipal.get(holder.principal) ?? { count: 0, longest: undefined }
  byPrincipal.set(holder.principal, held)
  held.count++
  const { idle } = holder
  const patienceMs = idle?.isListening === true ? idleTimeoutMs : SETTLED_MS
  if (idle === undefined || nowMs - idle.sinceMs < patienceMs) return
  if (held.longest && held.longest.sinceMs <= idle.sinceMs) return
  held.longest = { holder, sinceMs: idle.sinceMs }
}

/**
 * Those who wait for a place in the order in which they get one: of the principal who holds least by then, the one who
 * came first.
 */
export const inTurn = <N extends Newcomer>(
  waiting: readonly N[],
  holders: Iterable<Newcomer>,
): readonly N[] => {
  const counts = new Map<string, number>()
  for (const { principal } of holders) counts.set(principal, (counts.get(principal) ?? 0) + 1)
  // Each principal's next one holds one more: by what they hold then, and by who came first where that is equal.
  const turns = [...Map.groupBy(waiting, ({ principal }) => principal)].flatMap(
    ([principal, queue]) =>
      queue.map((newcomer, index) => ({ newcomer, held: (counts.get(principal) ?? 0) + index })),
  )
  return turns.toSorted((one, other) => one.held - other.held).map(({ newcomer }) => newcomer)
}

/** Who has to go where too many wait: the last of the principal who has most of them. */
export const lastOfMost = <N extends Newcomer>(waiting: readonly N[]): N | undefined => {
  let most: readonly N[] = []
  for (const queue of Map.groupBy(waiting, ({ principal }) => principal).values()) {
    if (queue.length > most.length) most = queue
  }
  return most.at(-1)
}
