// Small container images made by a test: layers of a few files, a configuration, a manifest, an
// index of several platforms. Bytes and digests as a build tool would write them.

import { createHash } from 'node:crypto'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { pack } from 'tar-stream'

export interface File {
  readonly name: string
  readonly text?: string
  readonly type?: 'file' | 'directory' | 'symlink' | 'link' | 'fifo'
  readonly linkname?: string
}

export interface Blob {
  readonly mediaType: string
  readonly bytes: Buffer
}

export interface Built {
  readonly manifest: Blob
  /** Everything that the manifest needs. */
  readonly blobs: readonly Blob[]
  /** Manifests that an index needs. */
  readonly manifests: readonly Blob[]
}

export const digestOf = (bytes: Uint8Array): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`

export const tarOf = async (files: readonly File[]): Promise<Buffer> => {
  const tar = pack()
  for (const { name, text = '', type = 'file', linkname } of files) {
    tar.entry({ name, type, ...(linkname === undefined ? {} : { linkname }) }, text)
  }
  tar.finalize()
  const chunks: Uint8Array[] = []
  for await (const chunk of tar) if (Buffer.isBuffer(chunk)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const OCI = 'application/vnd.oci.image'

export type Compression = 'gzip' | 'zstd' | 'none'

const compress = (tar: Buffer, how: Compression): Blob => {
  if (how === 'none') return { mediaType: `${OCI}.layer.v1.tar`, bytes: tar }
  const bytes = how === 'gzip' ? gzipSync(tar) : zstdCompressSync(tar)
  return { mediaType: `${OCI}.layer.v1.tar+${how}`, bytes }
}

export interface ImageSpec {
  readonly config?: {
    readonly Entrypoint?: readonly string[]
    readonly Cmd?: readonly string[]
    readonly User?: string
  }
  /** The lowest first. */
  readonly layers?: readonly (readonly File[])[]
  readonly compression?: Compression
  readonly architecture?: string
}

const descriptor = ({ mediaType, bytes }: Blob) => ({
  mediaType,
  digest: digestOf(bytes),
  size: bytes.length,
})

const json = (mediaType: string, value: unknown): Blob => ({
  mediaType,
  bytes: Buffer.from(JSON.stringify(value)),
})

export const buildImage = async (spec: ImageSpec): Promise<Built> => {
  const { config = {}, layers = [], compression = 'gzip', architecture = 'amd64' } = spec
  const tars = await Promise.all(layers.map(tarOf))
  const blobs = tars.map((tar) => compress(tar, compression))
  const rootfs = { type: 'layers', diff_ids: tars.map(digestOf) }
  const configuration = json(`${OCI}.config.v1+json`, { architecture, os: 'linux', config, rootfs })
  const manifest = json(`${OCI}.manifest.v1+json`, {
    schemaVersion: 2,
    mediaType: `${OCI}.manifest.v1+json`,
    config: descriptor(configuration),
    layers: blobs.map(descriptor),
  })
  return { manifest, blobs: [configuration, ...blobs], manifests: [] }
}

/** One image for several platforms, with what build tools put beside them. */
export const buildIndex = async (specs: readonly ImageSpec[]): Promise<Built> => {
  const images = await Promise.all(specs.map(buildImage))
  const of = (architecture: string, os: string) => ({ platform: { architecture, os } })
  const manifest = json(`${OCI}.index.v1+json`, {
    schemaVersion: 2,
    mediaType: `${OCI}.index.v1+json`,
    manifests: images.flatMap((image, index) => [
      { ...descriptor(image.manifest), ...of(specs[index]?.architecture ?? 'amd64', 'linux') },
      { ...descriptor(image.manifest), ...of('unknown', 'unknown') },
    ]),
  })
  return {
    manifest,
    blobs: images.flatMap(({ blobs }) => blobs),
    manifests: images.map((image) => image.manifest),
  }
}
