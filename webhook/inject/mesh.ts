// The containers that common meshes inject, by name, and how Istio's and Linkerd's injectors render theirs. A
// name decides nothing but an order and a hint: anybody can take it. The form is what an exempt container is held
// to where its entry in the floor says nothing else. Pure.

import type { Excuse } from '../settings/exemption.ts'
import { isIstioVariable, isLinkerdVariable, type IsWritten } from './mesh-variables.ts'

/** What a container is told and given, besides its image. */
export interface Form {
  /** `command`, word for word; undefined: the image's own. */
  readonly command?: readonly string[]
  readonly isArgs: (args: readonly string[]) => boolean
  /** Where it mounts which volume, by the volume's name. */
  readonly volumes: Readonly<Record<string, string>>
  readonly excuses: readonly Excuse[]
  readonly isWritten: IsWritten
}

/** What the control planes of Istio and Linkerd give out certificates for. */
export const MESH_AUDIENCE = /^(?:istio-ca|identity\.l5d\.io)$/

interface MeshContainer {
  /** Whether it is the proxy that carries the pod's traffic. */
  readonly isProxy: boolean
  readonly form?: Form
}

/** Whether the words are the first of a list. */
export const beginsWith = (list: readonly string[], words: readonly string[]): boolean =>
  words.every((word, index) => list[index] === word)

const ISTIO_IPTABLES: Pick<Form, 'isArgs' | 'volumes' | 'isWritten'> = {
  isWritten: isIstioVariable,
  isArgs: (args) => beginsWith(args, ['istio-iptables']),
  volumes: {},
}

// Files that say what the proxy runs.
const CONFIG_OPTION = /^-+(?:meshConfig|templateFile)(?:=|$)/s

/** As the injector begins them. `$(…)` stands in the value of the first option alone: elsewhere it could become an option on the node. */
const isIstioProxy = (args: readonly string[]): boolean =>
  beginsWith(args, ['proxy', 'sidecar']) &&
  args.every(
    (word, index) =>
      !CONFIG_OPTION.test(word) &&
      (!word.includes('$(') || (index === 3 && args[2] === '--domain')),
  )

// Linkerd's takes the programs that it starts from its arguments.
const FIREWALL_OPTION = /^-+firewall-(?:save-)?bin-path$/
const FIREWALL = /^iptables(?:-nft|-legacy)?(?:-save)?$/

/** Options, and no other firewall than the image's; `$(…)` could become one on the node. */
const isLinkerdInit = (args: readonly string[]): boolean =>
  args.every((word, index) => {
    const equals = word.indexOf('=')
    const option = equals === -1 ? word : word.slice(0, equals)
    const value = equals === -1 ? (args[index + 1] ?? '') : word.slice(equals + 1)
    return !word.includes('$(') && (!FIREWALL_OPTION.test(option) || FIREWALL.test(value))
  })

const LINKERD_VALIDATOR_OPTIONS: ReadonlySet<string> = new Set([
  '--log-format',
  '--log-level',
  '--connect-addr',
  '--listen-addr',
  '--timeout',
])

const MESH: ReadonlyMap<string, MeshContainer> = new Map<string, MeshContainer>([
  [
    'istio-init',
    {
      isProxy: false,
      form: { ...ISTIO_IPTABLES, excuses: ['run-as-non-root', 'capabilities', 'read-only-root'] },
    },
  ],
  ['istio-validation', { isProxy: false, form: { ...ISTIO_IPTABLES, excuses: [] } }],
  [
    'istio-proxy',
    {
      isProxy: true,
      form: {
        isWritten: isIstioVariable,
        isArgs: isIstioProxy,
        volumes: {
          'workload-socket': '/var/run/secrets/workload-spiffe-uds',
          'credential-socket': '/var/run/secrets/credential-uds',
          'workload-certs': '/var/run/secrets/workload-spiffe-credentials',
          'istiod-ca-cert': '/var/run/secrets/istio',
          'istio-ca-crl': '/var/run/secrets/istio/crl',
          'istio-token': '/var/run/secrets/tokens',
          'istio-data': '/var/lib/istio/data',
          'istio-envoy': '/etc/istio/proxy',
          'istio-podinfo': '/etc/istio/pod',
        },
        excuses: [],
      },
    },
  ],
  [
    'linkerd-init',
    {
      isProxy: false,
      form: {
        command: ['/usr/lib/linkerd/linkerd2-proxy-init'],
        isWritten: isLinkerdVariable,
        isArgs: isLinkerdInit,
        volumes: { 'linkerd-proxy-init-xtables-lock': '/run' },
        excuses: ['capabilities'],
      },
    },
  ],
  [
    'linkerd-network-validator',
    {
      isProxy: false,
      form: {
        command: ['/usr/lib/linkerd/linkerd2-network-validator'],
        isWritten: isLinkerdVariable,
        isArgs: (args) =>
          args.every((word, index) => index % 2 === 1 || LINKERD_VALIDATOR_OPTIONS.has(word)),
        volumes: {},
        excuses: [],
      },
    },
  ],
  [
    'linkerd-proxy',
    {
      isProxy: true,
      form: {
        isWritten: isLinkerdVariable,
        isArgs: (args) => args.length === 0,
        volumes: {
          'linkerd-identity-end-entity': '/var/run/linkerd/identity/end-entity',
          'linkerd-identity-token': '/var/run/secrets/tokens',
        },
        excuses: [],
      },
    },
  ],
  ['kuma-init', { isProxy: false }],
  ['kuma-sidecar', { isProxy: true }],
  ['consul-connect-inject-init', { isProxy: false }],
  ['consul-dataplane', { isProxy: true }],
])

/** Of the volumes above those that hold keys, the way to them, or a token that gives them out: the others show what is public. */
const KEY_VOLUMES: ReadonlySet<string> = new Set([
  'workload-socket',
  'credential-socket',
  'workload-certs',
  'istio-token',
  'istio-data',
  'istio-envoy',
  'linkerd-identity-end-entity',
  'linkerd-identity-token',
])

/** Whether a mesh's proxy has its keys by a volume of that name. */
export const isKeyVolume = (name: string): boolean => KEY_VOLUMES.has(name)

/** What else injectors call the containers that they put beside the pod's own. */
const HELPERS: ReadonlySet<string> = new Set(['vault-agent', 'azwi-proxy', 'otc-container'])

/** Whether a container beside the pod's own is called so. */
export const isInjectedName = (name: string): boolean => MESH.has(name) || HELPERS.has(name)

/** Whether a mesh calls one of its containers so. */
export const isMeshName = (name: string): boolean => MESH.has(name)

/** Whether a mesh calls its proxy so. */
export const isMeshProxyName = (name: string): boolean => MESH.get(name)?.isProxy === true

/** How a mesh renders the container that it calls so, where that is known. */
export const meshForm = (name: string): Form | undefined => MESH.get(name)?.form
