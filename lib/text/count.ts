/** A number and its noun, one of it without the s: `1 agent`, `2 agents`, `2 entries`. */
export const counted = (count: number, noun: string): string => {
  if (count === 1) return `1 ${noun}`
  return `${count} ${noun.replace(/y$/, 'ie')}s`
}
