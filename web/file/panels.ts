/** What is known of the text of a file, in one file of its own. */
export { Authors } from './authors.tsx'
export { History } from './history.tsx'
export { Propose } from './propose.tsx'
export { Suggestions } from './suggestions.tsx'
export { Undo } from './undo.tsx'
