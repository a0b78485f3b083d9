// The rows of the annotation table that say how long anybody waits, how much one caller may ask for, and when a server is
// left alone.

/** What a higher scope sets is the most that a lower one may have. */
const LIMIT = {
  scopes: ['cluster', 'namespace', 'workload', 'pod'],
  readBy: 'sidecar',
  tighten: { by: 'limit' },
} as const

export const LIMITS = {
  'request-timeout': {
    type: 'duration',
    default: '60s',
    doc: 'Longest wait for an answer; progress starts it anew.',
    ...LIMIT,
  },
  'client-timeout': {
    type: 'duration',
    default: '10m',
    doc: "Longest wait for a client's answer to what its server asks (elicitation, sampling, roots); `request-timeout` stands still meanwhile.",
    ...LIMIT,
  },
  'startup-timeout': {
    type: 'duration',
    default: '120s',
    doc: "Longest wait for a new server process's first answer.",
    ...LIMIT,
  },
  'rate-limit': {
    type: 'rate',
    doc: 'Most requests of one caller, such as `300/m`; as many may come at once after a pause. Each replica counts by itself.',
    ...LIMIT,
  },
  'concurrency-limit': {
    type: 'integer',
    max: 4096,
    doc: 'Most requests of one caller that are under way at once, in all its sessions; more are refused. Each replica counts by itself.',
    ...LIMIT,
  },
  'tool-limits': {
    type: 'tool-limits',
    doc: 'Limits of single tools, for one caller: `search=30/m` (calls), `search=2` (at once), `report=5m` (longest wait, in the place of `request-timeout`).',
    ...LIMIT,
  },
  'circuit-breaker': {
    type: 'breaker',
    doc: 'After so many failures of the server in a row, requests are refused for so long, then one tries: `5/30s`.',
    ...LIMIT,
  },
} as const
