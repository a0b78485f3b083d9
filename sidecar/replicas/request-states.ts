// The ids in what may be a body's `requestState`: a call that waits for its client's answer is held by the replica that asked, and
// its state begins with an id of that. Bytes in, before anybody has read the message: what else looks so leads to a replica that
// reads the message itself, and none leads anywhere that nobody has signed. Pure.

const NAME = Buffer.from('"requestState"')
/** Behind the name: an id of either family, and what a state goes on with. */
const ID = /^\s{0,16}:\s{0,16}"([\w-]{48}|[\w-]{64})\./
const ID_BYTES = 128
/** A body may have the word in its arguments, too. */
const MAX_PLACES = 16

export const idsIn = (body: Buffer): readonly string[] => {
  const ids: string[] = []
  let at = body.indexOf(NAME)
  for (let place = 0; at !== -1 && place < MAX_PLACES; place++) {
    const behind = at + NAME.length
    const [, id] = ID.exec(body.toString('latin1', behind, behind + ID_BYTES)) ?? []
    if (id !== undefined) ids.push(id)
    at = body.indexOf(NAME, behind)
  }
  return ids
}
