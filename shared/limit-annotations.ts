// The rows of the annotation table that say how long anybody waits, how much one caller may ask for, and when a server is
// left alone.

const READ_BY_SIDECAR = {
  scopes: ['cluster', 'namespace', 'workload', 'pod'],
  readBy: 'sidecar',
} as const

export const LIMITS = {
  'request-timeout': {
    type: 'duration',
    default: '60s',
    doc: 'Longest wait for an answer; progress starts it anew.',
    ...READ_BY_SIDECAR,
  },
  'client-timeout': {
    type: 'duration',
    default: '10m',
    doc: "Longest wait for a client's answer to what its server asks (elicitation, sampling, roots); `request-timeout` stands still meanwhile.",
    ...READ_BY_SIDECAR,
  },
  'startup-timeout': {
    type: 'duration',
    default: '120s',
    doc: "Longest wait for a new server process's first answer.",
    ...READ_BY_SIDECAR,
  },
  'rate-limit': {
    type: 'rate',
    doc: 'Most requests of one caller, such as `300/m`; as many may come at once after a pause. Each replica counts by itself.',
    ...READ_BY_SIDECAR,
  },
  'concurrency-limit': {
    type: 'integer',
    max: 4096,
    doc: 'Most requests of one caller that are under way at once, in all its sessions; more are refused. Each replica counts by itself.',
    ...READ_BY_SIDECAR,
  },
  'tool-limits': {
    type: 'tool-limits',
    doc: 'Limits of single tools, for one caller: `search=30/m` (calls), `search=2` (at once), `report=5m` (longest wait, in the place of `request-timeout`).',
    ...READ_BY_SIDECAR,
  },
  'circuit-breaker': {
    type: 'breaker',
    doc: 'After so many failures of the server in a row, requests are refused for so long, then one tries: `5/30s`.',
    ...READ_BY_SIDECAR,
  },
} as const
