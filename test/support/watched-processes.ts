// What whoever keeps the log hears of server processes, in words.

import {
  causeOf,
  howEnded,
  type ProcessWatch,
  type ServerProcess,
} from '../../sidecar/server/process-watch.ts'

export type WatchedProcesses = { readonly watch: ProcessWatch; readonly news: string[] }

const name = ({ number, session }: ServerProcess): string => `${number} ${session ?? '-'}`

export const watchedProcesses = (): WatchedProcesses => {
  const news: string[] = []
  return {
    news,
    watch: {
      started: (process) => void news.push(`${name(process)} started`),
      wrote: (process, line) => void news.push(`${name(process)}: ${line}`),
      exited: (process, exit) =>
        void news.push(`${name(process)} ${howEnded(exit)} (${causeOf(exit)})`),
      lost: (process) => void news.push(`${name(process)} lost`),
    },
  }
}
