/** A number and its noun: `1 agent`, `2 agents`, `2 entries`. */
export const counted = (count: number, noun: string): string => {
  if (count === 1) return `1 ${noun}`
  return `${count} ${noun.replace(/y$/, 'ie')}s`
}

/** A whole number with a comma before each three digits: `12,345`. Intl would take 15 ms at its first use. */
export const grouped = (count: number): string => String(count).replace(/\B(?=(?:\d{3})+$)/g, ',')
