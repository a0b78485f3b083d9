// One workload put right: what is to stand beside it by what is known now, written where it differs, and what stands there
// besides taken away. Of a workload whose pods are not all known nothing is taken away, and nothing that stands is changed.

import { objectAt, stringAt, type JsonObject } from '../../shared/json.ts'
import type { Log } from '../../shared/log.ts'
import type { CompanionRules } from '../cluster/companion-rules.ts'
import type { ClusterConfig } from '../cluster/config.ts'
import { isSystem, optsIn, type Namespace } from '../cluster/namespace.ts'
import { companionsOf, defaultPolicy } from '../companions/companions.ts'
import type { Member, Owner, Place } from '../companions/member.ts'
import { companionName, isCompanionOf } from '../cluster/companion-name.ts'
import { openedFor, type Opened } from '../companions/other-policy.ts'
import { lookUps, type ApiServerPlace } from '../companions/reach.ts'
import { refusalOf, type Refusal } from '../kube/reply.ts'
import type { Requests } from '../kube/requests.ts'
import { accountedIn, type Accounts } from './accounts.ts'
import { closedPods, isHeldOpen } from './closed-pods.ts'
import { isOwnedBy } from './drift.ts'
import type { Events, Told } from './events.ts'
import { letAllGo } from './gates.ts'
import type { Known } from './known.ts'
import { liveMembers } from './live-members.ts'
import { placeOf } from './members.ts'
import { note } from './noted.ts'
import type { Owners } from './owners.ts'
import { replicatedIn, type Replicated } from './replica-keys.ts'
import type { Standing } from './standing.ts'
import { heldWords, openedWords, takenWords, type WhyHeld } from './told-words.ts'
import { isPolicy, partsOf, placeIn } from './places.ts'
import { putRight, takeAway, type Written } from './writes.ts'

export interface ReconcileOptions {
  readonly known: Known
  readonly config: () => ClusterConfig
  readonly requests: Requests
  readonly owners: Owners
  readonly events: Events
  readonly accounts: Accounts
  readonly log: Log
  /** Milliseconds of a steady clock. */
  readonly now: () => number
  /** For so long the companions of a workload stay that has no pods: it may be scaled down, or run now and then. */
  readonly leftoverMs: number
  readonly counted: (what: Written | 'removed') => void
  /** Which objects of a companion's name are somebody else's, by the key of the workload that they are in the way of. */
  readonly foreign: Map<string, readonly string[]>
  /** The same of policies that open what a workload's own closes. */
  readonly opened: Map<string, readonly string[]>
}

/** Of a workload: what is to stand, and who is told what. */
interface Wanted {
  readonly objects: readonly JsonObject[]
  /** Nothing is made anew: what was removed goes with its workload. */
  readonly isEnding?: boolean
  /** Nothing is taken away. */
  readonly isKept?: boolean
  readonly owner?: Owner
  readonly remarks: readonly Told[]
  readonly opened?: readonly Opened[]
  readonly hasReplicas?: boolean
  /** A pod that stays runs by an account that its server has for itself. */
  readonly hasOwnAccount?: boolean
}

/** Pods that wait, and those of them that their policy closes. */
interface Held {
  readonly waiting: readonly Place[]
  readonly ready: readonly Place[]
  readonly signal: AbortSignal
}

/** What came of it: which places are somebody else's, why pods wait on, and what was refused first. */
interface Put {
  readonly taken: readonly string[]
  readonly whyHeld: WhyHeld | undefined
  readonly failure: Refusal | undefined
}

const NOTHING: Wanted = { objects: [], remarks: [] }
const KEPT: Wanted = { ...NOTHING, isKept: true }
/** Replicas of an old template may be going; of so many pods one is asked after. */
const MAX_ASKED = 3
/** Policies of others, of one workload. */
const MAX_OPENED = 5
/** A policy and two Services. */
const OF_WORKLOAD = 3

export class Reconciler {
  private readonly options: ReconcileOptions
  /** Since when a workload has no pods. */
  private readonly emptySince = new Map<string, number>()

  constructor(options: ReconcileOptions) {
    this.options = options
  }

  /** Whoever begins to lead has seen nothing before. */
  begin(): void {
    this.emptySince.clear()
    this.options.foreign.clear()
    this.options.opened.clear()
    this.options.owners.begin()
    this.options.accounts.begin()
  }

