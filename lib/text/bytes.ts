const encoder = new TextEncoder()

/** Length of `text` in UTF-8 bytes. */
export const byteLength = (text: string): number => encoder.encode(text).length
