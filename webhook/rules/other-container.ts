// Containers that run beside the server: helpers, and sidecars of others that the floor does not exempt. Pure.

import { stringAt } from '../../shared/json.ts'
import type { Check } from './judged.ts'

export const otherContainers: Check = ({ containers, server }) =>
  server === undefined
    ? []
    : containers
        // An init container that ends is gone before the server starts.
        .filter(
          ({ list, name, container }) =>
            (list === 'containers' && name !== server) ||
            (list === 'initContainers' && stringAt(container, 'restartPolicy') === 'Always'),
        )
        .map(({ where }) => ({ where, found: 'runs beside the server' }))
