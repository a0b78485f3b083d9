// Which folder may know which: the one list. `npm run lint` holds every import to it, type-only ones too.

export interface Plan {
  /** Top-level folders, each line above those that it may import. */
  readonly programs: readonly string[]
  /** The folders of one of them in the same way; `.` are the files that stand in it directly. */
  readonly floors: Readonly<Record<string, readonly string[]>>
}

/** What stands on one line must not know its neighbours. */
export const PLAN: Plan = {
  programs: ['cli', 'webhook sidecar', 'certs', 'shared'],
  floors: {
    cli: [
      '.',
      'start',
      'doctor', // looks at all of it
      'dev tools check scan status certs',
      'survey', // which workloads there are, and what makes their pods anew
      'run manifest completion manual policy',
      'egress', // what records say of the network
      'audit',
      'manifest/edit', // writes a document
      'manifest/read', // knows what kubectl reads in it
      'images',
      'command',
      'output',
    ],
    webhook: [
      'controller', // keeps companions
      '.',
      'admission kube',
      'namespaces', // what a change of one does to its pods
      'workload validation',
      'rules companions', // what is denied; what stands beside a workload
      'inject',
      'cluster',
      'images',
      'settings',
    ],
    sidecar: [
      '.', // wires everything
      'replicas', // what belongs to a session of another's
      'pipeline life admin', // what is done with a request; with the whole; with a probe
      'egress', // what servers reach
      'egress/process egress/proxy egress/observer', // what each is given; the way out; who goes around it
      'egress/ledger egress/reach', // what is told of it; what may be reached, and a connection there
      'audit', // what is on record of it
      'audit/content', // what of the messages themselves
      'exchange', // what processes have of their callers' tokens
      'routing guards', // by era, and whether at all; whether now
      'emulation', // legacy clients before a modern server
      'translation', // modern clients before a legacy server
      'legacy modern',
      'validation', // what a tool's own schema wants
      'lock', // what of the server's words goes on
      'conversation', // what both eras share
      'policy tls', // who may do what; what connections begin with
      'telemetry server', // a request's trace; the link to a server
      'http',
      'identity', // whose token it is
      'mcp access',
      'json',
      'bytes',
    ],
    shared: ['policy lock audit', '.'],
  },
}
