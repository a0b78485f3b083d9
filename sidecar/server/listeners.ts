// Who listens in the pod, by the kernel's tables of TCP sockets (/proc/net/tcp and tcp6): for the sentence on a server
// that is not where it was looked for. Pure.

export interface Listener {
  readonly port: number
  readonly uid: number
}

/** A row's state TCP_LISTEN. */
const LISTEN = '0A'

/** Those of one table; a row that is cut off is left out. */
export const listenersIn = (table: string): readonly Listener[] =>
  table.split('\n').flatMap((line) => {
    const [, local = '', , state, , , , uid = ''] = line.trim().split(/\s+/)
    const port = Number.parseInt(local.split(':')[1] ?? '', 16)
    return state === LISTEN && Number.isInteger(port) && /^\d+$/.test(uid)
      ? [{ port, uid: Number(uid) }]
      : []
  })

/** What a sentence has room for. */
const MAX_NAMED = 8

/** Where a server may be that is not on its port: the ports that others than we listen on in the pod. */
export const whereElse = (
  listeners: readonly Listener[],
  ownUid: number | undefined,
): string | undefined => {
  const others = listeners.filter(({ uid }) => uid !== ownUid).map(({ port }) => port)
  const ports = [...new Set(others)].toSorted((a, b) => a - b)
  if (ports.length === 0) return undefined
  const more = ports.length > MAX_NAMED ? ` and ${ports.length - MAX_NAMED} more` : ''
  const named = `${ports.slice(0, MAX_NAMED).join(', ')}${more}`
  return `in the pod somebody listens on ${named}: if that is the server, name its port with outrigger.dev/port`
}
