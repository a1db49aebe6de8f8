/** Negative, where `a` goes before `b`. */
export type Order<T> = (a: T, b: T) => number

/** The index of `item` in the sorted list, after equal ones; the search starts at `from`. */
const placeFor = <T>(sorted: readonly T[], item: T, order: Order<T>, from: number): number => {
  let [low, high] = [from, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (order(sorted[middle]!, item) <= 0) low = middle + 1
    else high = middle
  }
  return low
}

/** The sorted list with these in it, too. Only their places are looked for; the rest is copied as it is. */
export const withAdded = <T>(sorted: readonly T[], added: readonly T[], order: Order<T>): T[] => {
  const fresh = [...added].sort(order)
  if (fresh.length === 0) return [...sorted]
  let done = placeFor(sorted, fresh[0]!, order, 0)
  const all = sorted.slice(0, done)
  for (const item of fresh) {
    for (const end = placeFor(sorted, item, order, done); done < end; done++)
      all.push(sorted[done]!)
    all.push(item)
  }
  for (; done < sorted.length; done++) all.push(sorted[done]!)
  return all
}

/** Tells where an item is, by its id, -1: nowhere; it looks first where it was last time. */
export const finder = <T>(idOf: (item: T) => string) => {
  let asked: { items: readonly T[]; id: string; found: number } | null = null
  return (items: readonly T[], id: string): number => {
    if (asked?.items === items && asked.id === id) return asked.found
    const there = items[asked?.found ?? -1]
    const isThere = there !== undefined && idOf(there) === id
    const found = isThere ? asked!.found : items.findLastIndex((item) => idOf(item) === id)
    asked = { items, id, found }
    return found
  }
}
