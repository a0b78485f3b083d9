// Pods of a size (3 MB is the most that the API server takes from anybody), each with one kind of thing
// in numbers or sizes that nobody means. Each asks for injection, so that it is judged to the end.

import type { Json, JsonObject } from '../../shared/json.ts'

/** Of the mesh that the floor exempts. */
export const MESH_DIGEST = `sha256:${'a'.repeat(64)}`
const MESH_IMAGE = `docker.io/istio/proxyv2@${MESH_DIGEST}`

const kinds = (SIZE: number): Readonly<Record<string, () => JsonObject>> => {
  const ASKS = { 'outrigger.dev/inject': 'true', 'outrigger.dev/auth': 'none' }
  const SERVER: JsonObject = { name: 'server', image: 'i', command: ['x'] }

  /** As many of them as fit in what is left of the size. */
  const many = <T extends Json>(item: (index: number) => T, size = SIZE): readonly T[] => {
    const count = Math.floor(size / (JSON.stringify(item(100_000)).length + 1))
    return Array.from({ length: count }, (_, index) => item(index))
  }

  /** The members of an object with as many of them as fit. */
  const members = (
    name: (index: number) => string,
    value: (index: number) => Json,
    size = SIZE,
  ): JsonObject => {
    const pairs = many((index) => [name(index), value(index)] as const, size)
    return Object.fromEntries(pairs)
  }

  const long = (text: string, size = SIZE): string => text.repeat(Math.floor(size / text.length))

  // A writer of JSON recurses: what is deeper than its stack is put in afterwards.
  const deep = (levels: number): Json => `deep:${levels}`
  const pod = (spec: JsonObject, metadata: JsonObject = {}): JsonObject => ({
    metadata: { name: 'p', annotations: ASKS, ...metadata },
    spec: { containers: [SERVER], ...spec },
  })
  const annotated = (annotations: JsonObject): JsonObject =>
    pod({}, { annotations: { ...ASKS, ...annotations } })
  const server = (more: JsonObject): JsonObject => pod({ containers: [{ ...SERVER, ...more }] })
  /** One value of ours, the longest that parses and longer. */
  const value = (key: string, item: (index: number) => string, size = 65_000): JsonObject =>
    annotated({
      [`outrigger.dev/${key}`]: many(item, size)
        .join(',')
        .slice(0, size)
        .replace(/,[^,]*$/, ''),
    })
  const sidecar = (more: JsonObject): JsonObject =>
    pod({
      initContainers: [
        { name: 'outrigger-sidecar', env: [{ name: 'OUTRIGGER_CONFIG', value: '{}' }], ...more },
      ],
    })

  const SCRIPT = 'npx;'.repeat(16_384)
  const MESH_CONFIG = JSON.stringify({ meshId: 'x'.repeat(16_000) })
  const NAMED = (index: number): JsonObject => ({ name: `n${index}` })
  const MOUNT = (index: number): JsonObject => ({ name: `n${index}`, mountPath: `/m/${index}` })
  const SHIM_WORDS = ['/outrigger/bin/shim', 'serve', '--']

  const KEYS: Readonly<Record<string, () => JsonObject>> = {
    'unknown keys under our prefix': () =>
      annotated(
        members(
          (i) => `outrigger.dev/k${i}`,
          () => '',
        ),
      ),
    '4,000 unknown keys': () =>
      annotated(
        members(
          (i) => `outrigger.dev/idle-timeoutt${i}`,
          () => 'x'.repeat(20),
          260_000,
        ),
      ),
    'long unknown keys under our prefix': () =>
      annotated(
        members(
          (i) => `outrigger.dev/${'k'.repeat(60)}${i}`,
          () => '',
        ),
      ),
    'other annotations': () =>
      annotated(
        members(
          (i) => `a${i}`,
          () => 'x',
        ),
      ),
    'a long annotation': () => annotated({ a: long('x') }),
    'a long name of an annotation': () => annotated({ [`outrigger.dev/${long('x')}`]: 'x' }),
    'annotations that are no strings': () =>
      annotated(
        members(
          (i) => `a${i}`,
          () => 1,
        ),
      ),
    'an annotation that is a deep list': () => annotated({ a: deep(300_000) }),
    'labels under our prefix': () =>
      pod(
        {},
        {
          labels: members(
            (i) => `outrigger.dev/k${i}`,
            () => '',
          ),
        },
      ),
    'other labels': () =>
      pod(
        {},
        {
          labels: members(
            (i) => `l${i}`,
            () => '',
          ),
        },
      ),
    'AppArmor annotations': () =>
      annotated(
        members(
          (i) => `container.apparmor.security.beta.kubernetes.io/${i}`,
          () => 'unconfined',
        ),
      ),
  }

  const LISTS: Readonly<Record<string, () => JsonObject>> = {
    containers: () => pod({ containers: many((i) => ({ ...SERVER, name: `c${i}` })) }),
    'containers, one of them the server': () =>
      pod(
        { containers: [SERVER, ...many(NAMED)] },
        { annotations: { ...ASKS, 'outrigger.dev/container': 'server' } },
      ),
    'containers of one name': () => pod({ containers: many(() => SERVER) }),
    'containers without a name': () => pod({ containers: many(() => ({})) }),
    'privileged containers': () =>
      pod({
        containers: many((i) => ({
          name: `c${i}`,
          securityContext: { privileged: true, runAsUser: 0 },
        })),
      }),
    'init containers': () => pod({ initContainers: many(NAMED) }),
    'init containers with our name': () =>
      pod({ initContainers: many(() => ({ name: 'outrigger-sidecar' })) }),
    'ephemeral containers with our name': () =>
      pod({ ephemeralContainers: many(() => ({ name: 'outrigger-sidecar' })) }),
    volumes: () => pod({ volumes: many(NAMED) }),
    'volumes of our names': () => pod({ volumes: many((i) => ({ name: `outrigger-dir-${i}` })) }),
    'token volumes': () =>
      pod({
        volumes: many((i) => ({
          name: `kube-api-access-${String(i).padStart(5, '0')}`,
          projected: {},
        })),
      }),
    'environment variables': () => server({ env: many((i) => ({ name: `E${i}`, value: 'v' })) }),
    'environment variables of one name': () => server({ env: many(() => ({ name: 'E' })) }),
    'variables that name a token’s file, and mounts': () =>
      pod({
        volumes: [{ name: 'n0', projected: { sources: [{ serviceAccountToken: { path: 't' } }] } }],
        containers: [
          {
            ...SERVER,
            env: many(() => ({ name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: '/m/0/t' }), SIZE / 2),
            volumeMounts: Array.from({ length: 1000 }, (_none, index) => MOUNT(index)),
          },
        ],
      }),
    'configurations of a mesh’s proxy': () =>
      pod({
        containers: [
          SERVER,
          {
            name: 'istio-proxy',
            image: MESH_IMAGE,
            args: ['proxy', 'sidecar'],
            env: many(() => ({ name: 'PROXY_CONFIG', value: MESH_CONFIG })),
          },
        ],
      }),
    'mounts around the file of an authority': () => {
      const asks = { transport: 'http', port: '1', scheme: 'https', 'ca-file': '/a/ca.crt' }
      const { spec = {} } = server({
        volumeMounts: many(() => ({ name: 'v', mountPath: `/a/${'x/../'.repeat(800)}` })),
      })
      const words = Object.entries(asks).map(([key, word]) => [`outrigger.dev/${key}`, word])
      return { metadata: { annotations: { ...ASKS, ...Object.fromEntries(words) } }, spec }
    },
    mounts: () => server({ volumeMounts: many(MOUNT) }),
    'mounts of our volumes': () =>
      server({ volumeMounts: many((i) => ({ name: `outrigger-dir-${i}`, mountPath: `/m${i}` })) }),
    'mounts and writable paths': () => {
      const paths = Array.from({ length: 5000 }, (_, i) => `/w${i}`).join(',')
      const { spec } = server({ volumeMounts: many(MOUNT, 2_500_000) })
      return {
        metadata: { annotations: { ...ASKS, 'outrigger.dev/writable-paths': paths } },
        ...(spec === undefined ? {} : { spec }),
      }
    },
    'mounts of what installs at start': () =>
      server({
        command: ['npx', 'x'],
        ports: [{ containerPort: 1 }],
        volumeMounts: many((i) => ({ name: 'v', mountPath: `/home/${i}/${'a/../'.repeat(580)}` })),
      }),
    'scripts that install': () =>
      pod({
        initContainers: many((i) => ({ name: `c${i}`, command: ['sh', '-c', SCRIPT] })),
      }),
    devices: () => server({ volumeDevices: many((i) => ({ devicePath: `/outrigger/run/${i}` })) }),
    ports: () => server({ ports: many((i) => ({ name: `p${i}`, containerPort: i % 65_536 })) }),
    'host ports': () => server({ ports: many((i) => ({ hostPort: i + 1 })) }),
    'our ports': () => server({ ports: many(() => ({ containerPort: 15_200 })) }),
    'owner references': () =>
      pod({}, { ownerReferences: many((i) => ({ kind: 'ReplicaSet', name: `r${i}` })) }),
    'pull secrets': () => pod({ imagePullSecrets: many(NAMED) }),
    'pull secrets of one name': () => pod({ imagePullSecrets: many(() => ({ name: 's' })) }),
    'words of a command': () => server({ command: many(() => 'word') }),
    'shims in a command': () => server({ command: many((i) => SHIM_WORDS[i % 3] ?? '') }),
    'shims without an end': () => server({ command: many(() => '/outrigger/bin/shim') }),
    'added capabilities': () =>
      server({ securityContext: { capabilities: { add: many(() => 'A') } } }),
    'things on our sidecar': () =>
      sidecar({
        volumeMounts: many(MOUNT),
        ...members(
          (i) => `x${i}`,
          () => 1,
          1000,
        ),
      }),
    'variables of our sidecar': () =>
      sidecar({ env: [{ name: 'OUTRIGGER_CONFIG', value: '{}' }, ...many(NAMED)] }),
    numbers: () => pod({ numbers: many(() => 1) }),
    'empty mappings': () => pod({ mappings: many(() => ({})) }),
    'mappings with a member each': () => pod({ mappings: many((i) => ({ [`k${i}`]: 1 })) }),
  }

  const SIZES: Readonly<Record<string, () => JsonObject>> = {
    'a name of the pod': () => pod({}, { name: long('p') }),
    'a generated name of hyphens': () => pod({}, { name: null, generateName: `${long('-')}x` }),
    'a name of a container': () => pod({ containers: [{ ...SERVER, name: long('c') }] }),
    'a name of a volume': () => pod({ volumes: [{ name: long('v') }] }),
    'a name of a port': () => server({ ports: [{ name: long('metri'), containerPort: 1 }] }),
    'a name of an owner': () =>
      pod({}, { ownerReferences: [{ controller: true, kind: 'Job', name: `${long('-1')}x` }] }),
    'a kind of an owner': () =>
      pod({}, { ownerReferences: [{ controller: true, kind: long('K'), name: 'x' }] }),
    'an image': () => server({ image: long('a') }),
    'an image of at signs': () => server({ name: 'mesh', image: `${long('@')}\n` }),
    'an image of colons': () => server({ name: 'mesh', image: `${long(':a')}/` }),
    'a mount path': () => server({ volumeMounts: [{ name: 'v', mountPath: long('/..') }] }),
    'a word of a command': () => server({ command: [long('x')] }),
    'a variable': () => server({ env: [{ name: 'E', value: long('$(E)') }] }),
    'a memory limit': () => server({ resources: { limits: { memory: long('9') } } }),
    'a security context': () => server({ securityContext: { procMount: long('x') } }),
    'a node selector': () => pod({ nodeSelector: { 'kubernetes.io/arch': long('x') } }),
    'a status': () => annotated({ 'outrigger.dev/status': `{"was":{"a":"${long('x')}"}}` }),
  }

  const VALUES: Readonly<Record<string, () => JsonObject>> = {
    'a command of 200,000 words': () =>
      annotated({ 'outrigger.dev/command': JSON.stringify(many(() => 'word', 1_400_000)) }),
    'a command as long as a value may be': () =>
      annotated({ 'outrigger.dev/command': JSON.stringify(many(() => '', 65_000)) }),
    'a command of brackets': () => annotated({ 'outrigger.dev/command': '['.repeat(65_000) }),
    'egress of 100,000 items': () => value('egress', (i) => `h${i}:1`, 1_500_000),
    egress: () => value('egress', (i) => `h${i}:1`),
    'egress of ranges': () =>
      value('egress', (i) => `10.${i % 200}.${Math.floor(i / 200) % 200}.0/${8 + (i % 24)}:1`),
    'egress of ranges in IPv6': () =>
      value('egress', (i) => `[fd00:${i.toString(16)}::/${16 + (i % 100)}]:1`),
    'egress of one long host': () => value('egress', () => 'a.'),
    'egress of colons': () => annotated({ 'outrigger.dev/egress': ':'.repeat(65_000) }),
    'ingress-from': () => value('ingress-from', (i) => `n${i}/l=v`),
    'ingress-from of 100,000 items': () => value('ingress-from', (i) => `n${i}`, 1_500_000),
    'oidc-issuers': () => value('oidc-issuers', (i) => `https://i${i}`),
    'oidc-audience': () => value('oidc-audience', (i) => `a${i}`),
    'required-scopes': () => value('required-scopes', (i) => `s${i}`),
    'writable-paths': () => value('writable-paths', (i) => `/w${i}`),
    'a quantity of digits': () =>
      annotated({ 'outrigger.dev/sidecar-cpu-limit': '9'.repeat(65_000) }),
    'a container of hyphens': () =>
      annotated({ 'outrigger.dev/container': `a${'-'.repeat(65_000)}` }),
    'a URL of slashes': () =>
      annotated({ 'outrigger.dev/public-url': `https:${'/'.repeat(65_000)}` }),
    'every key at its longest': () =>
      annotated(
        Object.fromEntries(
          [
            'oidc-issuers',
            'oidc-audience',
            'required-scopes',
            'egress',
            'ingress-from',
            'writable-paths',
          ].map((key) => [
            `outrigger.dev/${key}`,
            many((i) => (key === 'writable-paths' ? `/${i}` : `10.0.0.0/${i}:1`), 65_000).join(','),
          ]),
        ),
      ),
  }

  const DEPTHS: Readonly<Record<string, () => JsonObject>> = {
    '3,000 levels': () => pod({ deep: deep(3000) }),
    '60 levels': () => pod({ deep: deep(60) }),
    '300,000 levels': () => pod({ deep: deep(300_000) }),
    'levels in a container': () =>
      server({ securityContext: { seccompProfile: { type: deep(200_000) } } }),
    'levels in our status': () => {
      const status = `{"version":1,"container":"c","transport":"stdio","was":{"spec resources":${'['.repeat(100_000)}${']'.repeat(100_000)}}}`
      const { spec } = sidecar({})
      return {
        ...annotated({ 'outrigger.dev/status': status }),
        ...(spec === undefined ? {} : { spec }),
      }
    },
  }

  return { ...KEYS, ...LISTS, ...SIZES, ...VALUES, ...DEPTHS }
}

const deepText = (levels: number): string =>
  `${'[{"x":'.repeat(levels / 2)}1${'}]'.repeat(levels / 2)}`

const textOf = (pod: JsonObject): string =>
  JSON.stringify(pod).replaceAll(/"deep:(\d+)"/g, (_, levels: string) => deepText(Number(levels)))

/** Every kind by its name, as JSON. */
export const hostilePods = (
  size: number,
): readonly (readonly [name: string, text: () => string])[] =>
  Object.entries(kinds(size)).map(([name, pod]) => [name, () => textOf(pod())])
