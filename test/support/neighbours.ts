// What other admission webhooks make of a pod: those of clouds, meshes, Vault and OpenTelemetry, in the shapes
// that they write, cut down to what matters here. And the API server, which calls each of them, and once more those who
// ask for it where somebody has changed the pod since.

import {
  at,
  isSame,
  objectAt,
  objectsAt,
  stringAt,
  withAt,
  type Json,
  type JsonObject,
} from '../../shared/json.ts'

export type Mutate = (pod: JsonObject) => JsonObject

export interface Neighbour {
  readonly name: string
  readonly mutate: Mutate
  /** `reinvocationPolicy: IfNeeded`. */
  readonly comesAgain: boolean
  /** Names of the token's volume and of the variables beside it, where it is a cloud's. */
  readonly identity?: { readonly volume: string; readonly variables: readonly string[] }
}

const named = (list: readonly JsonObject[], name: string): boolean =>
  list.some((item) => item['name'] === name)

/** Items of a list that are not there by their names, at its end or at its beginning. */
const adding = (
  object: JsonObject,
  path: readonly [string, ...string[]],
  items: readonly JsonObject[],
  isFirst = false,
): JsonObject => {
  const before = objectsAt(object, ...path)
  const fresh = items.filter((item) => !named(before, stringAt(item, 'name') ?? ''))
  return withAt(object, path, isFirst ? [...fresh, ...before] : [...before, ...fresh])
}

const annotating = (pod: JsonObject, annotations: JsonObject): JsonObject =>
  withAt(pod, ['metadata', 'annotations'], {
    ...objectAt(pod, 'metadata', 'annotations'),
    ...annotations,
  })

const labelling = (pod: JsonObject, labels: JsonObject): JsonObject =>
  withAt(pod, ['metadata', 'labels'], { ...objectAt(pod, 'metadata', 'labels'), ...labels })

const inEach = (
  pod: JsonObject,
  lists: readonly ('initContainers' | 'containers')[],
  change: Mutate,
): JsonObject =>
  lists.reduce((current, list) => {
    const containers = objectsAt(current, 'spec', list)
    return containers.length === 0
      ? current
      : withAt(current, ['spec', list], containers.map(change))
  }, pod)

const variable = (name: string, value: string): JsonObject => ({ name, value })
const fromPod = (name: string, fieldPath: string): JsonObject => ({
  name,
  valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath } },
})
const token = (name: string, audience: string, path: string, expirationSeconds: number) => ({
  name,
  projected: {
    sources: [{ serviceAccountToken: { audience, expirationSeconds, path } }],
    defaultMode: 420,
  },
})

interface CloudParts {
  readonly volume: JsonObject
  readonly mountPath: string
  readonly env: readonly JsonObject[]
  readonly skip: readonly [annotation: string, separator: string]
  readonly isFirst: boolean
}

/** A token and variables for every container but those that the pod's annotation names. */
const cloud =
  ({ volume, mountPath, env, skip: [annotation, separator], isFirst }: CloudParts): Mutate =>
  (pod) => {
    const said = stringAt(pod, 'metadata', 'annotations', annotation) ?? ''
    const skipped = new Set(said.split(separator).map((name) => name.trim()))
    const mounted = inEach(pod, ['initContainers', 'containers'], (container) => {
      if (skipped.has(stringAt(container, 'name') ?? '')) return container
      const mount = { name: volume['name'] ?? '', readOnly: true, mountPath }
      return adding(adding(container, ['env'], env), ['volumeMounts'], [mount])
    })
    return adding(mounted, ['spec', 'volumes'], [volume], isFirst)
  }

const AWS_SKIP = ['eks.amazonaws.com/skip-containers', ','] as const
const EKS = '/var/run/secrets/eks.amazonaws.com/serviceaccount'
const EKS_POD = '/var/run/secrets/pods.eks.amazonaws.com/serviceaccount'
const AZURE = '/var/run/secrets/azure/tokens'

const RESTRICTED: JsonObject = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
  capabilities: { drop: ['ALL'] },
}

