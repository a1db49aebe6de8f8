import { join } from 'node:path'
import { binOf, installed, installOwn, nodeFolder, versionOf } from './packages.ts'

/** OpenClaw's release that this was last run with; OPENCLAW_VERSION takes another, `latest` too. */
export const OPENCLAW_VERSION = process.env.OPENCLAW_VERSION ?? '2026.9.6'

export interface Programs {
  /** For PATH: Node, openclaw and clawlink-agent, as installed from npm and from this repository's own package. */
  path: string
  /** The package as it is installed. */
  clawlink: string
  versions: { node: string; openclaw: string; clawlink: string }
}

/** Installs all that takes part, each as its users do: from its package. */
export const installPrograms = (): Programs => {
  const node = nodeFolder()
  const withNode = `${node}:${process.env.PATH}`
  const openclaw = installed('openclaw', OPENCLAW_VERSION, withNode)
  const own = installOwn(withNode)
  const path = [node, binOf(openclaw), binOf(own), '/usr/local/bin', '/usr/bin', '/bin'].join(':')
  return {
    path,
    clawlink: join(own, 'node_modules/clawlink'),
    versions: {
      node: versionOf(join(node, 'node'), path),
      openclaw: versionOf('openclaw', path),
      clawlink: versionOf('clawlink-agent', path),
    },
  }
}
