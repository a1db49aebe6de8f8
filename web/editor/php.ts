import { clike } from '@codemirror/legacy-modes/mode/clike'

const words = (text: string): Record<string, true> =>
  Object.fromEntries(text.split(' ').map((word) => [word, true]))

/** PHP; a parser with its tables would be as large as all other languages together. */
export const php = clike({
  name: 'php',
  keywords: words(
    'abstract and array as break callable case catch class clone const continue declare default die do echo else elseif empty enddeclare endfor endforeach endif endswitch endwhile enum eval exit extends final finally fn for foreach function global goto if implements include include_once instanceof insteadof interface isset list match namespace new or parent print private protected public readonly require require_once return self static switch throw trait try unset use var while xor yield',
  ),
  types: words('bool float int iterable mixed never object string void'),
  blockKeywords: words('catch do else elseif for foreach if switch try while finally'),
  atoms: words('true false null TRUE FALSE NULL'),
  namespaceSeparator: '\\',
  hooks: {
    $: (stream: { eatWhile: (pattern: RegExp) => boolean }) => {
      stream.eatWhile(/\w/)
      return 'variable'
    },
    '#': (stream: { skipToEnd: () => void }) => {
      stream.skipToEnd()
      return 'comment'
    },
    '<': (stream: { match: (pattern: RegExp) => unknown }) =>
      stream.match(/^\?(?:php|=)?/) ? 'meta' : false,
  },
})
