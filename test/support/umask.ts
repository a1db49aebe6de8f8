/** Who works with it now (count), and what held before the first of them. */
let owners = 0
let before = 0

/**
 * Does something with the umask of a server, whose files are its user's alone. It is the process's: where several do so at
 * once it holds until the last of them is done.
 */
export const asServer = async <T>(work: () => Promise<T>): Promise<T> => {
  if (owners++ === 0) before = process.umask(0o077)
  try {
    return await work()
  } finally {
    if (--owners === 0) process.umask(before)
  }
}
