import { expect, it } from 'vitest'
import { actorSuite, CONTRACTS } from '../../support/actions/actor-suite.ts'
import { httpAgents, replicas } from '../../support/actions/actors.ts'
import { allActions } from '../../support/actions/all-actions.ts'

it('every action has a contract', async () => {
  const names = [...(await allActions()).keys()]
  expect(names.sort()).toEqual(Object.keys(CONTRACTS).sort())
})

actorSuite(replicas)
actorSuite(httpAgents)
