/** The places that `find` searches. */
export const FIND_PLACES = ['messages', 'tasks', 'files'] as const
