import { ClawError } from '../../protocol/errors.ts'
import { storeError } from '../storage/store-error.ts'
import type { Command } from './call.ts'
import { jsonOf } from './command.ts'

const HEADINGS = ['NODE', 'STATE', 'WORKSPACES', 'VERSION', 'URL', 'PROCESS']

/** Exits 1 if a node is silent. */
export const nodes: Command = async ({ place, json, print }) => {
  if (place.store === null) throw noCluster(`${place.data} is on one machine`)
  const { shown } = place.store
  const { nodesOf } = await import('../storage/postgres/cluster-nodes.ts')
  const found = await nodesOf(place.store).catch((thrown) => {
    throw storeError(shown, thrown)
  })
  if (found === null) throw noCluster(`${shown} has no nodes`)
  if (json) print(jsonOf({ nodes: found, count: found.length }))
  else {
    const rows = found.map(({ node, state, workspaces, version, url, about }) => [
      ...[node.slice(0, SHOWN_DIGITS), state, String(workspaces), version, url, about],
    ])
    print(table([HEADINGS, ...rows]))
  }
  return found.some(({ state }) => state === 'silent') ? 1 : 0
}

/** Digits of an id that tell nodes apart. */
const SHOWN_DIGITS = 8

const table = (rows: readonly (readonly string[])[]): string => {
  const widths = HEADINGS.map((_, at) => Math.max(...rows.map((row) => row[at]!.length)))
  const line = (row: readonly string[]): string =>
    row.map((cell, at) => cell.padEnd(widths[at]!)).join('  ')
  return rows.map((row) => `${line(row).trimEnd()}\n`).join('')
}

const noCluster = (what: string): ClawError =>
  new ClawError('no_data', what, 'start nodes with --store and --node-url: docs/SCALING.md')