const ISTIO_IMAGE = 'docker.io/istio/proxyv2:1.27.0'
const ISTIO_RESOURCES: JsonObject = {
  limits: { cpu: '2', memory: '1Gi' },
  requests: { cpu: '100m', memory: '128Mi' },
}
const istioInit: JsonObject = {
  name: 'istio-init',
  image: ISTIO_IMAGE,
  args: ['istio-iptables', '-p', '15001', '-z', '15006', '-u', '1337', '-m', 'REDIRECT'],
  resources: ISTIO_RESOURCES,
  securityContext: {
    allowPrivilegeEscalation: false,
    capabilities: { add: ['NET_ADMIN', 'NET_RAW'], drop: ['ALL'] },
    privileged: false,
    readOnlyRootFilesystem: false,
    runAsGroup: 0,
    runAsNonRoot: false,
    runAsUser: 0,
  },
}
const istioProxy: JsonObject = {
  name: 'istio-proxy',
  image: ISTIO_IMAGE,
  restartPolicy: 'Always',
  args: ['proxy', 'sidecar', '--domain', '$(POD_NAMESPACE).svc.cluster.local'],
  env: [fromPod('POD_NAMESPACE', 'metadata.namespace'), variable('PROXY_CONFIG', '{}\n')],
  lifecycle: {
    preStop: {
      exec: { command: ['pilot-agent', 'request', '--debug-port=15020', 'POST', 'drain'] },
    },
  },
  ports: [{ containerPort: 15_090, name: 'http-envoy-prom', protocol: 'TCP' }],
  readinessProbe: { httpGet: { path: '/healthz/ready', port: 15_021 } },
  resources: ISTIO_RESOURCES,
  securityContext: { ...RESTRICTED, privileged: false, runAsUser: 1337, runAsGroup: 1337 },
  volumeMounts: [
    { name: 'workload-socket', mountPath: '/var/run/secrets/workload-spiffe-uds' },
    { name: 'istiod-ca-cert', mountPath: '/var/run/secrets/istio' },
    { name: 'istio-data', mountPath: '/var/lib/istio/data' },
    { name: 'istio-envoy', mountPath: '/etc/istio/proxy' },
    { name: 'istio-token', mountPath: '/var/run/secrets/tokens' },
    { name: 'istio-podinfo', mountPath: '/etc/istio/pod' },
  ],
}
const istio: Mutate = (pod) => {
  const marked = annotating(labelling(pod, { 'security.istio.io/tlsMode': 'istio' }), {
    'istio.io/rev': 'default',
    'sidecar.istio.io/status': '{"initContainers":["istio-init","istio-proxy"]}',
  })
  const proxied = adding(marked, ['spec', 'initContainers'], [istioInit, istioProxy], true)
  return adding(
    proxied,
    ['spec', 'volumes'],
    [
      { name: 'workload-socket', emptyDir: {} },
      { name: 'istio-envoy', emptyDir: { medium: 'Memory' } },
      { name: 'istio-data', emptyDir: {} },
      {
        name: 'istio-podinfo',
        downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] },
      },
      token('istio-token', 'istio-ca', 'istio-token', 43_200),
      { name: 'istiod-ca-cert', configMap: { name: 'istio-ca-root-cert' } },
    ],
  )
}

const LINKERD_IMAGE = 'cr.l5d.io/linkerd/proxy:edge-26.8.3'
const linkerdInit: JsonObject = {
  name: 'linkerd-init',
  image: LINKERD_IMAGE,
  command: ['/usr/lib/linkerd/linkerd2-proxy-init'],
  args: ['--firewall-bin-path', 'iptables-nft', '--incoming-proxy-port', '4143'],
  securityContext: {
    ...RESTRICTED,
    capabilities: { add: ['NET_ADMIN', 'NET_RAW'] },
    privileged: false,
    runAsUser: 65_534,
  },
  volumeMounts: [{ name: 'linkerd-proxy-init-xtables-lock', mountPath: '/run' }],
}
const linkerdProxy: JsonObject = {
  name: 'linkerd-proxy',
  image: LINKERD_IMAGE,
  restartPolicy: 'Always',
  env: [fromPod('_pod_ns', 'metadata.namespace'), variable('LINKERD2_PROXY_INBOUND_PORTS', '')],
  livenessProbe: { httpGet: { path: '/live', port: 4191 } },
  readinessProbe: { httpGet: { path: '/ready', port: 4191 } },
  ports: [{ containerPort: 4143, name: 'linkerd-proxy' }],
  securityContext: {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    runAsNonRoot: true,
    runAsUser: 2102,
  },
  volumeMounts: [
    { name: 'linkerd-identity-end-entity', mountPath: '/var/run/linkerd/identity/end-entity' },
    { name: 'linkerd-identity-token', mountPath: '/var/run/secrets/tokens' },
  ],
}
const linkerd: Mutate = (pod) => {
  const marked = annotating(labelling(pod, { 'linkerd.io/control-plane-ns': 'linkerd' }), {
    'linkerd.io/created-by': 'linkerd/proxy-injector edge-26.8.3',
  })
  const proxied = adding(marked, ['spec', 'initContainers'], [linkerdInit, linkerdProxy], true)
  return adding(
    proxied,
    ['spec', 'volumes'],
    [
      { name: 'linkerd-proxy-init-xtables-lock', emptyDir: {} },
      { name: 'linkerd-identity-end-entity', emptyDir: { medium: 'Memory' } },
      token('linkerd-identity-token', 'identity.l5d.io', 'linkerd-identity-token', 86_400),
    ],
  )
}

