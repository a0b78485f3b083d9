// The rows of the annotation table that say what is put on record of a server's calls, where, and what happens where it
// cannot be.

const EVERYWHERE = ['cluster', 'namespace', 'workload', 'pod'] as const
const READ_BY_WEBHOOK = { scopes: EVERYWHERE, readBy: 'webhook' } as const

export const AUDIT = {
  'audit-sink': {
    type: 'enum',
    values: ['stdout', 'file', 'otlp'],
    doc: "Where audit records go: `stdout`, the sidecar's own output, `file`, on a volume that the sidecar alone mounts, or `otlp`, as OTLP logs to the collector that the cluster configuration names; else nothing is put on record.",
    ...READ_BY_WEBHOOK,
    tighten: { by: 'fixed' },
  },
  'audit-level': {
    type: 'enum',
    values: ['metadata', 'request', 'response'],
    default: 'request',
    doc: 'What an audit record holds of a call: who called what with what result; with `request` also what was asked; with `response` also the answer. Secrets are left out, by name, schema and shape.',
    ...READ_BY_WEBHOOK,
    tighten: { by: 'order', order: ['metadata', 'request', 'response'] },
  },
  'audit-attempts': {
    type: 'boolean',
    default: 'false',
    doc: 'Whether a call is on record before the server sees it, so that one that ends the pod has left its trace.',
    ...READ_BY_WEBHOOK,
    tighten: { by: 'order', order: ['false', 'true'] },
  },
  'audit-on-failure': {
    type: 'enum',
    values: ['refuse', 'drop'],
    default: 'refuse',
    doc: 'What becomes of calls while records cannot be written: they are refused, or, `drop`, go on, and records that are lost are counted; `drop` needs the floor’s leave.',
    ...READ_BY_WEBHOOK,
    tighten: { by: 'order', order: ['drop', 'refuse'] },
  },
  'audit-size': {
    type: 'size',
    // Two files, and room for what is written between two looks at them.
    min: 8 * 1024 * 1024,
    default: '64Mi',
    doc: 'Most that the records of a pod take with `audit-sink: file`, all files together; the oldest go first.',
    ...READ_BY_WEBHOOK,
    tighten: { by: 'least' },
  },
  'audit-redact': {
    type: 'redactions',
    doc: 'What records leave out besides what looks like a secret: members by name and by JSON path, as `audit.redact` of the cluster configuration.',
    scopes: ['cluster', 'namespace'],
    readBy: 'webhook',
    tighten: { by: 'superset' },
  },
  'audit-digest-secret': {
    type: 'name',
    doc: "Secret of the pod's namespace whose key `digest-key` (16 bytes or more) is that of the digests in the place of what is left out: with it equal values have equal digests in the records of all pods. Best called `outrigger-…`, as of `tls-secret`.",
    scopes: ['cluster', 'namespace'],
    readBy: 'webhook',
    tighten: { by: 'fixed' },
  },
  'audit-signing-secret': {
    type: 'name',
    doc: "Secret of the pod's namespace whose key `signing-key` is the Ed25519 private key (PEM) that signs checkpoints of the records. Best called `outrigger-…`, as of `tls-secret`.",
    scopes: ['cluster', 'namespace'],
    readBy: 'webhook',
    tighten: { by: 'fixed' },
  },
} as const
