// One audit record: a line of JSON that says who called what, on whose behalf, and with what result. The schema is what
// writer, verifier and readers share; record.schema.json is the same for everybody else's tools. Additions keep `v`;
// whatever changes the meaning of a member raises it.

import * as z from 'zod/mini'

export const VERSION = 1

const text = z.string()
const count = z.int().check(z.gte(0))
const milliseconds = z.number().check(z.gte(0))
/** SHA-256 of a line, base64url. */
const digest = z.string().check(z.regex(/^[\w-]{43}$/))
const position = z.strictObject({ instance: text, seq: count })

/** Who calls, as verified: of a token or a certificate, or nobody in particular. */
const caller = z.discriminatedUnion('by', [
  z.strictObject({
    by: z.literal('token'),
    issuer: text,
    subject: text,
    /** The program that calls for the subject. */
    client: z.optional(text),
    /** Who acts for the subject, then whom that one acts for (RFC 8693, section 4.1). */
    actors: z.optional(z.array(z.strictObject({ issuer: z.optional(text), subject: text }))),
  }),
  /** An X.509-SVID of the connection; no token came. The issuer is its trust domain. */
  z.strictObject({ by: z.literal('certificate'), issuer: text, subject: text }),
  /** `auth: none`: anybody. */
  z.strictObject({ by: z.literal('nobody') }),
])

/** What the client says of itself and nobody has checked; cut at 256 characters. */
const asserted = z.strictObject({
  userAgent: z.optional(text),
  /** `clientInfo` of MCP. */
  client: z.optional(text),
  /** W3C baggage. */
  baggage: z.optional(text),
  /** W3C trace context that came with the request, where no trace of ours holds it. */
  traceId: z.optional(text),
  spanId: z.optional(text),
})

/** What is asked of the server. */
const message = z.strictObject({
  /** The request's id, exact JSON text unless there was a secret in it; absent of a notification. */
  id: z.optional(text),
  method: text,
  tool: z.optional(text),
  prompt: z.optional(text),
  resource: z.optional(text),
  bytes: count,
  /** By level: the parameters but for `_meta`, as JSON text without secrets; what is long is cut. */
  params: z.optional(text),
  /** The same of a client's answer to the server. */
  result: z.optional(text),
})

/** From where, in which session and trace. */
const context = {
  /** The address of the connection by which it came to the workload: a proxy's, where there is one. */
  address: z.optional(text),
  /** The beginning of the legacy session's id. */
  session: z.optional(text),
  /** Ids of the span that this call has. */
  traceId: z.optional(text),
  spanId: z.optional(text),
  asserted: z.optional(asserted),
}

/** What the tool policy said, where there is one. */
const decision = z.strictObject({
  /** The rule that allows it; absent where none had to. */
  rule: z.optional(text),
  roles: z.array(text),
})

const asked = {
  /** Counts this instance's calls: an attempt and its call share it. */
  call: count,
  caller,
  message,
  decision: z.optional(decision),
  ...context,
}

/** `observed`: it was let through, and would have been refused where `egress-mode` is `enforce`. */
const verdict = z.enum(['allowed', 'denied', 'failed', 'observed'])
const port = z.int().check(z.gte(0), z.lte(65_535))

/** What was reached, or tried, while the call was in flight. */
const callEgress = z.strictObject({
  /** Attempts. */
  allowed: z.optional(count),
  denied: z.optional(count),
  failed: z.optional(count),
  observed: z.optional(count),
  /** From the server, and to it. */
  sentBytes: count,
  receivedBytes: count,
  /** The first of the places: a name, or an address. */
  to: z.array(z.strictObject({ host: text, port, verdict, why: z.optional(text) })),
  /** So many attempts to reach others. */
  unnamed: z.optional(count),
  /** Other calls were in flight with the same process, and some of it may be theirs. */
  shared: z.optional(z.literal(true)),
})

const outcome = z.strictObject({
  /**
   * `ok`; `tool_error`: a result with isError; `error`: a JSON-RPC error of the server's; `fault`: the sidecar's own;
   * `timeout`; `cancelled`: by the client, or with its connection.
   */
  is: z.enum(['ok', 'tool_error', 'error', 'fault', 'timeout', 'cancelled']),
  /** The server's JSON-RPC error code. */
  code: z.optional(text),
  /** What the client was told by the sidecar. */
  fault: z.optional(text),
  /** Of the server's answer. */
  bytes: z.optional(count),
  /** By level: the result, or the error, as JSON text without secrets; what is long is cut. */
  result: z.optional(text),
  error: z.optional(text),
  /** The client had gone before there was an answer. */
  clientGone: z.optional(z.literal(true)),
})

