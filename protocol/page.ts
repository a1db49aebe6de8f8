/**
 * Requests of the web page carry their workspace in this header, and then the credential in the browser's cookie counts.
 * Pages of other sites cannot send it: their browser would ask the server first.
 */
export const PAGE_HEADER = 'x-clawlink-page'
