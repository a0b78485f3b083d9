// Which ports of a manifest's Services lead around the sidecars that injection puts in, and can lead
// to them instead: those of which every pod that the Service selects in the manifest is injected and
// served there. Pure.

import { objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { serviceOf, type Namespace, type Service } from '../../webhook/cluster/namespace.ts'
import type { Outcome } from '../../webhook/inject/outcome.ts'
import { nameOf, ownSidecar } from '../../webhook/inject/pod.ts'
import { leadsTo, targetsOf } from '../../webhook/inject/services.ts'
import { portToLead } from '../../webhook/inject/stand-ins.ts'
import { readStatus } from '../../webhook/inject/status.ts'
import { placesOf, type Manifest, type Place, type PlaceOptions } from './read-manifest.ts'
import { objectsOf } from './templates.ts'

/** What a Service may target to reach a pod's server around its sidecar; undefined: the pod is not served so. */
type Targets = ReadonlySet<number | string> | undefined

/** Of one pod as it is after injection. */
const targetsAround = (outcome: Outcome): Targets => {
  if (outcome.kind !== 'inject') return undefined
  const { pod } = outcome
  const port = portToLead(ownSidecar(pod))
  const name = readStatus(pod)?.container
  const server = objectsAt(pod, 'spec', 'containers').find((item) => nameOf(item) === name)
  return server && port !== undefined ? targetsOf(server, port) : undefined
}

interface Judged {
  readonly pod: JsonObject
  readonly targets: Targets
}

/** A pod that is to end serves nobody: charts have some that only try their own Service, under its labels. */
const isServing = ({ pod, targets }: Judged): boolean =>
  targets !== undefined || (stringAt(pod, 'spec', 'restartPolicy') ?? 'Always') === 'Always'

/** The ports that lead around the sidecar of every pod that the Service leads to. */
const portsToLead = (service: Service, judged: readonly Judged[]): ReadonlySet<number> => {
  const led = judged.filter((each) => leadsTo(service, each.pod) && isServing(each))
  // What a headless Service's ports say, nobody goes by.
  if (led.length === 0 || service.isHeadless) return new Set()
  const ports = service.ports.filter(({ target }) =>
    led.every(({ targets }) => targets?.has(target)),
  )
  return new Set(ports.map(({ port }) => port))
}

/** Where a Service's port led before, as a person reads it. */
const targetText = ({ ports }: Service, number: number): string =>
  String(ports.find(({ port }) => port === number)?.target ?? number)

/** A Service, and those of its ports that are to lead to the sidecar. */
interface Redirect {
  readonly object: JsonObject
  readonly namespace: string
  readonly service: Service
  readonly ports: ReadonlySet<number>
}

const ledService = ({ service, ports }: Redirect): Service => ({
  ...service,
  ports: service.ports.map((each) => ({ ...each, isRedirected: ports.has(each.port) })),
})

export interface Redirection {
  /** The ports of a Service that are to lead to the sidecar instead, and where each led. */
  readonly portsOf: (object: JsonObject) => ReadonlyMap<number, string>
  /** A namespace whose Services are known to be led so. */
  readonly after: (namespace: Namespace) => Namespace
}

const redirection = (redirects: readonly Redirect[]): Redirection => {
  const byObject = new Map(redirects.map((each) => [each.object, each]))
  const byNamespace = Map.groupBy(redirects, ({ namespace }) => namespace)
  const services = new Map([...byNamespace].map(([name, own]) => [name, own.map(ledService)]))
  return {
    portsOf: (object) => {
      const found = byObject.get(object)
      const ports = [...(found?.ports ?? [])]
      return new Map(ports.map((port) => [port, found ? targetText(found.service, port) : '']))
    },
    after: (namespace) => {
      const led = services.get(namespace.name)
      return led ? { ...namespace, services: led } : namespace
    },
  }
}

/** Judges each pod of a manifest that has Services, and finds what these are to become. */
export const redirectionIn = (
  manifest: Manifest,
  options: PlaceOptions,
  decide: (place: Place) => Outcome,
): Redirection => {
  const objects = manifest.documents.flatMap(({ value }) => objectsOf('Service', value))
  if (objects.length === 0) return redirection([])
  const judged = Map.groupBy(
    manifest.documents
      .flatMap((document) => placesOf(document, manifest, options))
      .map((place) => ({ place, pod: place.template.pod, targets: targetsAround(decide(place)) })),
    ({ place }) => place.namespace.name,
  )
  const redirects = objects.map((object) => {
    const namespace = stringAt(object, 'metadata', 'namespace') ?? options.namespace
    const service = serviceOf(object)
    const ports = portsToLead(service, judged.get(namespace) ?? [])
    return { object, namespace, service, ports }
  })
  return redirection(redirects)
}
