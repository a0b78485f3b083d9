// Names, paths and ports that webhook and sidecar must agree on. Nothing is computed here.

/** The release, as package.json has it (a test compares). */
export const VERSION = '0.1.0'

export const SIDECAR_CONTAINER = 'outrigger-sidecar'
export const BIN_VOLUME = 'outrigger-bin'
export const RUN_VOLUME = 'outrigger-run'
export const HOMES_VOLUME = 'outrigger-homes'
export const POLICY_VOLUME = 'outrigger-policy'
export const LOCK_VOLUME = 'outrigger-lock'
export const INTROSPECTION_VOLUME = 'outrigger-introspection'
export const TOKEN_EXCHANGE_VOLUME = 'outrigger-token-exchange'
export const TLS_VOLUME = 'outrigger-tls'
export const API_SERVER_VOLUME = 'outrigger-api-server'
export const AUDIT_VOLUME = 'outrigger-audit'
export const AUDIT_KEY_VOLUME = 'outrigger-audit-key'
export const AUDIT_DIGEST_VOLUME = 'outrigger-audit-digest'
export const PARENT_PROXY_VOLUME = 'outrigger-parent-proxy'
export const PARENT_CA_VOLUME = 'outrigger-parent-ca'
export const REPLICAS_VOLUME = 'outrigger-replicas'
export const OWN_VOLUMES = [
  BIN_VOLUME,
  RUN_VOLUME,
  HOMES_VOLUME,
  POLICY_VOLUME,
  LOCK_VOLUME,
  INTROSPECTION_VOLUME,
  TOKEN_EXCHANGE_VOLUME,
  TLS_VOLUME,
  API_SERVER_VOLUME,
  AUDIT_VOLUME,
  AUDIT_KEY_VOLUME,
  AUDIT_DIGEST_VOLUME,
  PARENT_PROXY_VOLUME,
  PARENT_CA_VOLUME,
  REPLICAS_VOLUME,
] as const

/** Where the sidecar leaves the shim for the server's container (read-only there). */
export const BIN_DIR = '/outrigger/bin'
/** Control socket and pipes folder, in a memory emptyDir that both containers mount. */
export const RUN_DIR = '/outrigger/run'
/** Private directories of a server's processes, where these may change files only in what is declared. */
export const HOMES_DIR = '/outrigger/homes'
export const SHIM_PATH = `${BIN_DIR}/shim`
/** The shim inside the sidecar's image. */
export const SIDECAR_SHIM_PATH = '/app/shim'

export const MCP_PORT = 15_200
export const ADMIN_PORT = 15_201
export const EGRESS_PORT = 15_202
/** Where a confined process finds the proxy that asks it for no credential: the shim leads it to a port of its own. */
export const OWN_PROXY_PORT = 15_203
/** Where the replicas of one workload send each other what belongs to a session of theirs. */
export const REPLICA_PORT = 15_204
export const MCP_PATH = '/mcp'

/** Where the sidecar finds the volume of the server's `ca-file`. */
export const CA_DIR = '/run/outrigger-ca'

/** Where the sidecar finds the ConfigMap of `tool-policy`, and by which key. */
export const POLICY_DIR = '/outrigger/policy'
export const POLICY_KEY = 'policy.yaml'
/** The same for `tool-lock`. */
export const LOCK_DIR = '/outrigger/lock'
export const LOCK_KEY = 'lock.yaml'

/** Where the sidecar finds the Secret of `introspection-secret`, and by which keys. */
export const INTROSPECTION_DIR = '/outrigger/introspection'
/** The same of `token-exchange-secret`. */
export const TOKEN_EXCHANGE_DIR = '/outrigger/token-exchange'
export const CLIENT_ID_KEY = 'client-id'
export const CLIENT_SECRET_KEY = 'client-secret'

/** The keys of the Secret by which a company's own proxy is asked (`kubernetes.io/basic-auth`). */
export const USERNAME_KEY = 'username'
export const PASSWORD_KEY = 'password'

/** Where the sidecar finds the Secret of `tls-secret`, and by which keys (`kubernetes.io/tls`). */
export const TLS_DIR = '/outrigger/tls'
export const TLS_CERT_KEY = 'tls.crt'
export const TLS_PRIVATE_KEY = 'tls.key'

/** Where the sidecar finds the Secret by which the replicas of its workload know each other: a certificate and its key, as above, and
 * by which key that of their session ids. */
