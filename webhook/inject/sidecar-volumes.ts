// Volumes that the sidecar alone mounts. Only to read: what is named of the pod's namespace, and a token for the API server
// where ServiceAccounts call. A pod whose object or key is missing does not start: nothing is served without it, but for the keys of replicas. To write:
// its audit records. Pure.

import {
  API_SERVER_DIR,
  API_SERVER_VOLUME,
  AUDIT_DIGEST_DIR,
  AUDIT_DIGEST_VOLUME,
  AUDIT_DIR,
  AUDIT_KEY_DIR,
  AUDIT_KEY_VOLUME,
  AUDIT_VOLUME,
  CA_CONFIG_MAP,
  CA_KEY,
  CLIENT_ID_KEY,
  CLIENT_SECRET_KEY,
  DIGEST_KEY,
  ID_KEY,
  INTROSPECTION_DIR,
  INTROSPECTION_VOLUME,
  LOCK_DIR,
  LOCK_KEY,
  LOCK_VOLUME,
  PARENT_CA_DIR,
  PARENT_CA_VOLUME,
  PARENT_PROXY_DIR,
  PARENT_PROXY_VOLUME,
  PASSWORD_KEY,
  POD_NAME_VARIABLE,
  POLICY_DIR,
  POLICY_KEY,
  POLICY_VOLUME,
  REPLICAS_DIR,
  REPLICAS_VOLUME,
  SIGNING_KEY,
  TLS_CERT_KEY,
  TLS_DIR,
  TLS_PRIVATE_KEY,
  TLS_VOLUME,
  TOKEN_EXCHANGE_DIR,
  TOKEN_EXCHANGE_VOLUME,
  TOKEN_KEY,
  USERNAME_KEY,
} from '../../shared/names.ts'
import type { JsonObject } from '../../shared/json.ts'
import type { SidecarDocument } from '../../shared/sidecar-config.ts'
import type { Settings } from '../../shared/settings.ts'
import type { ClusterConfig } from '../cluster/config.ts'
import { replicasName } from '../cluster/companion-name.ts'
import { auditClaim, auditVolume } from './audit.ts'

interface Row {
  readonly volume: string
  /** The member that says what it is. */
  readonly form: string
  readonly dir: string
  /** What that member holds; undefined where nothing needs it. */
  readonly source: (settings: Settings, parts: Parts) => JsonObject | undefined
  readonly isWritten?: true
  /** Of a volume of several pods: the folder of this one. */
  readonly folder?: string
}

interface Parts {
  readonly document: SidecarDocument
  readonly config: Pick<ClusterConfig, 'audit' | 'egress'>
}

const items = (...keys: readonly string[]) => keys.map((key) => ({ key, path: key }))
/** With the API server's default, lest a second pass take it out. */
const READABLE = { defaultMode: 0o644 }

