/** The panels beside a text, loaded together. */
export { Authors } from './authors.tsx'
export { History } from './history.tsx'
export { Propose } from './propose.tsx'
export { Suggestions } from './suggestions.tsx'
export { Undo } from './undo.tsx'
