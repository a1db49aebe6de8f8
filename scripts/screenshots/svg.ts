import { widthOf } from '../../tui/text/display.ts'

interface Style {
  fg: string | null
  bg: string | null
  isBold: boolean
  isDim: boolean
  isInverse: boolean
  isUnderlined: boolean
}

const PLAIN: Style = {
  ...{ fg: null, bg: null, isBold: false, isDim: false, isInverse: false, isUnderlined: false },
}
/** The colours of a terminal: text, ground, and the 16. */
interface Scheme {
  ink: string
  paper: string
  colours: readonly string[]
}
const SCHEMES = {
  dark: {
    ...{ ink: '#d8dee9', paper: '#1e222a' },
    colours: [
      ...['#3b4252', '#e06c75', '#98c379', '#e5c07b', '#61afef', '#c678dd', '#56b6c2', '#abb2bf'],
      ...['#7f8693', '#ff7b86', '#b5e890', '#ffd68a', '#82c4ff', '#e09bff', '#7fe0ec', '#ffffff'],
    ],
  },
  light: {
    ...{ ink: '#24292f', paper: '#ffffff' },
    colours: [
      ...['#24292f', '#cf222e', '#116329', '#7d4e00', '#0969da', '#8250df', '#1b7c83', '#6e7781'],
      ...['#57606a', '#a40e26', '#1a7f37', '#633c01', '#218bff', '#a475f9', '#3192aa', '#8c959f'],
    ],
  },
} as const satisfies Record<string, Scheme>
/** Size of a cell, in pixels. */
const [CELL_X, CELL_Y] = [8.4, 18]
const MARGIN = 12

const xterm = (n: number, { colours }: Scheme): string => {
  if (n < 16) return colours[n]!
  if (n >= 232) return `rgb(${[8 + 10 * (n - 232)].flatMap((v) => [v, v, v]).join()})`
  const steps = [0, 95, 135, 175, 215, 255]
  const at = n - 16
  return `rgb(${[Math.floor(at / 36), Math.floor(at / 6) % 6, at % 6].map((i) => steps[i]).join()})`
}

/** The style after a "select graphic rendition" sequence (ECMA-48, 8.3.117). */
const restyled = (before: Style, sequence: string, scheme: Scheme): Style => {
  const { colours } = scheme
  const codes = sequence === '' ? [0] : sequence.split(';').map(Number)
  let style = before
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!
    /** `5;N` or `2;R;G;B`, which follow. */
    const extended = (): string => {
      const isIndex = codes[i + 1] === 5
      const given = codes.slice(i + 2, i + (isIndex ? 3 : 5))
      i += given.length + 1
      return isIndex ? xterm(given[0]!, scheme) : `rgb(${given.join()})`
    }
    if (code === 0) style = PLAIN
    else if (code === 1) style = { ...style, isBold: true }
    else if (code === 2) style = { ...style, isDim: true }
    else if (code === 4) style = { ...style, isUnderlined: true }
    else if (code === 7) style = { ...style, isInverse: true }
    else if (code === 22) style = { ...style, isBold: false, isDim: false }
    else if (code === 24) style = { ...style, isUnderlined: false }
    else if (code === 27) style = { ...style, isInverse: false }
    else if (code === 38) style = { ...style, fg: extended() }
    else if (code === 39) style = { ...style, fg: null }
    else if (code === 48) style = { ...style, bg: extended() }
    else if (code === 49) style = { ...style, bg: null }
    else if (code >= 30 && code < 38) style = { ...style, fg: colours[code - 30]! }
    else if (code >= 40 && code < 48) style = { ...style, bg: colours[code - 40]! }
    else if (code >= 90 && code < 98) style = { ...style, fg: colours[code - 82]! }
    else if (code >= 100 && code < 108) style = { ...style, bg: colours[code - 92]! }
  }
  return style
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

const round = (value: number): string => String(Math.round(value * 10) / 10)

/** A part of a line in one style, from column `x` on, and the column after it. */
const drawn = (
  text: string,
  style: Style,
  x: number,
  y: number,
  { ink, paper }: Scheme,
): { svg: string; end: number } => {
  const [fg, bg] = style.isInverse
    ? [style.bg ?? paper, style.fg ?? ink]
    : [style.fg ?? ink, style.bg]
  const look = [
    style.isBold ? ' font-weight="bold"' : '',
    style.isDim ? ' opacity="0.6"' : '',
    style.isUnderlined ? ' text-decoration="underline"' : '',
  ].join('')
  const top = MARGIN + y * CELL_Y
  let column = x
  // In parts between gaps, so that no font's own widths add up over a line.
  const words = (text.match(/\s+|\S+(?: \S+)*/g) ?? []).map((word) => {
    const left = MARGIN + column * CELL_X
    const width = widthOf(word)
    column += width
    if (word.trim() === '') return ''
    return `<text x="${round(left)}" y="${top + 13}" textLength="${round(width * CELL_X)}" lengthAdjust="spacingAndGlyphs"${fg === ink ? '' : ` fill="${fg}"`}${look}>${escaped(word)}</text>`
  })
  const [left, size] = [MARGIN + x * CELL_X, (column - x) * CELL_X]
  const back =
    bg === null
      ? ''
      : `<rect x="${round(left)}" y="${top}" width="${round(size)}" height="${CELL_Y}" fill="${bg}" shape-rendering="crispEdges"/>`
  return { svg: back + words.join(''), end: column }
}

/** A terminal's screen with its colours, as an SVG image. */
export const toSvg = (
  lines: readonly string[],
  columns: number,
  title: string,
  theme: keyof typeof SCHEMES = 'dark',
): string => {
  const scheme: Scheme = SCHEMES[theme]
  // A style goes on into the next line until a sequence ends it.
  let style = PLAIN
  const body = lines.flatMap((line, y) => {
    let x = 0
    return line.split(/\u001b\[([\d;]*)m/).flatMap((part, i) => {
      if (i % 2 === 1) {
        style = restyled(style, part, scheme)
        return []
      }
      const { svg, end } = drawn(part, style, x, y, scheme)
      x = end
      return svg
    })
  })
  const [width, height] = [2 * MARGIN + columns * CELL_X, 2 * MARGIN + lines.length * CELL_Y]
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${round(width)}" height="${height}" viewBox="0 0 ${round(width)} ${height}" xml:space="preserve" font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="14">
<title>${escaped(title)}</title>
<rect width="100%" height="100%" rx="8" fill="${scheme.paper}"/>
<g fill="${scheme.ink}">
${body.filter((part) => part !== '').join('\n')}
</g>
</svg>
`
}
