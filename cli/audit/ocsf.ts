// A record as an event of the Open Cybersecurity Schema Framework: API Activity (class 6003). What has no place there stands
// under `unmapped`, as OCSF has it. Pure.

import { VERSION } from '../../shared/names.ts'
import { outcomeOf } from './choice.ts'
import { networkOf } from './ocsf-network.ts'
import { endOf, type SeenRecord } from './seen-record.ts'

const OCSF_VERSION = '1.3.0'
const CATEGORY = 6
const CLASS = 6003
const READ = { id: 2, name: 'Read' }
/** Of a tool's call nobody says whether it creates or deletes. */
const OTHER_ID = 99

const UNKNOWN_NAME = 'unknown'

const INFORMATIONAL = 1
const LOW = 2
const [UNKNOWN, SUCCESS, FAILURE] = [0, 1, 2] as const

const EVENTS: ReadonlySet<string> = new Set(['attempt', 'call', 'denial', 'notification'])
const READS = /\/(?:list|get|read)$/

type Members = Readonly<Record<string, unknown>>

/** Without what is not known. */
const known = (members: Members): Members =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))

const activityOf = (method: string) => (READS.test(method) ? READ : { id: OTHER_ID, name: method })

const statusOf = (record: SeenRecord) => {
  const outcome = outcomeOf(record)
  if (outcome === undefined) return { status_id: UNKNOWN, status: 'Unknown' }
  return outcome === 'ok'
    ? { status_id: SUCCESS, status: 'Success' }
    : { status_id: FAILURE, status: 'Failure' }
}

const actorOf = ({ caller, session }: SeenRecord): Members => {
  const user =
    caller?.subject === undefined
      ? { name: 'nobody' }
      : { uid: caller.subject, name: caller.subject }
  const { issuer, client } = caller ?? {}
  return known({
    user,
    ...(issuer === undefined ? {} : { idp: { uid: issuer, name: issuer } }),
    ...(session === undefined ? {} : { session: known({ uid: session, issuer }) }),
    app_uid: client,
  })
}

const integer = (text: string | undefined): number | undefined =>
  text !== undefined && Number.isSafeInteger(Number(text)) ? Number(text) : undefined

const responseOf = (record: SeenRecord): Members | undefined => {
  const { is, code, fault = record.fault, error } = endOf(record) ?? {}
  const own = known({
    code: integer(code),
    error: fault ?? (is === 'tool_error' ? is : undefined),
    error_message: error,
  })
  return Object.keys(own).length === 0 ? undefined : own
}

const apiOf = (record: SeenRecord): Members => {
  const { message, instance, seq, server } = record
  return known({
    operation: message?.method ?? UNKNOWN_NAME,
    service: { name: server },
    request: { uid: message?.id ?? `${instance}-${seq}` },
    response: responseOf(record),
  })
}

const resourcesOf = ({ message }: SeenRecord): readonly Members[] | undefined => {
  const { tool, prompt, resource } = message ?? {}
  const rows = [
    ['tool', tool],
    ['prompt', prompt],
    ['resource', resource],
  ] as const
  const found = rows.flatMap(([type, name]) => (name === undefined ? [] : [{ type, name }]))
  return found.length === 0 ? undefined : found
}

const unmappedOf = (record: SeenRecord): Members => {
  const { instance, hash, decision, rule, caller, message } = record
  const { traceId, spanId, process, asserted } = record
  return known({
    instance,
    hash,
    decision: decision ?? (rule === undefined ? undefined : { rule }),
    caller_by: caller?.by,
    actors: caller?.actors,
    trace_id: traceId,
    span_id: spanId,
    process,
    asserted_client: asserted?.client,
    params: message?.params,
    result: endOf(record)?.result,
  })
}

const metadataOf = ({ time, event, instance, seq, session, traceId }: SeenRecord): Members =>
  known({
    version: OCSF_VERSION,
    product: { name: 'Outrigger', vendor_name: 'Outrigger', version: VERSION },
    log_name: 'audit',
    event_code: event,
    uid: `${instance}-${seq}`,
    sequence: seq,
    original_time: time,
    correlation_uid: traceId ?? session,
  })

/** What it was, and how it ended. */
const classified = (record: SeenRecord): Members => {
  const { id, name } = activityOf(record.message?.method ?? UNKNOWN_NAME)
  const status = statusOf(record)
  return known({
    activity_id: id,
    activity_name: name,
    category_uid: CATEGORY,
    category_name: 'Application Activity',
    class_uid: CLASS,
    class_name: 'API Activity',
    type_uid: CLASS * 100 + id,
    severity_id: status.status_id === FAILURE ? LOW : INFORMATIONAL,
    ...status,
    status_code: outcomeOf(record),
    status_detail: endOf(record)?.fault ?? record.fault,
  })
}

const endpointsOf = ({ address, server, pod, status, asserted }: SeenRecord): Members => {
  const agent = asserted?.userAgent
  return known({
    src_endpoint: address === undefined ? { name: UNKNOWN_NAME } : { ip: address },
    dst_endpoint: known({ name: pod, svc_name: server }),
    http_request: agent === undefined ? undefined : { user_agent: agent },
    http_response: status === undefined ? undefined : { code: status },
  })
}

/** Undefined of what is no activity of a caller's, nor of a server's. */
export const ocsfOf = (record: SeenRecord): Members | undefined => {
  if (record.destination) {
    return known({
      ...networkOf(record, record.destination),
      actor: actorOf(record),
      metadata: metadataOf(record),
    })
  }
  if (!EVENTS.has(record.event)) return undefined
  const { durationMs } = record
  return known({
    ...classified(record),
    time: Date.parse(record.time),
    duration: durationMs === undefined ? undefined : Math.round(durationMs),
    actor: actorOf(record),
    api: apiOf(record),
    ...endpointsOf(record),
    resources: resourcesOf(record),
    metadata: metadataOf(record),
    unmapped: unmappedOf(record),
  })
}
