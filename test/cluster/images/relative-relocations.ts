// Rewrites a shared library's packed relative relocations (DT_RELR) as plain ones (DT_RELA).
// Debian's musl (1.2.3) does not know the packed form, which libraries built on a newer Alpine
// use; without this they load and crash. Little-endian 64-bit ELF for x86_64 only.

const PT_LOAD = 1
const PT_DYNAMIC = 2
const PT_NOTE = 4
const DT_RELA = 7n
const DT_RELASZ = 8n
const DT_RELRSZ = 35n
const DT_RELR = 36n
const DT_RELRENT = 37n
/** A tag that no loader reads. */
const DT_IGNORED = 0x6fff_fef0n
const R_X86_64_RELATIVE = 8n
const PAGE = 4096

interface Segment {
  readonly header: number
  readonly type: number
  readonly offset: number
  readonly address: number
  readonly fileSize: number
  readonly memorySize: number
}

const segmentsOf = (elf: Buffer): readonly Segment[] => {
  const table = Number(elf.readBigUInt64LE(32))
  return Array.from({ length: elf.readUInt16LE(56) }, (_, index) => {
    const header = table + 56 * index
    const field = (at: number): number => Number(elf.readBigUInt64LE(header + at))
    return {
      header,
      type: elf.readUInt32LE(header),
      offset: field(8),
      address: field(16),
      fileSize: field(32),
      memorySize: field(40),
    }
  })
}

/** Where each dynamic tag stands in the file, and its value. */
const tagsOf = (
  elf: Buffer,
  dynamic: Segment,
): ReadonlyMap<bigint, [at: number, value: number]> => {
  const tags = new Map<bigint, [number, number]>()
  for (let at = dynamic.offset; at < dynamic.offset + dynamic.fileSize; at += 16) {
    const tag = elf.readBigUInt64LE(at)
    if (tag === 0n) break
    tags.set(tag, [at, Number(elf.readBigUInt64LE(at + 8))])
  }
  return tags
}

/** The addresses that a DT_RELR table names: an address, then bitmaps of the 63 words after it. */
const addressesOf = (table: Buffer): readonly number[] => {
  const addresses: number[] = []
  let base = 0
  for (let at = 0; at < table.length; at += 8) {
    const entry = table.readBigUInt64LE(at)
    if ((entry & 1n) === 0n) {
      addresses.push(Number(entry))
      base = Number(entry) + 8
      continue
    }
    for (let bit = 0; bit < 63; bit += 1) {
      if (((entry >> BigInt(bit + 1)) & 1n) === 1n) addresses.push(base + 8 * bit)
    }
    base += 8 * 63
  }
  return addresses
}

const part = (elf: Buffer, segments: readonly Segment[], address: number, size: number): Buffer => {
  const segment = segments.find(
    (each) =>
      each.type === PT_LOAD && each.address <= address && address < each.address + each.fileSize,
  )
  if (segment === undefined) throw new Error(`address ${address} is in no segment`)
  const offset = address - segment.address + segment.offset
  return elf.subarray(offset, offset + size)
}

const relativeEntry = (address: number, addend: Buffer): Buffer => {
  const entry = Buffer.alloc(24)
  entry.writeBigUInt64LE(BigInt(address), 0)
  entry.writeBigUInt64LE(R_X86_64_RELATIVE, 8)
  addend.copy(entry, 16)
  return entry
}

const roundUp = (size: number): number => Math.ceil(size / PAGE) * PAGE

/** Puts a table behind everything, loaded by a header that was another's; gives file and address. */
const append = (
  library: Buffer,
  segments: readonly Segment[],
  { header }: Segment,
  table: Buffer,
): readonly [result: Buffer, address: number] => {
  const end = roundUp(library.length)
  const address = roundUp(Math.max(...segments.map((each) => each.address + each.memorySize)))
  const result = Buffer.concat([library, Buffer.alloc(end - library.length), table])
  result.writeUInt32LE(PT_LOAD, header)
  result.writeUInt32LE(4, header + 4)
  const size = table.length
  for (const [index, value] of [end, address, address, size, size, PAGE].entries()) {
    result.writeBigUInt64LE(BigInt(value), header + 8 + 8 * index)
  }
  return [result, address]
}

/** The library with plain relocations only; as it was where it has no packed ones. */
export const unpackRelocations = (library: Buffer): Buffer => {
  const segments = segmentsOf(library)
  const dynamic = segments.find(({ type }) => type === PT_DYNAMIC)
  // A note is the one loaded thing that nobody needs.
  const note = segments.findLast(({ type }) => type === PT_NOTE)
  if (dynamic === undefined || note === undefined) return library
  const tags = tagsOf(library, dynamic)
  const table = (start: bigint, size: bigint): Buffer => {
    const [from, length] = [tags.get(start), tags.get(size)]
    return from && length ? part(library, segments, from[1], length[1]) : Buffer.alloc(0)
  }
  const packed = table(DT_RELR, DT_RELRSZ)
  if (packed.length === 0) return library
  const entries = addressesOf(packed).map((address) =>
    relativeEntry(address, part(library, segments, address, 8)),
  )
  const all = Buffer.concat([...entries, table(DT_RELA, DT_RELASZ)])
  const [result, address] = append(library, segments, note, all)
  const set = (tag: bigint, name: bigint, value: number): void => {
    const found = tags.get(tag)
    if (found === undefined) throw new Error(`the library has no dynamic tag ${tag}`)
    result.writeBigUInt64LE(name, found[0])
    result.writeBigUInt64LE(BigInt(value), found[0] + 8)
  }
  set(DT_RELA, DT_RELA, address)
  set(DT_RELASZ, DT_RELASZ, all.length)
  for (const tag of [DT_RELR, DT_RELRSZ, DT_RELRENT]) set(tag, DT_IGNORED, 0)
  return result
}
