// Why a server does not start, for whoever has typed its command. Pure.

import { PREFIX } from '../../shared/annotations.ts'
import type { Fault } from '../../sidecar/mcp/faults.ts'
import { SETTING_FLAGS } from './run-flags.ts'

/** What the server has said itself stands above already. */
export const startWords = ({ code, brief, message }: Fault): string => {
  const reason = brief ?? message
  return code === 'server-exited'
    ? `${reason}, before it had answered; try its command by itself`
    : reason
}

const ANNOTATION = new RegExp(`${PREFIX.replaceAll('.', '\\.')}([a-z-]+)`, 'g')

/** Settings by their flags, of a command that has them: no annotation was written here. */
export const byFlag = (text: string, flags: object = SETTING_FLAGS): string =>
  text.replaceAll(ANNOTATION, (whole, key: string) =>
    Object.hasOwn(flags, key) ? `--${key}` : whole,
  )
