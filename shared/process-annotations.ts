// The rows of the annotation table about whose a server's processes are, what they have of them, and which are there before.

const EVERYWHERE = ['cluster', 'namespace', 'workload', 'pod'] as const

export const PROCESSES = {
  'process-model': {
    type: 'enum',
    values: ['session', 'principal', 'shared'],
    default: 'session',
    doc: 'How server processes map to callers; `shared` crosses principals and needs the floor’s leave.',
    scopes: EVERYWHERE,
    readBy: 'both',
    tighten: { by: 'order', order: ['shared', 'principal', 'session'] },
  },
  'caller-environment': {
    type: 'caller-variables',
    doc: "Variables of a server process's environment that hold what its caller's token says: `USER_EMAIL={{claims.email}}`, comma separated. Claims that the cluster configuration lists for the caller's issuer (`verifiedClaims`), into variables that it lists (`floor.allowCallerVariables`); a caller whose token lacks one is refused, and one whose claims change gets another process. Not over HTTP, and with neither `auth: none` nor `process-model: shared`.",
    scopes: EVERYWHERE,
    readBy: 'both',
    tighten: { by: 'subset' },
  },
  'token-exchange': {
    type: 'exchange-items',
    doc: "What a server process gets a token for, in the name of its caller, in a file that `OUTRIGGER_TOKEN_FILE` names and that is renewed while it lives: `audience=orders,scope=orders.read`, comma separated, `resource=URI` too. The caller's own token is exchanged for it (RFC 8693) at the one chosen issuer that the cluster configuration lists with a `tokenExchange`, of what that lists; whoever's cannot be has no process. Needs `token-exchange-secret`. Not over HTTP, and with neither `auth: none` nor `process-model: shared`.",
    scopes: EVERYWHERE,
    readBy: 'both',
    tighten: { by: 'subset' },
  },
  'token-exchange-secret': {
    type: 'name',
    doc: "Secret of the pod's namespace with `client-id` and `client-secret`, by which the sidecar exchanges tokens for `token-exchange`. Best called `outrigger-…`: then no other container of the cluster gets it.",
    scopes: EVERYWHERE,
    readBy: 'webhook',
    tighten: { by: 'fixed' },
  },
  'spare-processes': {
    type: 'integer',
    max: 64,
    doc: 'So many server processes are started before anybody asks, of `max-processes`, so that a new session does not wait for a slow start; none where it is left out. Many servers hold a lock, a port or a profile, and let no second one be. One belongs to nobody, and reaches nothing, until a caller takes it: needs `egress-mode: enforce`. Not over HTTP, and with none of `caller-environment`, `token-exchange` and `process-model: shared`.',
    scopes: EVERYWHERE,
    readBy: 'both',
    tighten: { by: 'limit' },
  },
} as const
