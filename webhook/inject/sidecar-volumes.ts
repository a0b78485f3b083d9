// Volumes that the sidecar alone mounts. Only to read: what is named of the pod's namespace, and a token for the API server
// where ServiceAccounts call. A pod whose object or key is missing does not start: nothing is served without it. To write:
// its audit records. Pure.

import {
  API_SERVER_DIR,
  API_SERVER_VOLUME,
  AUDIT_DIR,
  AUDIT_KEY_DIR,
  AUDIT_KEY_VOLUME,
  AUDIT_VOLUME,
  CA_CONFIG_MAP,
  CA_KEY,
  CLIENT_ID_KEY,
  CLIENT_SECRET_KEY,
  INTROSPECTION_DIR,
  INTROSPECTION_VOLUME,
  LOCK_DIR,
  LOCK_KEY,
  LOCK_VOLUME,
  POLICY_DIR,
  POLICY_KEY,
  POLICY_VOLUME,
  SIGNING_KEY,
  TLS_CERT_KEY,
  TLS_DIR,
  TLS_PRIVATE_KEY,
  TLS_VOLUME,
  TOKEN_KEY,
} from '../../shared/names.ts'
import type { JsonObject } from '../../shared/json.ts'
import type { SidecarDocument } from '../../shared/sidecar-config.ts'
import type { Settings } from '../../shared/settings.ts'
import { auditVolume } from './audit.ts'

interface Row {
  readonly volume: string
  /** The member that says what it is. */
  readonly form: string
  readonly dir: string
  /** What that member holds; undefined where nothing needs it. */
  readonly source: (settings: Settings, document: SidecarDocument) => JsonObject | undefined
  readonly isWritten?: true
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
    source: (_settings, { apiServer }) =>
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
    volume: AUDIT_VOLUME,
    form: 'emptyDir',
    dir: AUDIT_DIR,
    source: auditVolume,
    isWritten: true,
  },
  {
    volume: AUDIT_KEY_VOLUME,
    form: 'secret',
    dir: AUDIT_KEY_DIR,
    source: ({ 'audit-signing-secret': secretName }, { audit }) =>
      secretName === undefined || audit === undefined
        ? undefined
        : { secretName, items: items(SIGNING_KEY), ...READABLE },
  },
]

export interface SidecarVolumes {
  readonly volumes: readonly JsonObject[]
  readonly mounts: readonly JsonObject[]
}

/** Those that settings and document ask for. */
export const sidecarVolumes = (settings: Settings, document: SidecarDocument): SidecarVolumes => {
  const found = ROWS.flatMap(({ volume: name, form, dir, source, isWritten }) => {
    const value = source(settings, document)
    const mount = { name, mountPath: dir, ...(isWritten ? {} : { readOnly: true }) }
    return value === undefined ? [] : [{ volume: { name, [form]: value }, mount }]
  })
  return { volumes: found.map(({ volume }) => volume), mounts: found.map(({ mount }) => mount) }
}

/** What a volume of this name is, where it is the sidecar's alone. */
export const sidecarVolumeForm = (name: string): string | undefined =>
  ROWS.find(({ volume }) => volume === name)?.form
