// The cluster configuration as a file that a ConfigMap mounts: what has been read at start holds until another that is
// right stands there.

import { KeptFile, type KeptFileOptions } from '../../shared/kept-file.ts'
import { fail } from '../../shared/result.ts'
import { relaxations } from '../settings/floor.ts'
import { readClusterConfig, type ClusterConfig } from './config.ts'

export const keepConfig = (
  from: Pick<KeptFileOptions<ClusterConfig>, 'file' | 'read' | 'log' | 'first' | 'onChange'>,
): KeptFile<ClusterConfig> =>
  new KeptFile({
    ...from,
    what: 'the cluster configuration',
    parse: (text) =>
      text === undefined ? fail(['there is no such file']) : readClusterConfig(text),
    fields: ({ floor }) => ({
      issuers: floor.issuers.length,
      relaxed: relaxations(floor).join(',') || 'nothing',
    }),
  })