const serverOutcome = z.strictObject({
  /**
   * `answered` by the client, or `error`: its JSON-RPC error; `denied`: the tool policy does not let the server ask, or its
   * process is everybody's; `no_client`: nobody was there to hear it; `timeout`; `cancelled`: taken back, or the session ended.
   */
  is: z.enum(['answered', 'error', 'denied', 'no_client', 'timeout', 'cancelled']),
  /** Of an elicitation: what the client says its user has decided. */
  action: z.optional(z.enum(['accept', 'decline', 'cancel'])),
  /** The client's JSON-RPC error code. */
  code: z.optional(text),
  /** Of the client's answer; what it says is a notification's record. */
  bytes: z.optional(count),
})

const place = z.strictObject({
  name: z.optional(text),
  namespace: z.optional(text),
  uid: z.optional(text),
  node: z.optional(text),
  serviceAccount: z.optional(text),
  /** Kind and name of the workload, the container, and its image, by digest where that was known. */
  workload: z.optional(text),
  container: z.optional(text),
  image: z.optional(text),
})

/** `enforced`: a process can't get around it; `advisory`: it can; `observed`: nothing is refused but metadata and link-local addresses. */
const enforcement = z.enum(['enforced', 'observed', 'advisory'])

const events = {
  /** An instance begins: a process of the sidecar. */
  begin: {
    /** Who wrote here before, and how far. */
    before: z.optional(
      z.strictObject({
        ...position.shape,
        hash: digest,
        /** A line that was not written whole stands between the two: its length, and SHA-256. */
        torn: z.optional(z.strictObject({ bytes: count, hash: digest })),
      }),
    ),
    /** SHA-256 of the configuration. */
    configuration: digest,
    attempts: z.boolean(),
    onFailure: z.enum(['refuse', 'drop']),
    /** Where it runs, in a cluster: by the cluster itself, and of the server by what admission saw. */
    place: z.optional(place),
  },
  /** It has ended in order: nothing of it follows. */
  end: {},
  /** A request is about to go to the server. */
  attempt: asked,
  /** A request is over. */
  call: {
    ...asked,
    outcome,
    /** The process that served it. */
    process: z.optional(count),
    durationMs: milliseconds,
    /** Of that, with the server; absent of what never went there. */
    serverMs: z.optional(milliseconds),
    egress: z.optional(callEgress),
  },
  /**
   * A server has tried to reach something, and that is over: it was refused, has failed, or the connection has ended. With
   * `open` it goes on.
   */
  egress: {
    /** Counts this instance's attempts: an open one and its end share it. */
    attempt: count,
    /** For whom the process works; of one that is everybody's, whose the calls were, where that was one caller. */
    caller: z.optional(caller),
    session: z.optional(text),
    process: z.optional(count),
    /** Calls that were in flight with that process meanwhile: several may have caused it, none did so by itself. */
    calls: z.array(count),
    /** So many others. */
    moreCalls: z.optional(count),
    destination: z.strictObject({
      /** As it was asked for. */
      host: z.optional(text),
      /** What was dialled, or would have been. */
      address: z.optional(text),
      port: z.optional(port),
      protocol: z.enum(['tcp', 'udp', 'unix', 'other']),
    }),
    /**
     * By the proxy as a tunnel, a request or SOCKS, by a port that stands for a destination, or around all of it; `unknown`:
     * somebody came to the proxy and did not say who, or not rightly.
     */
    how: z.enum(['connect', 'http', 'socks', 'forward', 'direct', 'unknown']),
    verdict,
    /** What was declared and allows it. */
    rule: z.optional(text),
    /** In a word why it was refused, has failed, or was ended by the proxy. */
    why: z.optional(text),
    /** From the server, and to it; absent of what goes around the proxy. */
    sentBytes: z.optional(count),
    receivedBytes: z.optional(count),
    durationMs: milliseconds,
    open: z.optional(z.literal(true)),
    /** Of a connection that was seen in the kernel's table alone: whose process has it. */
    uid: z.optional(count),
    /** Whether it could have been otherwise. */
    enforcement,
  },
  /** What holds the server to what it may reach: told whenever that changes. */
  'egress-enforcement': {
    mode: z.enum(['observe', 'enforce']),
    enforcement,
    why: z.optional(text),
  },
  /** Somebody listens in the pod where others can come, past the sidecar. */
  listener: { address: text, port, uid: count },
  /** A notification, or an answer to the server's own request, has gone to the server. */
  notification: { caller, message, ...context },
  /** The server has asked a client something, as sampling or elicitation do, and that is over. */
  'server-request': {
    /** Whose client; absent of a process that is everybody's. */
    caller: z.optional(caller),
    message,
    session: z.optional(text),
    process: z.optional(count),
    traceId: z.optional(text),
    spanId: z.optional(text),
    outcome: serverOutcome,
    durationMs: milliseconds,
  },
  /** Something was refused before it was a call. */
  denial: {
    /** Absent where it was not known who calls. */
    caller: z.optional(caller),
    message: z.optional(message),
    /** A code of the sidecar's table of faults. */
    fault: text,
    status: count,
    /** The rule of the tool policy that denies it. */
    rule: z.optional(text),
    ...context,
  },
  'session-begin': { caller, session: text, process: z.optional(count) },
  'session-end': { caller, session: text, reason: text },
  'process-start': { process: count, session: z.optional(text) },
  'process-end': {
    process: count,
    session: z.optional(text),
    /** `asked`, `out_of_memory`, `lost`, a signal's name, `code_0` or `code`. */
    cause: text,
    code: z.optional(z.int()),
    /** The end of what it wrote to stderr, of one that has failed. */
    tail: z.optional(z.array(text)),
  },
  /** A caller's token was exchanged for one of its processes', or not, or that one's time is up and it was taken from them. */
  'token-exchange': {
    caller,
    /** Who was asked. */
    issuer: text,
    /** For which services, and what there. */
    audiences: z.array(text),
    scopes: z.array(text),
    outcome: z.enum(['exchanged', 'failed', 'expired']),
  },
  /** A file has changed by which the sidecar serves. */
  reload: {
    what: z.enum(['tool-policy', 'tool-lock', 'certificate']),
    outcome: z.enum(['taken', 'refused']),
  },
  /** The server is not as it was locked: told once of each, until another lock holds. */
  'lock-finding': {
    kind: text,
    /** Of a tool, a prompt or a resource; empty of the instructions. */
    name: text,
    why: text,
    /** `hidden`, `refused` or `reported`. */
    action: text,
  },
  /** The first record of the file after a full one: that one's name, and the oldest record that is kept. */
  rotation: { file: text, oldest: position },
  /** What is counted and not written one by one, since the last such record. */
  summary: {
    /**
     * Records of denials beyond the budget of callers whom nobody knows, by fault; `server-request`: what servers asked beyond
     * theirs; `egress`: what they tried to reach beyond theirs, or faster than it could be told.
     */
    unwritten: z.record(text, count),
    /** Records that were lost because the sink failed and the configuration says `drop`. */
    dropped: count,
  },
}

