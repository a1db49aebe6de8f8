/** A number and its noun: `1 agent`, `2 agents`, `2 entries`. */
export const counted = (count: number, noun: string): string => {
  if (count === 1) return `1 ${noun}`
  return `${count} ${noun.replace(/y$/, 'ie')}s`
}
