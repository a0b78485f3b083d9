// The containers that common meshes inject, by name. A name decides nothing but an order and a hint:
// anybody can take it.

/** Name, and whether it is the proxy that carries the pod's traffic. */
const MESH: ReadonlyMap<string, { readonly isProxy: boolean }> = new Map([
  ['istio-init', { isProxy: false }],
  ['istio-validation', { isProxy: false }],
  ['istio-proxy', { isProxy: true }],
  ['linkerd-init', { isProxy: false }],
  ['linkerd-network-validator', { isProxy: false }],
  ['linkerd-proxy', { isProxy: true }],
  ['kuma-init', { isProxy: false }],
  ['kuma-sidecar', { isProxy: true }],
  ['consul-connect-inject-init', { isProxy: false }],
  ['consul-dataplane', { isProxy: true }],
])

/** Whether a mesh calls one of its containers so. */
export const isMeshName = (name: string): boolean => MESH.has(name)

/** Whether a mesh calls its proxy so. */
export const isMeshProxyName = (name: string): boolean => MESH.get(name)?.isProxy === true
