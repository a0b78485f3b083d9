// The rows of the annotation table about whose a server's processes are, and what they have of their callers.

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
} as const
