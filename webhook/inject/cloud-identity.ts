// What the pod is to its cloud: the tokens that the webhooks of AWS and Azure mount into every container that they
// find, and those that an author mounts by hand, which are the same; and the variables beside them. They are the server's; whoever else runs in its pod would be it. What they have put
// elsewhere is taken out, and they are told by their own annotations to leave it: they come again after us. Pure.

import { SIDECAR_CONTAINER } from '../../shared/names.ts'
import { at, objectsAt, stringAt, withAt, type JsonObject } from '../../shared/json.ts'
import { isPluginVolumeName } from './api-token.ts'
import { cleanPath, isWithin } from './paths.ts'
import { mapContainers, mayHide, members, nameOf, type Member } from './pod.ts'

interface Cloud {
  /** What its webhook calls the volume. */
  readonly volume: RegExp
  readonly audience: RegExp
  readonly variables: ReadonlySet<string>
  /** Of these the one that names the token's file: whatever its audience, it is one for the cloud then. */
  readonly file?: string
  /** The annotation that names containers to leave alone, and what stands between two names; none where nobody mounts it but the author. */
  readonly skip?: readonly [annotation: string, separator: string]
}

const AWS_REGION = ['AWS_REGION', 'AWS_DEFAULT_REGION', 'AWS_STS_REGIONAL_ENDPOINTS']
const AWS_SKIP = ['eks.amazonaws.com/skip-containers', ','] as const
const CLOUDS: readonly Cloud[] = [
  {
    volume: /^aws-iam-token$/,
    audience: /^sts\.amazonaws\.com(?:\.cn)?$/,
    file: 'AWS_WEB_IDENTITY_TOKEN_FILE',
    variables: new Set(['AWS_ROLE_ARN', 'AWS_WEB_IDENTITY_TOKEN_FILE', ...AWS_REGION]),
    skip: AWS_SKIP,
  },
  {
    volume: /^eks-pod-identity-token$/,
    audience: /^pods\.eks\.amazonaws\.com(?:\.cn)?$/,
    file: 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE',
    variables: new Set([
      'AWS_CONTAINER_CREDENTIALS_FULL_URI',
      'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE',
      ...AWS_REGION,
    ]),
    skip: AWS_SKIP,
  },
  {
    volume: /^azure-(?:identity-token|workload-identity-reserved-[0-9a-f]+)$/,
    audience: /^api:\/\/AzureADTokenExchange(?:USGov|China)?$/,
    file: 'AZURE_FEDERATED_TOKEN_FILE',
    variables: new Set([
      'AZURE_CLIENT_ID',
      'AZURE_TENANT_ID',
      'AZURE_FEDERATED_TOKEN_FILE',
      'AZURE_AUTHORITY_HOST',
    ]),
    skip: ['azure.workload.identity/skip-containers', ';'],
  },
  // Google's from another cluster: workload identity federation, and pools of its own.
  {
    volume: /^gcp-ksa$/,
    audience: /^(?:(?:https:)?\/\/iam\.googleapis\.com\/projects\/|[a-z0-9.:-]+\.svc\.id\.goog$)/,
    variables: new Set(['GOOGLE_APPLICATION_CREDENTIALS']),
  },
]

/** Annotations that injection may write. */
export const SKIP_ANNOTATIONS: readonly string[] = [
  ...new Set(CLOUDS.flatMap(({ skip }) => skip?.[0] ?? [])),
]

/** Whether a cloud's webhook calls the volume of its token so. */
export const isIdentityVolume = (name: string): boolean =>
  CLOUDS.some(({ volume }) => volume.test(name))

const isTokenOf = ({ volume: form, audience }: Cloud, volume: JsonObject): boolean =>
  (form.test(nameOf(volume)) && at(volume, 'projected') !== undefined) ||
  objectsAt(volume, 'projected', 'sources').some((source) =>
    audience.test(stringAt(source, 'serviceAccountToken', 'audience') ?? ''),
  )

/** Its value; undefined where it stands elsewhere, or kubelet puts it together of other variables. */
const writtenValue = (entry: JsonObject | undefined): string | undefined => {
  if (!entry || at(entry, 'valueFrom') !== undefined) return undefined
  const value = stringAt(entry, 'value') ?? ''
  return value.includes('$(') ? undefined : value
}

/**
 * The volumes in which a container's variable looks for the token; of several of its name the last one counts, and of
 * `envFrom` none beside it. A path that nobody can read here may be in any.
 */
const namedIn = (container: JsonObject, { file }: Cloud): readonly string[] => {
  if (file === undefined) return []
  const entry = objectsAt(container, 'env').findLast((one) => nameOf(one) === file)
  if (!entry && !mayHide(container, file)) return []
  const value = writtenValue(entry)
  const path = value === undefined ? undefined : cleanPath(value)
  return objectsAt(container, 'volumeMounts')
    .filter(
      (mount) =>
        path === undefined || isWithin(path, cleanPath(stringAt(mount, 'mountPath') ?? '')),
    )
    .map(nameOf)
}

