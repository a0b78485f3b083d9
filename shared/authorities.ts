// Certificates of authorities, as text in a configuration.

import { X509Certificate } from 'node:crypto'

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g
const MAX_CERTIFICATES = 64

const isCertificate = (block: string): boolean => {
  try {
    return new X509Certificate(block).ca
  } catch {
    return false
  }
}

/** Whether a text holds certificates of authorities in PEM, and no key or other block. */
export const areAuthorities = (text: string): boolean => {
  const blocks = text.match(BLOCK) ?? []
  const isAll = text.split('-----BEGIN ').length - 1 === blocks.length
  return (
    isAll && blocks.length > 0 && blocks.length <= MAX_CERTIFICATES && blocks.every(isCertificate)
  )
}