const ROWS: readonly Row[] = [
  {
    volume: POLICY_VOLUME,
    form: 'configMap',
    dir: POLICY_DIR,
    source: ({ 'tool-policy': name }) =>
      name === undefined ? undefined : { name, items: items(POLICY_KEY), ...READABLE },
  },
  {
    volume: LOCK_VOLUME,
    form: 'configMap',
    dir: LOCK_DIR,
    source: ({ 'tool-lock': name }) =>
      name === undefined ? undefined : { name, items: items(LOCK_KEY), ...READABLE },
  },
  {
    volume: INTROSPECTION_VOLUME,
    form: 'secret',
    dir: INTROSPECTION_DIR,
    source: ({ 'introspection-secret': secretName }) =>
      secretName === undefined
        ? undefined
        : { secretName, items: items(CLIENT_ID_KEY, CLIENT_SECRET_KEY), ...READABLE },
  },
  {
    volume: TOKEN_EXCHANGE_VOLUME,
    form: 'secret',
    dir: TOKEN_EXCHANGE_DIR,
    source: ({ 'token-exchange-secret': secretName }) =>
      secretName === undefined
        ? undefined
        : { secretName, items: items(CLIENT_ID_KEY, CLIENT_SECRET_KEY), ...READABLE },
  },
  {
    volume: TLS_VOLUME,
    form: 'secret',
    dir: TLS_DIR,
    source: ({ 'tls-secret': secretName }) =>
      secretName === undefined
        ? undefined
        : { secretName, items: items(TLS_CERT_KEY, TLS_PRIVATE_KEY), ...READABLE },
  },
  {
    volume: API_SERVER_VOLUME,
    form: 'projected',
    dir: API_SERVER_DIR,
    source: (_settings, { document: { apiServer } }) =>
      apiServer === undefined
        ? undefined
        : {
            sources: [
              // Without an audience it is for the API server itself; with its default, as above.
              { serviceAccountToken: { path: TOKEN_KEY, expirationSeconds: 3600 } },
              { configMap: { name: CA_CONFIG_MAP, items: items(CA_KEY) } },
            ],
            ...READABLE,
          },
  },
  {
    volume: PARENT_PROXY_VOLUME,
    form: 'secret',
    dir: PARENT_PROXY_DIR,
    source: (_settings, { config: { egress } }) =>
      egress?.parentProxy?.credentialsSecret === undefined
        ? undefined
        : {
            secretName: egress.parentProxy.credentialsSecret,
            items: items(USERNAME_KEY, PASSWORD_KEY),
            ...READABLE,
          },
  },
  {
    volume: PARENT_CA_VOLUME,
    form: 'configMap',
    dir: PARENT_CA_DIR,
    source: (_settings, { config: { egress } }) =>
      egress?.parentProxy?.caConfigMap === undefined
        ? undefined
        : { name: egress.parentProxy.caConfigMap, items: items(CA_KEY), ...READABLE },
  },
  {
    volume: AUDIT_VOLUME,
    form: 'emptyDir',
    dir: AUDIT_DIR,
    source: (settings, { config }) => auditVolume(settings, config),
    isWritten: true,
  },
  {
    volume: AUDIT_VOLUME,
    form: 'persistentVolumeClaim',
    dir: AUDIT_DIR,
    source: (settings, { config }) => auditClaim(settings, config),
    isWritten: true,
    folder: `$(${POD_NAME_VARIABLE})`,
  },
  {
    volume: AUDIT_KEY_VOLUME,
    form: 'secret',
    dir: AUDIT_KEY_DIR,
    source: ({ 'audit-signing-secret': secretName }, { document: { audit } }) =>
      secretName === undefined || audit === undefined
        ? undefined
        : { secretName, items: items(SIGNING_KEY), ...READABLE },
  },
  {
    volume: AUDIT_DIGEST_VOLUME,
    form: 'secret',
    dir: AUDIT_DIGEST_DIR,
    source: ({ 'audit-digest-secret': secretName }, { document: { audit } }) =>
      secretName === undefined || audit === undefined
        ? undefined
        : { secretName, items: items(DIGEST_KEY), ...READABLE },
  },
  {
    volume: REPLICAS_VOLUME,
    form: 'secret',
    dir: REPLICAS_DIR,
    source: (_settings, { document: { replicas, server } }) =>
      replicas === undefined || server === undefined
        ? undefined
        : {
            secretName: replicasName(server),
            items: items(TLS_CERT_KEY, TLS_PRIVATE_KEY, ID_KEY),
            ...READABLE,
            // The controller makes it when the first pod is there: until then a session is served where it began alone.
            optional: true,
          },
  },
]

export interface SidecarVolumes {
  readonly volumes: readonly JsonObject[]
  readonly mounts: readonly JsonObject[]
}

/** Those that settings and document ask for. */
export const sidecarVolumes = (settings: Settings, parts: Parts): SidecarVolumes => {
  const found = ROWS.flatMap(({ volume: name, form, dir, source, isWritten, folder }) => {
    const value = source(settings, parts)
    const mount = {
      name,
      mountPath: dir,
      ...(isWritten ? {} : { readOnly: true }),
      ...(folder === undefined ? {} : { subPathExpr: folder }),
    }
    return value === undefined ? [] : [{ volume: { name, [form]: value }, mount }]
  })
  return { volumes: found.map(({ volume }) => volume), mounts: found.map(({ mount }) => mount) }
}

const NO_FORMS: readonly string[] = []
const FORMS: ReadonlyMap<string, readonly string[]> = new Map(
  ROWS.map(({ volume }) => [
    volume,
    ROWS.filter((row) => row.volume === volume).map(({ form }) => form),
  ]),
)

/** What a volume of this name may be, where it is the sidecar's alone; else nothing. */
export const sidecarVolumeForms = (name: string): readonly string[] => FORMS.get(name) ?? NO_FORMS
