// Sends what is asked on its way to the server. Fails closed: without a permit nothing goes.

import { fault } from '../mcp/faults.ts'
import type { Router } from '../routing/router.ts'
import type { Stage } from './stage.ts'

export const forward =
  (router: Pick<Router, 'forward'>): Stage =>
  (passage) => {
    const { permit, ask } = passage
    if (permit === undefined) return fault('internal', 'no permit')
    if (ask === undefined) return fault('internal', 'nothing is asked: the body was not read')
    return router.forward(permit, passage, ask)
  }
