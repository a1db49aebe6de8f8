import type { View } from './state.ts'

/** The orders of each list, the first one by default. */
export const ORDERS = {
  me: ['most urgent kind'],
  agents: ['state', 'name', 'last seen', 'machine'],
  tasks: ['priority', 'newest', 'oldest'],
  feed: ['time'],
  files: ['path', 'newest', 'largest', 'author'],
} as const satisfies Record<View, readonly string[]>
