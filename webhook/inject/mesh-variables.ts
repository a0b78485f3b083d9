// The variables that Istio's and Linkerd's injectors give their containers. Whatever else their programs read is the
// floor's to allow: by some of it they would take listeners and a control plane of the pod's author for theirs. Pure.

/** Whether an injector writes a variable so; a value that is brought from elsewhere is undefined. */
export type IsWritten = (name: string, value: string | undefined) => boolean

/** `istiod.istio-system.svc:15012`; nothing that the node puts together, and no other domain. */
const serviceIn = (namespace: string): ((value: string | undefined) => boolean) => {
  const form = new RegExp(`^[a-z0-9-]+\\.${namespace}\\.svc(?:\\.cluster\\.local)?\\.?:\\d{1,5}$`)
  return (value) => value !== undefined && form.test(value)
}

/** Whether an address is that of Istio's control plane, where it is installed by default. */
export const isIstiod = serviceIn('istio-system')
const isLinkerds = serviceIn('linkerd')

const ISTIO: ReadonlySet<string> = new Set([
  'EXIT_ON_ZERO_ACTIVE_CONNECTIONS',
  'GOMAXPROCS',
  'GOMEMLIMIT',
  'HOST_IP',
  'INSTANCE_IP',
  'ISTIO_CPU_LIMIT',
  'ISTIO_KUBE_APP_PROBERS',
  'ISTIO_PROMETHEUS_ANNOTATIONS',
  'MINIMUM_DRAIN_DURATION',
  'PILOT_CERT_PROVIDER',
  'POD_NAME',
  'POD_NAMESPACE',
  'SERVICE_ACCOUNT',
  'TRUST_DOMAIN',
])

export const isIstioVariable: IsWritten = (name, value) =>
  name === 'CA_ADDR' ? isIstiod(value) : ISTIO.has(name) || /^ISTIO_META_[A-Z0-9_]+$/.test(name)

const CONTROL_PLANE = /^LINKERD2_PROXY_(?:DESTINATION|POLICY|IDENTITY)_SVC_ADDR$/
const OUTBOUND = /^LINKERD2_PROXY_OUTBOUND_LISTEN_ADDRS?$/
const ON_LOOPBACK = /^(?:(?:127\.0\.0\.1|\[::1\]):\d{1,5}(?:,(?!$)|$))+$/

export const isLinkerdVariable: IsWritten = (name, value) => {
  if (CONTROL_PLANE.test(name)) return isLinkerds(value)
  if (OUTBOUND.test(name)) return value !== undefined && ON_LOOPBACK.test(value)
  return /^(?:_(?:pod|l5d)_[A-Za-z]+|LINKERD2_PROXY_[A-Z0-9_]+)$/.test(name)
}