  /** Puts a workload right; says whose pods are to know each other by a Secret, where that may be made. */
  async reconcile(key: string, signal: AbortSignal): Promise<Replicated | undefined> {
    const { known, foreign, opened, log } = this.options
    const [name, server] = placeOf(key)
    const namespace = known.namespace(name)
    // Those that a policy is for: who comes meanwhile has another turn.
    const waiting = known.waiting(key)
    // With the namespace everything in it goes.
    const wanted = namespace && (await this.wanted(namespace, server, signal))
    if (!wanted) {
      foreign.delete(key)
      opened.delete(key)
      return undefined
    }
    const ready = this.readyOf(key, wanted, waiting)
    const { taken, whyHeld, failure } = await this.putAll(key, wanted, { waiting, ready, signal })
    note(
      foreign,
      { key, places: taken, what: 'an object of a companion’s name is somebody else’s' },
      log,
    )
    const { owner, remarks, opened: policies = [] } = wanted
    const places = policies.map((policy) => `NetworkPolicy ${name}/${policy.name}`)
    note(opened, { key, places, what: 'a policy of somebody else’s opens what ours closes' }, log)
    const more = [
      ...policies.map(openedWords),
      ...taken.map(takenWords),
      ...(whyHeld && waiting.length > 0 ? [heldWords(whyHeld)] : []),
    ]
    if (owner) await this.options.events.tell(name, owner, [...remarks, ...more], signal)
    await this.takeLeftovers(key, wanted, signal)
    if (failure) throw failure
    return replicatedIn(wanted, name, server)
  }

  /** Of the pods that wait those that may go once their policy stands. */
  private readyOf(key: string, wanted: Wanted, waiting: readonly Place[]): readonly Place[] {
    const { known, config } = this.options
    const [name] = placeOf(key)
    const namespace = known.namespace(name)
    const ours = this.policyAfter(key, wanted)
    if (!namespace || !ours || waiting.length === 0 || !isHeldOpen(namespace, config())) {
      return waiting
    }
    const [others, members] = [known.otherPolicies(name), known.members(key)]
    return closedPods(waiting, { namespace: name, ours, others, members })
  }

  /** What the policy of a workload says once what is wanted is put; undefined: it is to have none. */
  private policyAfter(key: string, wanted: Wanted): JsonObject | undefined {
    const policy = wanted.objects.find(isPolicy)
    if (policy && !this.isLeft(key, wanted, policy)) return objectAt(policy, 'spec')
    if (!policy && wanted.isKept !== true) return undefined
    const [name, server] = placeOf(key)
    return this.options.known.standing('NetworkPolicy', name, companionName(server))?.spec ?? {}
  }

  /** Pods that wait are let go once their policy stands, whatever becomes of the rest; at once where there is to be none. */
  private async putAll(
    key: string,
    wanted: Wanted,
    { waiting, ready, signal }: Held,
  ): Promise<Put> {
    const taken: string[] = []
    const { known, config, accounts } = this.options
    const isAsked = config().companions?.gate === true
    let whyHeld: WhyHeld | undefined =
      isAsked && wanted.objects.some(isPolicy) ? 'unwritten' : undefined
    let failure: Refusal | undefined
    const letGo = async (): Promise<void> => {
      failure = await letAllGo(this.options.requests, ready, signal)
      const areOpen = ready.length < waiting.length ? 'opened' : undefined
      whyHeld = failure ? 'refused' : areOpen
    }
    const policyPut = async (place: string | undefined): Promise<void> => {
      if (whyHeld !== 'unwritten') return
      if (place === undefined) await letGo()
      else whyHeld = 'taken'
    }
    const putEach = async (): Promise<void> => {
      for (const object of wanted.objects) {
        const place = this.isLeft(key, wanted, object) ? undefined : await this.put(object, signal)
        if (place !== undefined) taken.push(place)
        if (isPolicy(object)) await policyPut(place)
      }
      const [name, server] = placeOf(key)
      const whose = accountedIn(wanted, {
        namespace: known.namespace(name),
        server,
        config: config(),
      })
      const account = whose && (await accounts.keep(whose, signal))
      if (account !== undefined) taken.push(account)
    }
    if (!whyHeld) await letGo()
    const refused = await refusalOf(putEach())
    return { taken, whyHeld, failure: failure ?? refused }
  }

  /** Undefined: it is left as it stands. */
  private async wanted(
    namespace: Namespace,
    server: string,
    signal: AbortSignal,
  ): Promise<Wanted | undefined> {
    const { known, config } = this.options
    const whole = config()
    const { companions: rules } = whole
    if (!rules || isSystem(namespace, whole)) return NOTHING
    if (server === '') {
      const isAsked = optsIn(namespace) || known.hasMembers(namespace.name)
      return isAsked ? { objects: [defaultPolicy(namespace.name, rules)], remarks: [] } : NOTHING
    }
    const key = `${namespace.name}/${server}`
    const members = await this.membersOf(key, signal)
    if (members.length === 0) return this.ofNone(key)
    this.emptySince.delete(key)
    const living = members.filter(({ isEnding }) => !isEnding)
    const isEnding = living.length === 0
    const owner = await this.ownerOf(key, isEnding ? members : living, signal)
    if (!owner) return undefined
    const parts = { namespace, server, members, owner, config: whole, rules }
    // One that waits for its policy is not told to end, whether it had room or not.
    return { ...this.workload(parts), isEnding: isEnding && known.waiting(key).length === 0 }
  }

