/** Colours of agents: classes of the style sheet. */
const COLOURS = 8
export const colourOf = (id: string): string => {
  let hash = 0
  for (const character of id) hash = (hash * 31 + character.codePointAt(0)!) >>> 0
  return `c${hash % COLOURS}`
}
