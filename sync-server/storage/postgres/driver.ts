/** PostgreSQL's driver, which is loaded only for a store there: scripts/build.mjs makes it a file of its own. */
import pg from 'pg'

export const { Client, Pool } = pg
