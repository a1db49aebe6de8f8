import { shellQuoted } from '../../lib/text/quote.ts'
import type { Environment } from './hosts.ts'

/** The program that a host runs, and the variables that select its profile. */
export interface Launch {
  /** Absolute paths: a host that is started from a desktop or as a service has a PATH of its own. */
  node: string
  script: string
  /** Set where the host's own environment does not set them. */
  pins: Readonly<Record<string, string>>
}

/** Variables that decide which home, profile and server are meant. No secret is among them. */
const PINNED = ['CLAWLINK_HOME', 'CLAWLINK_RUN_DIR', 'CLAWLINK_CA'] as const

/** The variables to write down. `resolve`: makes a path absolute. */
export const pinsOf = (
  env: Environment,
  given: { profile: string; server: string | undefined },
  resolve: (path: string) => string,
): Record<string, string> => {
  const pins: Record<string, string> = {}
  for (const name of PINNED) if (env[name]) pins[name] = resolve(env[name])
  if (given.profile !== 'default') pins.CLAWLINK_AGENT = given.profile
  if (given.server !== undefined) pins.CLAWLINK_SERVER = given.server
  return pins
}

/**
 * A shell script that runs clawlink-agent with the variables. Once the program has moved it runs another
 * clawlink-agent of PATH; without one, hooks and monitors end in silence, because a host shows a failure to the model.
 */
export const launcherText = ({ node, script, pins }: Launch): string => `#!/bin/sh
# Written by: clawlink-agent hosts install. The variables count where the host sets none.
${Object.entries(pins)
  .map(([name, value]) => `[ -n "\${${name}-}" ] || export ${name}=${shellQuoted(value)}\n`)
  .join('')}node=${shellQuoted(node)}
script=${shellQuoted(script)}
[ -x "$node" ] && [ -f "$script" ] && exec "$node" "$script" "$@"
# A launcher of another host may be in PATH, too: only the first one looks there.
if [ -z "\${CLAWLINK_LAUNCHER-}" ]; then
  export CLAWLINK_LAUNCHER=1
  set -f
  IFS=:
  for dir in $PATH; do
    [ "$dir" != "\${0%/*}" ] && [ -x "$dir/clawlink-agent" ] && exec "$dir/clawlink-agent" "$@"
  done
fi
case "\${1-}" in hook | watch) exit 0 ;; esac
echo "error: $script is gone — npm install -g clawlink, then: clawlink-agent hosts install" >&2
exit 127
`
