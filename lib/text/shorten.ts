/** At most `max` characters of a text, and the count of the rest. */
export const shorten = (text: string, max: number): string => {
  if (text.length <= max) return text
  const head = [...text.slice(0, 2 * max)].slice(0, max).join('')
  const more = lengthOf(text) - lengthOf(head)
  return more <= 0 ? text : `${head}…(+${more} characters)`
}

/** Characters, not UTF-16 units. */
const lengthOf = (text: string): number =>
  text.length - (text.match(/[\ud800-\udbff][\udc00-\udfff]/g)?.length ?? 0)
