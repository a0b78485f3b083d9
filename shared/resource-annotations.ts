// The rows of the annotation table that say what the sidecar's container asks for and may use.

const RESOURCE = {
  scopes: ['cluster', 'namespace', 'workload', 'pod'],
  readBy: 'webhook',
} as const

export const RESOURCES = {
  'sidecar-cpu-request': {
    type: 'quantity',
    default: '50m',
    doc: "The sidecar's CPU request.",
    ...RESOURCE,
  },
  'sidecar-memory-request': {
    type: 'quantity',
    default: '96Mi',
    doc: "The sidecar's memory request.",
    ...RESOURCE,
  },
  'sidecar-cpu-limit': {
    type: 'quantity',
    default: '1',
    doc: "The sidecar's CPU limit.",
    ...RESOURCE,
  },
  'sidecar-memory-limit': {
    type: 'quantity',
    default: '256Mi',
    doc: "The sidecar's memory limit.",
    ...RESOURCE,
  },
} as const
