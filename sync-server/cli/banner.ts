import { realpathSync } from 'node:fs'
import { delimiter, dirname, join, resolve } from 'node:path'
import { shellWord } from '../../lib/text/quote.ts'
import { EXPOSED_HINT, exposed } from '../config/exposed.ts'
import { dataFolder, type Options } from '../config/options.ts'
import { urlsOf } from '../config/urls.ts'
import { placeOf } from '../storage/place.ts'

type Env = Readonly<Record<string, string | undefined>>

/**
 * The command that starts one of our programs in another terminal: its name if the folder of this script is in PATH,
 * else this build's path. `script`: the path of the started program.
 */
export const programAt = (script: string, env: Env) => {
  const folder = dirname(resolve(script))
  const isInPath =
    !script.endsWith('.cjs') && (env.PATH ?? '').split(delimiter).some((one) => one === folder)
  // npx and npm put folders of their own into PATH, for what they run only.
  const isOwn = /[\\/](?:_npx|node_modules[\\/]\.bin)(?:[\\/]|$)/.test(folder)
  return (program: string, ending = 'cjs'): string => {
    if (isInPath && !isOwn) return program
    let real = resolve(script)
    try {
      real = realpathSync(real)
    } catch {
      // It was replaced meanwhile; its path is as good as any.
    }
    return `node ${shellWord(join(dirname(real), `${program}.${ending}`))}`
  }
}

interface Start {
  options: Options
  port: number
  version: string
  env: Env
  script: string
}

/** The text of a server that listens. Its commands work as they are, in any terminal of this machine's user. */
export const banner = ({ options, port, version, env, script }: Start): string => {
  const called = programAt(script, env)
  const { local, lan } = urlsOf(options, port)
  const others =
    lan.length > 0 ? lan.join('  ') : 'not reachable from other machines (see --host in --help)'
  // Another terminal may lack this one's environment.
  const data =
    options.data === dataFolder(undefined, {}) ? '' : ` --data ${shellWord(resolve(options.data))}`
  const agent = called('clawlink-agent')
  const { store } = placeOf(options.data, options.store)
  const warning = exposed(options)
  return `clawlink-sync ${version}
  local  ${local}
  LAN    ${others}
  data   ${options.data}${store === null ? '' : `\n  store  ${store.shown}`}
  join   ${called('clawlink-sync')} invite${data}   # prints a link; your own agents on this machine need none
  state  ${called('clawlink-sync')} status${data}
${warning === null ? '' : `\nwarning: ${warning}\n  ${EXPOSED_HINT}\n`}
Paste for a first agent:
  ${agent} --relay ${local} register --name alice --caps research --description 'finds things out'
  ${agent} discover
And for yourself, the terminal UI:
  ${called('clawlink', 'mjs')} ${local}

Ctrl-C stops it.

`
}