export const REPLICAS_DIR = '/outrigger/replicas'
export const ID_KEY = 'id.key'

/** Where the sidecar asks for the keys of ServiceAccount tokens, and where it finds the token and the authority for that. */
export const API_SERVER_URL = 'https://kubernetes.default.svc'
export const API_SERVER_DIR = '/outrigger/api-server'
export const TOKEN_KEY = 'token'
export const CA_KEY = 'ca.crt'
/** What every namespace has from Kubernetes itself. */
export const CA_CONFIG_MAP = 'kube-root-ca.crt'

/** Where the sidecar writes its audit records (`audit-sink: file`), and where it finds the Secret of `audit-signing-secret`. */
export const AUDIT_DIR = '/outrigger/audit'
export const AUDIT_FILE = 'audit.jsonl'
export const AUDIT_KEY_DIR = '/outrigger/audit-key'
export const SIGNING_KEY = 'signing-key'
/** The same of `audit-digest-secret`. */
export const AUDIT_DIGEST_DIR = '/outrigger/audit-digest'
export const DIGEST_KEY = 'digest-key'

/** Where the sidecar finds the Secret by which a company's own proxy is asked (`kubernetes.io/basic-auth`), and the ConfigMap with its authorities. */
export const PARENT_PROXY_DIR = '/outrigger/parent-proxy'
export const PARENT_CA_DIR = '/outrigger/parent-ca'

/** The environment variable in which the sidecar finds its configuration document (JSON). */
export const CONFIG_VARIABLE = 'OUTRIGGER_CONFIG'
/** That in which it finds the pod's own addresses (`status.podIPs`), where it is to take the server's ports there, or has other
 * replicas find the sessions that it holds. */
export const POD_IPS_VARIABLE = 'OUTRIGGER_POD_IPS'

/** That in which OpenTelemetry's exporter finds the headers that a collector asks for, and the key of the Secret that holds them. */
export const TRACE_HEADERS_VARIABLE = 'OTEL_EXPORTER_OTLP_HEADERS'
export const TRACE_HEADERS_KEY = 'headers'
/** The same for logs and for metrics alone. */
export const LOGS_HEADERS_VARIABLE = 'OTEL_EXPORTER_OTLP_LOGS_HEADERS'
export const METRICS_HEADERS_VARIABLE = 'OTEL_EXPORTER_OTLP_METRICS_HEADERS'

/** That in which it finds the pod's name, by which a folder of a volume is its own. */
export const POD_NAME_VARIABLE = 'OUTRIGGER_POD_NAME'
/** Those in which it finds what the pod is, by the downward API, where records are kept. */
export const POD_FACTS = [
  ['name', POD_NAME_VARIABLE, 'metadata.name'],
  ['namespace', 'OUTRIGGER_POD_NAMESPACE', 'metadata.namespace'],
  ['uid', 'OUTRIGGER_POD_UID', 'metadata.uid'],
  ['node', 'OUTRIGGER_NODE', 'spec.nodeName'],
  ['serviceAccount', 'OUTRIGGER_SERVICE_ACCOUNT', 'spec.serviceAccountName'],
] as const
/** What the cluster calls a pod; absent where nobody has asked for that. */
export type PodFacts = { readonly [Fact in (typeof POD_FACTS)[number][0]]?: string }

export const INJECTED_LABEL = 'outrigger.dev/injected'
export const SERVER_LABEL = 'outrigger.dev/server'
export const STATUS_ANNOTATION = 'outrigger.dev/status'
/** In a pod template: what its workload's own metadata says. */
export const WORKLOAD_ANNOTATION = 'outrigger.dev/workload'
export const INJECTION_LABEL = 'outrigger.dev/injection'
/** A namespace's levels, as Pod Security Admission has its own. */
export const ENFORCE_LABEL = 'outrigger.dev/enforce'
export const WARN_LABEL = 'outrigger.dev/warn'
export const AUDIT_LABEL = 'outrigger.dev/audit'

/** By which everything that the controller has made is found again. */
export const MANAGED_LABEL = 'app.kubernetes.io/managed-by'
export const MANAGER = 'outrigger'
/** As label selectors: what it has made, and the pods that it has made it for. */
export const MANAGED = `${MANAGED_LABEL}=${MANAGER}`
export const INJECTED = `${INJECTED_LABEL}=true`
/** What a companion is called begins with this. */
export const COMPANION_PREFIX = 'outrigger-'
