// ClientHellos, as clients write them and as no client would.

const number = (value: number, size: number): Buffer => {
  const bytes = Buffer.alloc(size)
  bytes.writeUIntBE(value, 0, size)
  return bytes
}

const vector = (size: number, ...parts: readonly Uint8Array[]): Buffer => {
  const body = Buffer.concat(parts)
  return Buffer.concat([number(body.length, size), body])
}

export const extension = (type: number, body: Uint8Array): Buffer =>
  Buffer.concat([number(type, 2), vector(2, body)])

/** The server_name extension, of names of any type. */
export const serverNames = (...names: readonly (readonly [number, string])[]): Buffer =>
  extension(
    0,
    vector(
      2,
      ...names.map(([type, name]) =>
        Buffer.concat([number(type, 1), vector(2, Buffer.from(name, 'latin1'))]),
      ),
    ),
  )

const VERSIONS = extension(43, Buffer.of(2, 3, 4))

/** One handshake message, with extensions as they are given. */
export const helloMessage = (extensions: readonly Uint8Array[] | undefined): Buffer => {
  const body = Buffer.concat([
    Buffer.of(3, 3),
    Buffer.alloc(32, 7),
    vector(1, Buffer.alloc(32, 9)),
    vector(2, Buffer.of(0x13, 1)),
    vector(1, Buffer.of(0)),
    ...(extensions === undefined ? [] : [vector(2, ...extensions)]),
  ])
  return Buffer.concat([Buffer.of(1), vector(3, body)])
}

/** A message in records of so many bytes. */
export const records = (message: Uint8Array, size = 16_384, type = 22): Buffer => {
  const parts: Buffer[] = []
  for (let at = 0; at < message.length; at += size) {
    parts.push(Buffer.of(type, 3, 1), vector(2, message.subarray(at, at + size)))
  }
  return Buffer.concat(parts)
}

/** A ClientHello that asks for a server. */
export const hello = (name: string | undefined, ...more: readonly Uint8Array[]): Buffer =>
  records(
    helloMessage([VERSIONS, ...(name === undefined ? [] : [serverNames([0, name])]), ...more]),
  )

export const ENCRYPTED_HELLO = extension(0xfe0d, Buffer.alloc(32, 1))
