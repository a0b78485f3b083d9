// The form of `floor.exemptContainers`: images by digest, always. Pure.

import { z } from 'zod'
import { EXCUSES } from '../settings/exemption.ts'

const digest = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/, 'must be sha256: and 64 hexadecimal digits')
const line = z.array(z.string()).min(1).max(100)
const lines = z.array(line).min(1).max(20)

const exemptionSchema = z
  .strictObject({
    name: z.string().min(1),
    image: z.string().regex(/^[^\s@]+$/, 'must be a repository without tag and digest'),
    digests: z.array(digest).min(1).max(100).optional(),
    tags: z.record(z.string().regex(/^\w[\w.-]{0,127}$/, 'must be a tag'), digest).optional(),
    command: line.optional(),
    args: lines.optional(),
    volumes: z
      .record(z.string().min(1), z.string().regex(/^\/./, 'must be the path of its mount'))
      .optional(),
    variables: z.record(z.string().min(1), z.string()).optional(),
    excuses: z.array(z.enum(EXCUSES)).optional(),
    execs: lines.optional(),
  })
  .refine(
    ({ digests, tags }) => digests !== undefined || tags !== undefined,
    'must name its digests, or its tags with the digest of each: anybody can take a name and an image',
  )

export const exemptionsSchema = z.array(exemptionSchema).max(100)