type EventName = keyof typeof events

const chained = {
  v: z.literal(VERSION),
  instance: text,
  seq: count,
  /** The hash of the record before: of an instance's first, of the last of the instance before, or empty. */
  prev: z.union([digest, z.literal('')]),
  time: z.iso.datetime(),
  /** `<kind>-<name>` of the workload. */
  server: text,
  /** `NAMESPACE/NAME`, in a cluster. */
  pod: z.optional(text),
}
const sealed = { hash: digest }

const recordOf = <Name extends EventName>(name: Name) =>
  z.strictObject({ ...chained, event: z.literal(name), ...events[name], ...sealed })

export const recordSchema = z.discriminatedUnion('event', [
  recordOf('begin'),
  recordOf('end'),
  recordOf('attempt'),
  recordOf('call'),
  recordOf('egress'),
  recordOf('egress-enforcement'),
  recordOf('listener'),
  recordOf('notification'),
  recordOf('server-request'),
  recordOf('denial'),
  recordOf('session-begin'),
  recordOf('session-end'),
  recordOf('process-start'),
  recordOf('process-end'),
  recordOf('token-exchange'),
  recordOf('reload'),
  recordOf('lock-finding'),
  recordOf('rotation'),
  recordOf('summary'),
])

export type AuditRecord = z.output<typeof recordSchema>

type Own<R> = R extends AuditRecord ? Omit<R, keyof typeof chained | keyof typeof sealed> : never

/** What happened: a record before it has its place in the chain. */
export type AuditEvent = Own<AuditRecord>

export type EventOf<Name extends EventName> = Extract<AuditEvent, { readonly event: Name }>

/** A place in a chain. */
export type Position = z.output<typeof position>
