/** The pages that are not needed at first, in one file of their own. */
export { Admin } from './admin.tsx'
export { Board } from './board.tsx'
export { Feed } from './feed.tsx'
export { Files } from './files.tsx'
export { ForMe, Waiting } from './for-me.tsx'
export { Join, Landing } from './join.tsx'
export { Record } from './record.tsx'
export { TaskPage } from './task.tsx'