const vaultAgent = (name: string, home: string): JsonObject => ({
  name,
  image: 'hashicorp/vault:1.20.4',
  command: ['/bin/sh', '-ec'],
  args: [
    'echo ${VAULT_CONFIG?} | base64 -d > /home/vault/config.json && vault agent -config=/home/vault/config.json',
  ],
  env: [variable('VAULT_LOG_LEVEL', 'info'), variable('VAULT_CONFIG', 'e30=')],
  resources: {
    limits: { cpu: '500m', memory: '128Mi' },
    requests: { cpu: '250m', memory: '64Mi' },
  },
  securityContext: { ...RESTRICTED, runAsUser: 100, runAsGroup: 1000 },
  volumeMounts: [
    { name: 'vault-token', mountPath: '/var/run/secrets/vault', readOnly: true },
    { name: home, mountPath: '/home/vault' },
    { name: 'vault-secrets', mountPath: '/vault/secrets' },
  ],
})
const vault: Mutate = (pod) => {
  // It leaves alone what it has injected.
  if (at(pod, 'metadata', 'annotations', 'vault.hashicorp.com/agent-inject-status')) return pod
  const shared = [{ name: 'vault-secrets', mountPath: '/vault/secrets' }]
  // Into init containers that are there, too.
  const mounted = inEach(pod, ['initContainers', 'containers'], (container) =>
    adding(container, ['volumeMounts'], shared),
  )
  const marked = annotating(mounted, { 'vault.hashicorp.com/agent-inject-status': 'injected' })
  const begun = adding(
    marked,
    ['spec', 'initContainers'],
    [vaultAgent('vault-agent-init', 'home-init')],
  )
  const beside = adding(begun, ['spec', 'containers'], [vaultAgent('vault-agent', 'home-sidecar')])
  return adding(
    beside,
    ['spec', 'volumes'],
    [
      { name: 'home-init', emptyDir: { medium: 'Memory' } },
      { name: 'home-sidecar', emptyDir: { medium: 'Memory' } },
      { name: 'vault-secrets', emptyDir: { medium: 'Memory' } },
    ],
  )
}

/** Into the first container, and its program by an init container with that one's security context. */
const instrumented =
  (language: 'nodejs' | 'python', env: readonly JsonObject[]): Mutate =>
  (pod) => {
    const name = `opentelemetry-auto-instrumentation-${language}`
    if (named(objectsAt(pod, 'spec', 'initContainers'), name)) return pod
    const mount = { name, mountPath: `/otel-auto-instrumentation-${language}` }
    const [first = {}, ...others] = objectsAt(pod, 'spec', 'containers')
    const added = [
      fromPod('OTEL_RESOURCE_ATTRIBUTES_NODE_NAME', 'spec.nodeName'),
      variable('OTEL_SERVICE_NAME', 'search'),
      variable('OTEL_EXPORTER_OTLP_ENDPOINT', 'http://collector.observability:4318'),
      ...env,
    ]
    const server = adding(adding(first, ['env'], added), ['volumeMounts'], [mount])
    const init: JsonObject = {
      name,
      image: `ghcr.io/open-telemetry/opentelemetry-operator/autoinstrumentation-${language}:0.62.0`,
      command: ['cp', '-r', '/autoinstrumentation/.', mount.mountPath],
      resources: { limits: { cpu: '500m', memory: '128Mi' } },
      volumeMounts: [mount],
      ...(at(first, 'securityContext') === undefined
        ? {}
        : { securityContext: objectAt(first, 'securityContext') }),
    }
    const prepared = adding(pod, ['spec', 'initContainers'], [init])
    const whole = withAt(prepared, ['spec', 'containers'], [server, ...others])
    return adding(whole, ['spec', 'volumes'], [{ name, emptyDir: { sizeLimit: '200Mi' } }])
  }

const PYTHONPATH =
  '/otel-auto-instrumentation-python/opentelemetry/instrumentation/auto_instrumentation:/otel-auto-instrumentation-python'

