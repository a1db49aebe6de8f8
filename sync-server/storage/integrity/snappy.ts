/**
 * Uncompresses Snappy's raw format (google/snappy, format_description.txt). Throws on malformed
 * bytes.
 */
export const unsnap = (packed: Uint8Array): Uint8Array => {
  let at = 0
  const byte = (): number => {
    const value = packed[at++]
    if (value === undefined) throw new Error('it ends too soon')
    return value
  }
  const number = (bytes: number): number => {
    let value = 0
    for (let i = 0; i < bytes; i++) value += byte() * 2 ** (8 * i)
    return value
  }
  let size = 0
  for (let shift = 0; ; shift += 7) {
    const part = byte()
    size += (part & 0x7f) * 2 ** shift
    if (part < 0x80) break
  }
  // One byte of a copy stands for at most 64 bytes.
  if (size > 64 * packed.length) throw new Error('it is said to be larger than it can be')
  const out = new Uint8Array(size)
  let end = 0
  const copy = (distance: number, length: number): void => {
    if (distance === 0 || distance > end || end + length > size) throw new Error('a wrong copy')
    for (let i = 0; i < length; i++, end++) out[end] = out[end - distance]!
  }
  while (at < packed.length) {
    const tag = byte()
    const upper = tag >> 2
    switch (tag & 3) {
      case 0: {
        const length = 1 + (upper < 60 ? upper : number(upper - 59))
        if (at + length > packed.length || end + length > size) throw new Error('it ends too soon')
        out.set(packed.subarray(at, at + length), end)
        at += length
        end += length
        break
      }
      case 1:
        copy(((tag >> 5) << 8) + byte(), 4 + (upper & 7))
        break
      case 2:
        copy(number(2), 1 + upper)
        break
      default:
        copy(number(4), 1 + upper)
    }
  }
  if (end !== size) throw new Error('it ends too soon')
  return out
}
