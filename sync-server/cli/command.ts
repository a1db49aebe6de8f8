/** The JSON document of a successful command. */
export const jsonOf = (data: unknown): string => `${JSON.stringify({ ok: true, data })}\n`

/** Bytes with a unit, for people. */
export const sizeText = (bytes: number): string => {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB']
  let [size, unit] = [bytes, 0]
  while (size >= 1024 && unit < units.length - 1) [size, unit] = [size / 1024, unit + 1]
  return `${unit === 0 ? size : size.toFixed(1)} ${units[unit]}`
}
