// Golden cases of companions: a manifest, injected, as pods run of it, and what is to stand beside each of its workloads.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parse, parseAllDocuments } from 'yaml'
import { templatesIn, type Template } from '../../cli/manifest/templates.ts'
import { lend } from '../../cli/manifest/workload.ts'
import { isObject, objectAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { companionsOf, type Companions } from '../../webhook/companions/companions.ts'
import { memberOf, type Member } from '../../webhook/companions/member.ts'
import { lookUps, type Surroundings } from '../../webhook/companions/reach.ts'
import { parseClusterConfig, type ClusterConfig } from '../../webhook/cluster/config.ts'
import { namespaceOf, serviceOf, type Namespace } from '../../webhook/cluster/namespace.ts'
import { ServiceStore } from '../../webhook/cluster/service-store.ts'
import { render } from '../../webhook/inject/render.ts'

export const ROOT = fileURLToPath(new URL('../golden/companions/', import.meta.url))

export const companionCases = (): readonly string[] =>
  readdirSync(ROOT, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)

/** What the configuration of every case says, where it has none of its own. */
const CONFIG: JsonObject = {
  sidecar: { image: 'outrigger-sidecar:test' },
  settings: { auth: 'none' },
  server: { limits: { cpu: '1', memory: '1Gi' } },
  floor: {
    allowAnonymous: true,
    allowAdvisoryEgress: true,
    allowCarriedPorts: true,
    egress: {
      '*': [
        '*:443',
        '*:80',
        '*.svc:80',
        '*.svc:443',
        'kubernetes.default.svc:443',
        '*.svc:5432',
        '10.0.0.0/8:5432',
        '8.0.0.0/6:8443',
        '*.svc:9999',
        '*.svc.cluster.local:80',
      ],
    },
  },
  companions: {},
}

const configIn = (folder: string): ClusterConfig => {
  const own: unknown = existsSync(`${folder}config.yaml`)
    ? parse(readFileSync(`${folder}config.yaml`, 'utf8'))
    : {}
  const config = parseClusterConfig({ ...CONFIG, ...(isObject(own) ? own : {}) })
  if (!config.ok) throw new Error(`${folder}: ${config.error.join('; ')}`)
  return config.value
}

const objectsIn = (folder: string): readonly JsonObject[] =>
  parseAllDocuments(readFileSync(`${folder}input.yaml`, 'utf8')).map((document) => {
    const value: unknown = document.toJS()
    if (!isObject(value)) throw new Error(`${folder}: not an object`)
    return value
  })

/** A pod of a workload, as its controller submits it and admission injects it. */
const podOf = (template: Template, namespace: Namespace, config: ClusterConfig): JsonObject => {
  const { pod } = lend(template)
  const owner = {
    apiVersion: 'apps/v1',
    kind: template.kind,
    name: template.name,
    uid: 'u-1',
    controller: true,
  }
  const metadata = {
    ...objectAt(pod, 'metadata'),
    name: `${template.name}-0`,
    namespace: namespace.name,
    uid: 'p-1',
    ...(template.kind === 'Pod' ? {} : { ownerReferences: [owner] }),
  }
  const submitted = { apiVersion: 'v1', kind: 'Pod', metadata, spec: objectAt(pod, 'spec') }
  const outcome = render(submitted, namespace, config)
  if (outcome.kind !== 'inject') throw new Error(JSON.stringify(outcome))
  return outcome.pod
}

interface CompanionCase {
  readonly members: readonly Member[]
  readonly namespace: Namespace
  readonly config: ClusterConfig
  readonly around: Surroundings
}

export const readCompanionCase = (name: string): CompanionCase => {
  const folder = `${ROOT}${name}/`
  const config = configIn(folder)
  const objects = objectsIn(folder)
  const space = objects.find((object) => object['kind'] === 'Namespace')
  const namespace = namespaceOf(space ?? { metadata: { name: 'team' } })
  const services = new ServiceStore()
  for (const object of objects.filter((one) => one['kind'] === 'Service')) {
    const place = stringAt(object, 'metadata', 'namespace') ?? namespace.name
    services.put({ namespace: place, service: serviceOf(object) })
  }
  const members = objects
    .flatMap((object) => templatesIn(object))
    .flatMap((template) => memberOf(podOf(template, namespace, config)) ?? [])
  return {
    members,
    namespace,
    config,
    around: {
      namespace: namespace.name,
      ...lookUps(
        (place) => services.of(place),
        () => services.all(),
      ),
      apiServer: () => [{ address: '192.168.1.10', port: 6443 }],
    },
  }
}

/** Its members are pods of one workload. */
export const companionsIn = ({ members, namespace, config, around }: CompanionCase): Companions => {
  const [first] = members
  if (!first || !config.companions) throw new Error('nothing to stand beside')
  return companionsOf({
    server: first.server,
    members,
    owner: first.owner,
    namespace,
    config,
    rules: config.companions,
    around,
  })
}
