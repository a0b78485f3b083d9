// Our own images, as this version is tagged: the one place that names them. Manifests, chart and documents are held to it by a test.

import { VERSION } from './names.ts'

export const WEBHOOK_IMAGE = `outrigger-webhook:${VERSION}`
export const SIDECAR_IMAGE = `outrigger-sidecar:${VERSION}`