export const NEIGHBOURS: readonly Neighbour[] = [
  {
    name: 'aws-role',
    comesAgain: true,
    identity: {
      volume: 'aws-iam-token',
      variables: ['AWS_ROLE_ARN', 'AWS_WEB_IDENTITY_TOKEN_FILE'],
    },
    mutate: cloud({
      volume: token('aws-iam-token', 'sts.amazonaws.com', 'token', 86_400),
      mountPath: EKS,
      env: [
        variable('AWS_STS_REGIONAL_ENDPOINTS', 'regional'),
        variable('AWS_DEFAULT_REGION', 'eu-central-1'),
        variable('AWS_REGION', 'eu-central-1'),
        variable('AWS_ROLE_ARN', 'arn:aws:iam::111122223333:role/search'),
        variable('AWS_WEB_IDENTITY_TOKEN_FILE', `${EKS}/token`),
      ],
      skip: AWS_SKIP,
      isFirst: true,
    }),
  },
  {
    name: 'aws-pod-identity',
    comesAgain: true,
    identity: {
      volume: 'eks-pod-identity-token',
      variables: ['AWS_CONTAINER_CREDENTIALS_FULL_URI', 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE'],
    },
    mutate: cloud({
      volume: token(
        'eks-pod-identity-token',
        'pods.eks.amazonaws.com',
        'eks-pod-identity-token',
        86_400,
      ),
      mountPath: EKS_POD,
      env: [
        variable('AWS_CONTAINER_CREDENTIALS_FULL_URI', 'http://169.254.170.23/v1/credentials'),
        variable('AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE', `${EKS_POD}/eks-pod-identity-token`),
      ],
      skip: AWS_SKIP,
      isFirst: true,
    }),
  },
  {
    name: 'azure',
    comesAgain: true,
    identity: {
      volume: 'azure-identity-token',
      variables: ['AZURE_CLIENT_ID', 'AZURE_FEDERATED_TOKEN_FILE'],
    },
    mutate: cloud({
      volume: token(
        'azure-identity-token',
        'api://AzureADTokenExchange',
        'azure-identity-token',
        3600,
      ),
      mountPath: AZURE,
      env: [
        variable('AZURE_CLIENT_ID', '00000000-0000-0000-0000-000000000001'),
        variable('AZURE_TENANT_ID', '00000000-0000-0000-0000-000000000002'),
        variable('AZURE_FEDERATED_TOKEN_FILE', `${AZURE}/azure-identity-token`),
        variable('AZURE_AUTHORITY_HOST', 'https://login.microsoftonline.com/'),
      ],
      skip: ['azure.workload.identity/skip-containers', ';'],
      isFirst: false,
    }),
  },
  {
    // All is asked of the node's metadata server, by the ServiceAccount.
    name: 'gke',
    comesAgain: false,
    mutate: (pod) =>
      withAt(pod, ['spec', 'nodeSelector'], {
        ...objectAt(pod, 'spec', 'nodeSelector'),
        'iam.gke.io/gke-metadata-server-enabled': 'true',
      }),
  },
  { name: 'istio', comesAgain: false, mutate: istio },
  {
    name: 'istio-ambient',
    comesAgain: false,
    mutate: (pod) =>
      annotating(labelling(pod, { 'istio.io/dataplane-mode': 'ambient' }), {
        'ambient.istio.io/redirection': 'enabled',
      }),
  },
  { name: 'linkerd', comesAgain: false, mutate: linkerd },
  { name: 'vault', comesAgain: false, mutate: vault },
  {
    name: 'opentelemetry-nodejs',
    comesAgain: false,
    mutate: instrumented('nodejs', [
      variable(
        'NODE_OPTIONS',
        ' --require /otel-auto-instrumentation-nodejs/autoinstrumentation.js',
      ),
    ]),
  },
  {
    name: 'opentelemetry-python',
    comesAgain: false,
    mutate: instrumented('python', [variable('PYTHONPATH', PYTHONPATH)]),
  },
]

/** The API server: everybody in their order, then once more those who ask for it and whose pod has changed since. */
export const callAll = (
  pod: JsonObject,
  webhooks: readonly Pick<Neighbour, 'mutate' | 'comesAgain'>[],
): JsonObject => {
  const left: JsonObject[] = []
  const first = webhooks.reduce((current, { mutate }, index) => {
    const after = mutate(current)
    left[index] = after
    return after
  }, pod)
  return webhooks.reduce((current, { mutate, comesAgain }, index) => {
    const before: Json | undefined = left[index]
    return comesAgain && !isSame(current, before) ? mutate(current) : current
  }, first)
}
