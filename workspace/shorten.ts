/** At most `max` characters of a text, saying how many more there are. */
export const shorten = (text: string, max: number): string => {
  const characters = [...text]
  const more = characters.length - max
  return more <= 0 ? text : `${characters.slice(0, max).join('')}…(+${more} characters)`
}