const holdsToken = (volume: JsonObject): boolean =>
  !isPluginVolumeName(nameOf(volume)) &&
  objectsAt(volume, 'projected', 'sources').some(
    (source) => at(source, 'serviceAccountToken') !== undefined,
  )

/** The volumes of a pod that hold a cloud's token, with whatever audience, by their names. */
const tokenVolumes = (pod: JsonObject, cloud: Cloud): ReadonlySet<string> => {
  const volumes = objectsAt(pod, 'spec', 'volumes').filter(
    (volume) => at(volume, 'projected') !== undefined,
  )
  // Most pods have none, and nobody's variables are gone through.
  const named = volumes.some(holdsToken)
    ? new Set(members(pod).flatMap(({ container }) => namedIn(container, cloud)))
    : new Set<string>()
  return new Set(
    volumes
      .filter(
        (volume) => isTokenOf(cloud, volume) || (named.has(nameOf(volume)) && holdsToken(volume)),
      )
      .map(nameOf),
  )
}

/** The clouds that the pod has an identity at. */
const cloudsOf = (pod: JsonObject): readonly Cloud[] =>
  CLOUDS.filter((cloud) => tokenVolumes(pod, cloud).size > 0)

type IsToken = (volume: string) => boolean

/** Which volumes of a pod hold a cloud's token, by their names. */
const tokensOf = (pod: JsonObject, cloud: Cloud): IsToken => {
  const names = tokenVolumes(pod, cloud)
  return (name) => cloud.volume.test(name) || names.has(name)
}

/** The same of every cloud's. */
export const identityVolumes = (pod: JsonObject): IsToken => {
  const each = CLOUDS.map((cloud) => tokensOf(pod, cloud))
  return (name) => each.some((isToken) => isToken(name))
}

const hasToken = (container: JsonObject, isToken: IsToken): boolean =>
  objectsAt(container, 'volumeMounts').some((mount) => isToken(nameOf(mount)))

/** Its variables say nothing without the token, and are left where that is not mounted: an author may have written them. */
const without = (container: JsonObject, cloud: Cloud, isToken: IsToken): JsonObject => {
  if (!hasToken(container, isToken)) return container
  const mounts = objectsAt(container, 'volumeMounts').filter((mount) => !isToken(nameOf(mount)))
  const unmounted = withAt(container, ['volumeMounts'], mounts)
  if (at(container, 'env') === undefined) return unmounted
  const env = objectsAt(container, 'env').filter((entry) => !cloud.variables.has(nameOf(entry)))
  return withAt(unmounted, ['env'], env.length === 0 ? undefined : env)
}

export interface IdentityChoice {
  readonly server: string
  /** Other containers may have it; the sidecar never. */
  readonly isShared: boolean
}

const isOther = ({ list, name }: Member, { server, isShared }: IdentityChoice): boolean =>
  !isShared && (list !== 'containers' || name !== server)

const toSkip = (pod: JsonObject, choice: IdentityChoice): readonly string[] => [
  ...members(pod)
    .filter((member) => member.name !== SIDECAR_CONTAINER && isOther(member, choice))
    .map(({ name }) => name),
  SIDECAR_CONTAINER,
]

const skipping = (pod: JsonObject, { skip }: Cloud, names: readonly string[]): JsonObject => {
  if (!skip) return pod
  const [annotation, separator] = skip
  const path = ['metadata', 'annotations', annotation] as const
  const said = (stringAt(pod, ...path) ?? '')
    .split(separator)
    .map((name) => name.trim())
    .filter((name) => name !== '')
  return withAt(pod, path, [...new Set([...said, ...names])].join(separator))
}

/** The pod with its cloud's identity in the server's container alone. */
export const keepIdentityIn = (pod: JsonObject, choice: IdentityChoice): JsonObject =>
  cloudsOf(pod).reduce((current, cloud) => {
    const isToken = tokensOf(current, cloud)
    const taken = mapContainers(current, (member) =>
      isOther(member, choice) ? without(member.container, cloud, isToken) : member.container,
    )
    return skipping(taken, cloud, toSkip(taken, choice))
  }, pod)

const MAX_NAMED = 3

/** Containers that lose it. */
export const identityTaken = (pod: JsonObject, choice: IdentityChoice): readonly string[] => {
  const tokens = cloudsOf(pod).map((cloud) => tokensOf(pod, cloud))
  const losing = members(pod)
    .filter(({ name }) => name !== SIDECAR_CONTAINER)
    .filter((member) => isOther(member, choice))
    .filter(({ container }) => tokens.some((isToken) => hasToken(container, isToken)))
    .map(({ name }) => name)
  if (losing.length === 0) return []
  const more = losing.length > MAX_NAMED ? ` and ${losing.length - MAX_NAMED} more` : ''
  return [
    `pod: the cloud's identity is the server's alone, and taken from ${losing.slice(0, MAX_NAMED).join(', ')}${more}; where they need it, ask the platform team for floor.allowSharedIdentity`,
  ]
}
