// What a server reaches as an event of the Open Cybersecurity Schema Framework: Network Activity (class 4001). Pure.

import type { SeenRecord } from './seen-record.ts'

const [CATEGORY, CLASS, OUTBOUND] = [4, 4001, 2] as const
const OPEN = { id: 1, name: 'Open' }
const CLOSE = { id: 2, name: 'Close' }
const FAIL = { id: 4, name: 'Fail' }
const REFUSE = { id: 5, name: 'Refuse' }

const INFORMATIONAL = 1
const LOW = 2

const activityOf = ({ verdict, open }: SeenRecord) => {
  if (verdict === 'denied') return REFUSE
  if (verdict === 'failed') return FAIL
  return open === true ? OPEN : CLOSE
}

type Members = Readonly<Record<string, unknown>>

/** Without actor and metadata, which all events have alike; what is undefined is not known. */
export const networkOf = (
  record: SeenRecord,
  { host, address, port, protocol }: NonNullable<SeenRecord['destination']>,
): Members => {
  const { id, name } = activityOf(record)
  const { sentBytes, receivedBytes, durationMs, server, pod } = record
  const isWell = id === OPEN.id || id === CLOSE.id
  const isTold = sentBytes !== undefined && receivedBytes !== undefined
  return {
    activity_id: id,
    activity_name: name,
    category_uid: CATEGORY,
    category_name: 'Network Activity',
    class_uid: CLASS,
    class_name: 'Network Activity',
    type_uid: CLASS * 100 + id,
    severity_id: isWell ? INFORMATIONAL : LOW,
    status_id: isWell ? 1 : 2,
    status: isWell ? 'Success' : 'Failure',
    status_code: record.verdict,
    status_detail: record.why,
    time: Date.parse(record.time),
    duration: durationMs === undefined ? undefined : Math.round(durationMs),
    src_endpoint: pod === undefined ? { svc_name: server } : { name: pod, svc_name: server },
    dst_endpoint: Object.fromEntries(
      Object.entries({ hostname: host, ip: address, port }).filter(([, one]) => one !== undefined),
    ),
    connection_info: { direction_id: OUTBOUND, direction: 'Outbound', protocol_name: protocol },
    traffic: isTold ? trafficOf(sentBytes, receivedBytes) : undefined,
    unmapped: unmappedOf(record),
  }
}

const trafficOf = (sent: number, received: number): Members => ({
  bytes_out: sent,
  bytes_in: received,
  bytes: sent + received,
})

const unmappedOf = (record: SeenRecord): Members => {
  const { instance, hash, how, rule, process, calls, enforcement, caller } = record
  return Object.fromEntries(
    Object.entries({
      instance,
      hash,
      how,
      rule,
      process,
      calls,
      enforcement,
      caller_by: caller?.by,
    }).filter(([, one]) => one !== undefined),
  )
}
