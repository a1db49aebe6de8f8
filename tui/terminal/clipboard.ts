/** Terminals take no more (bytes) by OSC 52. */
const MAX_COPIED_BYTES = 74_994

/** Puts a text on the terminal's clipboard (OSC 52), if it is a terminal and the text is not too long for that. */
export const copyTo = (stdout: NodeJS.WritableStream, text: string): void => {
  const bytes = Buffer.from(text)
  const isTerminal = 'isTTY' in stdout && stdout.isTTY === true
  if (!isTerminal || bytes.length > MAX_COPIED_BYTES) return
  stdout.write(`\u001b]52;c;${bytes.toString('base64')}\u0007`)
}
