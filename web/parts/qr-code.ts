import { generate } from 'lean-qr'

/** Empty modules around the code, as its standard asks for. */
const QUIET = 4

/** A text as a QR code: the number of modules of a side, and the dark ones as the path of an SVG. */
export const qrCode = (text: string): { size: number; path: string } => {
  const code = generate(text)
  let path = ''
  for (let y = 0; y < code.size; y++) {
    for (let x = 0; x < code.size; x++) {
      if (code.get(x, y)) path += `M${x + QUIET} ${y + QUIET}h1v1h-1z`
    }
  }
  return { size: code.size + 2 * QUIET, path }
}
