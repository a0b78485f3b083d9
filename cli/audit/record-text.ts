// A record as a line for people: when, what, who, what was asked, how it ended. Pure.

import { oneLine } from '../../shared/one-line.ts'
import { outcomeOf } from './choice.ts'
import { endOf, type SeenRecord } from './seen-record.ts'

const whoIn = ({ caller, address }: SeenRecord): string | undefined => {
  if (!caller) return address
  const acting = (caller.actors ?? []).map(({ subject }) => ` by ${subject}`).join('')
  return caller.by === 'nobody' ? 'nobody' : `${caller.subject ?? '?'}${acting}`
}

const targetIn = ({ message }: SeenRecord): string | undefined => {
  if (!message) return undefined
  const { method, tool, prompt, resource } = message
  return [method, tool ?? prompt ?? resource].filter((word) => word !== undefined).join(' ')
}

/** What a server reaches, or tries to. */
const placeIn = ({ destination, how, sentBytes, receivedBytes, calls }: SeenRecord) => {
  if (!destination) return undefined
  const { host, address, port } = destination
  const place = host ?? address ?? 'somewhere'
  const passed =
    sentBytes === undefined ? '' : `, ${sentBytes} bytes out, ${receivedBytes ?? 0} bytes in`
  const during = calls === undefined || calls.length === 0 ? '' : `, call ${calls.join(' or ')}`
  return `${place}${port === undefined ? '' : `:${port}`} by ${how ?? '?'}${passed}${during}`
}

const why = (record: SeenRecord): string => {
  if (record.destination) return record.why === undefined ? '' : ` (${record.why})`
  const { fault, rule, status } = record
  const end = endOf(record)
  const words = [end?.action, end?.code, end?.fault ?? fault, rule && `rule ${rule}`, status]
  const known = words.filter((word) => word !== undefined && word !== '')
  return known.length === 0 ? '' : ` (${known.join(', ')})`
}

const endIn = (record: SeenRecord): string | undefined => {
  const own = outcomeOf(record)
  return own && `${own}${why(record)}`
}

/** What is told of events that are no calls. */
const otherIn = (record: SeenRecord): string => {
  if (record.destination) return record.open === true ? 'goes on' : ''
  const { reason, cause, what, outcome, kind, name, why: because, action, file } = record
  const word = typeof outcome === 'string' ? outcome : undefined
  const { mode, enforcement } = record
  return [reason, cause, what, word, kind, name, mode, enforcement, because, action, file]
    .filter((one) => one !== undefined)
    .join(' ')
}

const timeIn = ({ durationMs }: SeenRecord): string | undefined =>
  durationMs === undefined ? undefined : `${durationMs} ms`

export const recordText = (record: SeenRecord): string => {
  const { time, server, pod, event, process } = record
  const words = [
    time,
    pod ?? server,
    event,
    whoIn(record),
    targetIn(record) ?? placeIn(record),
    endIn(record),
    process === undefined ? undefined : `process ${process}`,
    otherIn(record),
    timeIn(record),
  ]
  return oneLine(words.filter((word) => word !== undefined && word !== '').join('  '))
}
