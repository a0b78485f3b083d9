// The cluster configuration as a file that a ConfigMap mounts: what has been read at start holds until another that is
// right stands there.

import { KeptFile, needed, type KeptFileOptions } from '../../shared/kept-file.ts'
import type { Result } from '../../shared/result.ts'
import { relaxations } from '../settings/floor.ts'
import { readClusterConfig, type ClusterConfig } from './config.ts'

export const openConfig = (
  from: Pick<KeptFileOptions<ClusterConfig>, 'source' | 'log'>,
): Promise<Result<KeptFile<ClusterConfig>, readonly string[]>> =>
  KeptFile.open({
    ...from,
    what: 'the cluster configuration',
    parse: needed(readClusterConfig),
    fields: ({ floor }) => ({
      issuers: floor.issuers.length,
      relaxed: relaxations(floor).join(',') || 'nothing',
    }),
  })