  /** Of a workload all of whose pods may have had no room some that there are, until it has its policy. */
  private async membersOf(key: string, signal: AbortSignal): Promise<readonly Member[]> {
    const { known, requests } = this.options
    const members = known.members(key)
    if (members.length > 0 || !known.isPartial(key) || this.hasPolicy(key)) return members
    return liveMembers(requests, placeOf(key), signal)
  }

  /** Who waits for a policy that stands needs no other. */
  private ofNone(key: string): Wanted | undefined {
    const isLeftOver = this.isLeftOver(key)
    if (this.options.known.isPartial(key)) return this.hasPolicy(key) ? KEPT : undefined
    return isLeftOver ? NOTHING : undefined
  }

  private hasPolicy(key: string): boolean {
    const [namespace, server] = placeOf(key)
    const name = companionName(server)
    return this.options.known.standing('NetworkPolicy', namespace, name)?.server === server
  }

  private workload(parts: {
    readonly namespace: Namespace
    readonly server: string
    readonly members: readonly Member[]
    readonly owner: Owner
    readonly config: ClusterConfig
    readonly rules: CompanionRules
  }): Wanted {
    const { servicesOf, everyService, otherPolicies } = this.options.known
    const { namespace, owner, members } = parts
    const around = {
      namespace: namespace.name,
      ...lookUps(servicesOf, everyService),
      apiServer: () => this.apiServer(),
    }
    const companions = companionsOf({ ...parts, around })
    const ours = companions.objects.find(isPolicy)
    const opened = openedFor(
      members.map(({ labels }) => labels),
      otherPolicies(namespace.name),
      { ours: objectAt(ours, 'spec'), namespace: namespace.name },
    )
    const hasOwnAccount = members.some((one) => one.hasOwnAccount && !one.isEnding)
    return { ...companions, owner, opened: opened.slice(0, MAX_OPENED), hasOwnAccount }
  }

  /** Who needs them is left as it stands while they are not known: a policy without them would cut what works. */
  private apiServer(): readonly ApiServerPlace[] {
    const places = this.options.known.apiServer()
    if (places.length === 0) throw new Error('the API server’s own addresses are not known yet')
    return places
  }

  private async ownerOf(
    key: string,
    members: readonly Member[],
    signal: AbortSignal,
  ): Promise<Owner | undefined> {
    const { owners, known } = this.options
    const standing = known.standingOf(key)
    // Where one is gone, or has lost its owner, that owner may be gone.
    const isNamed = ({ uid }: Owner): boolean =>
      standing.length >= OF_WORKLOAD && standing.every((one) => isOwnedBy(one, uid))
    for (const member of members.slice(-MAX_ASKED)) {
      const owner = await owners.rootOf(member, isNamed, signal)
      if (owner) return owner
    }
    return undefined
  }

  private isLeftOver(key: string): boolean {
    const { known, now, leftoverMs } = this.options
    // Of those that stand, so that this is bounded as they are.
    if (known.standingOf(key).length === 0) {
      this.emptySince.delete(key)
      return false
    }
    const since = this.emptySince.get(key) ?? now()
    this.emptySince.set(key, since)
    return now() - since >= leftoverMs
  }

  /** What stands where an object is to. */
  private standingAs(object: JsonObject): Standing | undefined {
    return this.options.known.standing(...partsOf(object))
  }

  /** What is written from a part of its pods would cut the others. */
  private isLeft(key: string, { isEnding = false }: Wanted, object: JsonObject): boolean {
    if (this.standingAs(object) === undefined) return isEnding
    const [, server] = placeOf(key)
    return server !== '' && this.options.known.isPartial(key)
  }

  /** Where it is somebody else's that stands there, what that is. */
  private async put(object: JsonObject, signal: AbortSignal): Promise<string | undefined> {
    const { requests, counted, log } = this.options
    const written = await putRight(requests, object, this.standingAs(object), signal)
    counted(written)
    const place = placeIn(object)
    if (written === 'written') log.info('companion written', { companion: place })
    return written === 'foreign' ? place : undefined
  }

  private async takeLeftovers(
    key: string,
    { objects, isKept = false }: Wanted,
    signal: AbortSignal,
  ): Promise<void> {
    const { known, requests, counted, log } = this.options
    if (isKept || known.isPartial(key)) return
    const stay = new Set(
      objects.map(
        (object) => `${stringAt(object, 'kind')} ${stringAt(object, 'metadata', 'name')}`,
      ),
    )
    for (const standing of known.standingOf(key)) {
      const { kind, namespace, name, server } = standing
      // Somebody's copy under another name is none.
      if (stay.has(`${kind} ${name}`) || !isCompanionOf(server, name)) continue
      await takeAway(requests, standing, signal)
      counted('removed')
      log.info('companion removed', { companion: `${kind} ${namespace}/${name}` })
    }
  }
}
