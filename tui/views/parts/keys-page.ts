import { commandGroups, keyLabel, TYPING, type UiCommand } from '../../model/commands.ts'

import { EDITOR_KEYS } from '../../model/editor-keys.ts'

/** The part of docs/tui.md that is made from the tables of keys. */
export const SECTION = /<!-- keys: .*?<!-- end of keys -->/s

const code = (text: string): string => `\`${text.replaceAll('|', '\\|')}\``

const keysOf = (keys: readonly string[]): string => keys.map((key) => code(keyLabel(key))).join(' ')

const row = ({ keys, name, args = [], what, keysOnly }: UiCommand): string => {
  const typed = [`:${name}`, ...args.map(({ field }) => field.toUpperCase())].join(' ')
  return `| ${keysOf(keys)} | ${keysOnly === true ? '' : code(typed)} | ${what} |`
}

export const keysSection = (): string =>
  [
    '<!-- keys: made from tui/model/commands.ts and tui/model/editor-keys.ts by `node scripts/run-ts.mjs scripts/tui-keys.ts` -->',
    ...commandGroups().flatMap(([title, commands]) => [
      `### ${title}`,
      '',
      '| keys | typed | what it does |',
      '| --- | --- | --- |',
      ...commands.map(row),
      '',
    ]),
    '### In the editor',
    '',
    'All keys but these are typed. With shift, what moves selects.',
    '',
    '| keys | what they do |',
    '| --- | --- |',
    ...EDITOR_KEYS.map(({ keys, what }) => `| ${keysOf(keys)} | ${what} |`),
    '',
    '### While typing',
    '',
    '| keys | what they do |',
    '| --- | --- |',
    ...TYPING.map(({ keys, what }) => `| ${keysOf(keys)} | ${what} |`),
    '<!-- end of keys -->',
  ].join('\n')
