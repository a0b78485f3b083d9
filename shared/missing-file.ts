// Whether what was thrown says that a file is not there. Nothing else lives here.

import { codeOf } from './error-code.ts'

export const isMissingFile = (error: unknown): boolean => codeOf(error) === 'ENOENT'
