// The exemption of a mesh's proxy for other programs, and its keys for others.

import type { JsonObject } from '../../../shared/json.ts'
import {
  adding,
  all,
  denied,
  mounting,
  PROXY_DIGEST,
  set,
  tokenVolume,
  way,
  type Change,
  type Way,
} from './way.ts'

export const proxy = (fields: JsonObject): JsonObject => ({
  name: 'istio-proxy',
  image: `docker.io/istio/proxyv2@${PROXY_DIGEST}`,
  ...fields,
})

/** The mesh's proxy as its injector writes it, but for what is said of it. */
export const meshProxy = (fields: JsonObject = {}): Change =>
  adding('containers', proxy({ args: ['proxy', 'sidecar'], ...fields }))

const atMesh = (name: string, fields: JsonObject): Way =>
  way(name, meshProxy(fields), denied('other-containers'), 'strict')

export const BY_MESH: readonly Way[] = [
  way(
    'another program for the mesh’s proxy, by annotation',
    all(
      meshProxy(),
      set('metadata.annotations', {
        'outrigger.dev/inject': 'true',
        'outrigger.dev/container': 'server',
        'proxy.istio.io/config': 'binaryPath: /bin/sh',
      }),
    ),
    denied('proxy-program'),
  ),
  way(
    'a file of one’s own where the mesh’s proxy reads the pod’s annotations',
    all(
      adding('volumes', {
        name: 'istio-podinfo',
        downwardAPI: {
          items: [{ path: 'annotations', fieldRef: { fieldPath: "metadata.annotations['own']" } }],
        },
      }),
      meshProxy({ volumeMounts: [{ name: 'istio-podinfo', mountPath: '/etc/istio/pod' }] }),
    ),
    denied('proxy-program'),
  ),
  way(
    'the keys of the mesh’s proxy in the server',
    all(
      mounting({ name: 'istio-envoy', emptyDir: { medium: 'Memory' } }),
      meshProxy({ volumeMounts: [{ name: 'istio-envoy', mountPath: '/etc/istio/proxy' }] }),
    ),
    denied('mesh-identity'),
  ),
  way(
    'the keys of the mesh’s proxy on a claim that another pod mounts',
    all(
      adding('volumes', { name: 'istio-envoy', persistentVolumeClaim: { claimName: 'own' } }),
      meshProxy({ volumeMounts: [{ name: 'istio-envoy', mountPath: '/etc/istio/proxy' }] }),
    ),
    denied('mesh-identity'),
  ),
  way(
    'the socket that the mesh’s proxy has its keys by, by another volume of its driver',
    all(
      adding('volumes', { name: 'workload-socket', csi: { driver: 'csi.spiffe.io' } }),
      mounting({ name: 'own', csi: { driver: 'csi.spiffe.io' } }),
      meshProxy({
        volumeMounts: [
          { name: 'workload-socket', mountPath: '/var/run/secrets/workload-spiffe-uds' },
        ],
      }),
    ),
    denied('mesh-identity'),
  ),
  way(
    'a token for the mesh’s keys, mounted by hand beside its proxy',
    all(mounting(tokenVolume('own', { audience: 'istio-ca' })), meshProxy()),
    denied('mesh-identity'),
  ),
  atMesh('a library for the mesh’s proxy, by a variable', {
    env: [{ name: 'LD_PRELOAD', value: '/var/lib/istio/data/own.so' }],
  }),
  atMesh('another control plane for the mesh’s proxy', {
    env: [{ name: 'CA_ADDR', value: 'istiod.team-a.svc:15012' }],
  }),
  atMesh('variables for the mesh’s proxy from a ConfigMap', {
    envFrom: [{ configMapRef: { name: 'own' } }],
  }),
  atMesh('another configuration for the mesh’s proxy, by an option', {
    args: ['proxy', 'sidecar', '--templateFile=/var/lib/istio/data/own.json'],
  }),
  atMesh('a hook that runs a program in the mesh’s proxy', {
    lifecycle: { postStart: { exec: { command: ['sh', '-c', 'id'] } } },
  }),
  atMesh('a volume of one’s own in the mesh’s proxy', {
    volumeMounts: [{ name: 'own', mountPath: '/etc/istio/custom-bootstrap' }],
  }),
  atMesh('the mesh’s image by a tag', { image: 'docker.io/istio/proxyv2:1.27.0' }),
]
