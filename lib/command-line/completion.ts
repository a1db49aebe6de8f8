import {
  type CommandSpec,
  type Flag,
  type Flags,
  type Program,
  type Shell,
  takesValue,
  valueText,
} from './spec.ts'

/** Completions of a flag's value. */
type Offer = { words: readonly string[]; isList: boolean } | 'files' | 'folders' | 'nothing'

const offerOf = ({ type }: Flag): Offer => {
  if (type?.kind === 'choice') return { words: type.words, isList: type.isList === true }
  if (type?.kind === 'file') return 'files'
  return type?.kind === 'folder' ? 'folders' : 'nothing'
}

const shown = (flags: Flags): [string, Flag][] =>
  Object.entries(flags).filter(([, { hidden }]) => hidden !== true)

const valued = (flags: Flags): [string, Flag][] =>
  shown(flags).filter(([, flag]) => takesValue(flag))

/** The flags whose values may stand alone. */
const operandsOf = ({ operands = [], flags }: CommandSpec): Flag[] =>
  operands.map((name) => flags[name]!)

/** Quotes a word for a shell, so that it means itself. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

const identifier = (name: string): string => `_${name.replaceAll('-', '_')}`

const bash = ({ name, root, commands, common }: Program): string => {
  const offered = (offer: Offer): string => {
    if (offer === 'nothing') return 'return ;;'
    if (offer === 'files') return 'files=-f ;;'
    if (offer === 'folders') return 'files=-d ;;'
    return `words=${quoted(offer.words.join(' '))} ;;`
  }
  const dashed = (flags: Flags) => shown(flags).map(([flag]) => `--${flag}`)
  const all = [root, ...commands]
  const everyValued = new Set(
    all.flatMap(({ flags }) => valued({ ...flags, ...common }).map(([flag]) => `--${flag}`)),
  )
  const flagsOf = (command: CommandSpec): Flags =>
    command === root ? root.flags : { ...command.flags, ...common }
  const values = all.flatMap((command) =>
    valued(flagsOf(command)).map(
      ([flag, of]) => `    ${quoted(`${command.name} --${flag}`)}) ${offered(offerOf(of))}`,
    ),
  )
  const starts = all.map((command) => {
    const offers = command === root ? [] : operandsOf(command).map(offerOf)
    const words =
      command === root
        ? commands.map((one) => one.name)
        : offers.flatMap((offer) => (typeof offer === 'object' ? offer.words : []))
    const kind = offers.includes('files') ? '-f' : offers.includes('folders') ? '-d' : ''
    const flags = quoted(dashed(flagsOf(command)).join(' '))
    return `      ${quoted(command.name)}) words=${quoted(words.join(' '))} flags=${flags} files=${kind} ;;`
  })
  return `# Completion of ${name} for bash.
${identifier(name)}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} verb='' words='' flags='' files='' i
  # --flag=value is three words here.
  if [[ $cur == = ]]; then cur=''
  elif [[ $prev == = ]]; then prev=\${COMP_WORDS[COMP_CWORD-2]}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i-1]} in ${[...everyValued].join('|')}) continue ;; esac
    case \${COMP_WORDS[i]} in ${commands.map((one) => one.name).join('|')}) verb=\${COMP_WORDS[i]}; break ;; esac
  done
  case "$verb $prev" in
${values.join('\n')}
  esac
  if [[ -n $words ]]; then
    local last=\${cur##*,}
    COMPREPLY=($(compgen -P "\${cur%"$last"}" -W "$words" -- "$last"))
    return
  fi
  if [[ -z $files ]]; then
    case $verb in
${starts.join('\n')}
    esac
    if [[ $cur == -* || -z $words$files ]]; then words=$flags files=''; fi
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
  fi
  local IFS=$'\\n'
  if [[ -n $files ]]; then COMPREPLY+=($(compgen $files -- "$cur")); fi
}
complete -o filenames -F ${identifier(name)} ${name}
`
}

const zsh = ({ name, root, commands, common }: Program): string => {
  const plain = (text: string) => text.replaceAll(/([\\[\]:])/g, '\\$1')
  const action = (flag: Flag): string => {
    const offer = offerOf(flag)
    if (offer === 'files') return '_files'
    if (offer === 'folders') return '_files -/'
    if (offer === 'nothing') return ' '
    return offer.isList
      ? `_values -s , ${valueText(flag)} ${offer.words.join(' ')}`
      : `(${offer.words.join(' ')})`
  }
  const argument = (flag: Flag): string => `${plain(valueText(flag))}:${action(flag)}`
  const specs = (flags: Flags): string[] =>
    shown(flags).map(([flag, of]) => {
      const value = takesValue(of) ? `:${of.optional ? ':' : ''}${argument(of)}` : ''
      return quoted(`--${flag}[${plain(of.what)}]${value}`)
    })
  const stand = (command: CommandSpec): string[] =>
    operandsOf(command).map((flag, i) => quoted(`${i + 1}::${argument(flag)}`))
  const lines = (words: string[]): string => words.map((word) => ` \\\n        ${word}`).join('')
  const cases = commands.map(
    (command) =>
      `      ${command.name}) _arguments${lines([...stand(command), ...specs({ ...command.flags, ...common })])} ;;`,
  )
  return `#compdef ${name}
# Completion of ${name} for zsh.
${identifier(name)}() {
  local -a commands
  local state line
  commands=(
${commands.map((one) => `    ${quoted(`${one.name}:${one.summary.replaceAll(':', '\\:')}`)}`).join('\n')}
  )
  _arguments -C${lines([...specs(root.flags), "'1: :->command'", "'*:: :->rest'"])}
  case $state in
    command) _describe command commands ;;
    rest) case $words[1] in
${cases.join('\n')}
    esac ;;
  esac
}
if [ "$funcstack[1]" = ${identifier(name)} ]; then ${identifier(name)} "$@"; else compdef ${identifier(name)} ${name}; fi
`
}

const fish = ({ name, root, commands, common }: Program): string => {
  const names = commands.map((one) => one.name)
  const none = `not __fish_seen_subcommand_from ${names.join(' ')}`
  const line = (when: string, words: string): string =>
    `complete -c ${name} -n ${quoted(when)} ${words}`
  const offered = (flag: Flag): string => {
    const offer = offerOf(flag)
    if (offer === 'files') return '-r -F'
    if (offer === 'folders') return "-x -a '(__fish_complete_directories)'"
    return offer === 'nothing' ? '-x' : `-x -a ${quoted(offer.words.join(' '))}`
  }
  const flags = (when: string, of: Flags): string[] =>
    shown(of).map(([flag, it]) =>
      line(
        when,
        [`-l ${flag}`, takesValue(it) ? offered(it) : '', `-d ${quoted(it.what)}`]
          .filter(Boolean)
          .join(' '),
      ),
    )
  const operands = (command: CommandSpec): string[] =>
    operandsOf(command)
      .filter((flag) => offerOf(flag) !== 'nothing')
      .map((flag) => {
        const offer = offered(flag).replace('-x ', '').replace('-r ', '')
        return line(`__fish_seen_subcommand_from ${command.name}`, offer)
      })
  return [
    `# Completion of ${name} for fish.`,
    `complete -c ${name} -f`,
    ...commands.map((one) => line(none, `-a ${one.name} -d ${quoted(one.summary)}`)),
    ...flags(none, root.flags),
    ...flags(`__fish_seen_subcommand_from ${names.join(' ')}`, common),
    ...commands.flatMap((one) => [
      ...operands(one),
      ...flags(`__fish_seen_subcommand_from ${one.name}`, one.flags),
    ]),
    '',
  ].join('\n')
}

const WRITERS = { bash, zsh, fish } as const

/** The script that completes a program's command lines in a shell. It is static: completing runs no program. */
export const completionOf = (program: Program, shell: Shell): string => WRITERS[shell](program)
