// Puts an image into a registry, as `docker push` does: the layers that it lacks, the configuration,
// the manifest under its tag. Layers go as they are, uncompressed.

import { createHash } from 'node:crypto'
import { openAsBlob } from 'node:fs'
import { imageConfiguration, type ImageConfig } from './archive.ts'
import type { Layer } from './layers.ts'

const OCI = 'application/vnd.oci.image'

/** Where an image goes. */
export interface Place {
  /** HOST:PORT, spoken to without TLS. */
  readonly registry: string
  readonly repository: string
  readonly tag: string
}

interface Content {
  readonly digest: string
  readonly size: number
  readonly body: Blob | string
}

const contentOf = (text: string): Content => ({
  digest: `sha256:${createHash('sha256').update(text).digest('hex')}`,
  size: Buffer.byteLength(text),
  body: text,
})

const contentOfLayer = async ({ file, digest }: Layer): Promise<Content> => {
  const body = await openAsBlob(file)
  return { digest, size: body.size, body }
}

const put = async (url: URL, body: Blob | string, type: string): Promise<void> => {
  const headers = { 'content-type': type }
  const reply = await fetch(url, { method: 'PUT', headers, body })
  if (!reply.ok) throw new Error(`PUT ${url.href}: ${reply.status} ${await reply.text()}`)
}

const pushContent = async (repository: string, { digest, body }: Content): Promise<void> => {
  const known = await fetch(`${repository}/blobs/${digest}`, { method: 'HEAD' })
  if (known.ok) return
  const started = await fetch(`${repository}/blobs/uploads/`, { method: 'POST' })
  const place = new URL(started.headers.get('location') ?? '', repository)
  place.searchParams.set('digest', digest)
  await put(place, body, 'application/octet-stream')
}

/** Pushes an image of these layers, the lowest first. */
export const pushImage = async (
  { registry, repository, tag }: Place,
  layers: readonly Layer[],
  config: ImageConfig,
): Promise<void> => {
  const url = `http://${registry}/v2/${repository}`
  const configuration = contentOf(
    imageConfiguration(
      config,
      layers.map(({ digest }) => digest),
    ),
  )
  const contents = await Promise.all(layers.map(contentOfLayer))
  for (const content of [...contents, configuration]) await pushContent(url, content)
  const manifest = {
    schemaVersion: 2,
    mediaType: `${OCI}.manifest.v1+json`,
    config: {
      mediaType: `${OCI}.config.v1+json`,
      digest: configuration.digest,
      size: configuration.size,
    },
    layers: contents.map(({ digest, size }) => ({
      mediaType: `${OCI}.layer.v1.tar`,
      digest,
      size,
    })),
  }
  await put(new URL(`${url}/manifests/${tag}`), JSON.stringify(manifest), manifest.mediaType)
}
